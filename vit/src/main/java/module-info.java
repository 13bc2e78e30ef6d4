/** Vision Transformers: models, weights, images, training and the command line. */
module dev.fovea.vit {
  requires transitive dev.fovea.tensor;
  requires static transitive org.jspecify;
  requires transitive java.desktop;
  requires com.fasterxml.jackson.databind;
  requires info.picocli;
  requires me.tongfei.progressbar;

  exports dev.fovea.vit;
  exports dev.fovea.vit.image;
  exports dev.fovea.vit.model;
  exports dev.fovea.vit.weights;

  opens dev.fovea.vit.cli to
      info.picocli;
}
