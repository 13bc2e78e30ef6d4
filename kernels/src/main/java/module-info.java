/** Raw kernels on raw memory: the contract that every device implements, and its back ends. */
@SuppressWarnings("requires-automatic") // JCuda's jar names no module
module dev.fovea.kernels {
  requires jcuda;
  requires jdk.incubator.vector;
  requires jdk.management;
  requires static transitive org.jspecify;

  exports dev.fovea.kernels;
  exports dev.fovea.kernels.cpu;
  exports dev.fovea.kernels.cuda;
}
