/** tensor */
module dev.fovea.tensor {
  requires transitive dev.fovea.kernels;
  requires static transitive org.jspecify;
}
