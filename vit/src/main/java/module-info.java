/** vit */
module dev.fovea.vit {
  requires transitive dev.fovea.tensor;
  requires static transitive org.jspecify;
}
