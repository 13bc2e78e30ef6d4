/** Raw kernels on raw memory: the contract that every device implements, and its back ends. */
module dev.fovea.kernels {
  requires jdk.incubator.vector;
  requires jdk.management;
  requires static transitive org.jspecify;

  exports dev.fovea.kernels;
  exports dev.fovea.kernels.cpu;
  exports dev.fovea.kernels.cuda;
}
