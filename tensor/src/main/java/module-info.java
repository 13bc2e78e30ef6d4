/** Tensors that own their memory, and files of them. */
module dev.fovea.tensor {
  requires transitive dev.fovea.kernels;
  requires static transitive org.jspecify;
  requires com.fasterxml.jackson.core;

  exports dev.fovea.tensor;
  exports dev.fovea.tensor.io;
  exports dev.fovea.tensor.ops;
}
