/** Vision Transformers: models, weights, images, training and the command line. */
module dev.fovea.vit {
  requires transitive dev.fovea.tensor;
  requires static transitive org.jspecify;
  requires info.picocli;

  opens dev.fovea.vit.cli to
      info.picocli;
}
