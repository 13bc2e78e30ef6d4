/** Vision Transformers: models, weights, images, training and the command line. */
@SuppressWarnings("requires-automatic") // hipparchus and xchart have no module descriptors.
module dev.fovea.vit {
  requires transitive dev.fovea.tensor;
  requires static transitive org.jspecify;
  requires transitive java.desktop;
  requires com.fasterxml.jackson.databind;
  requires com.fasterxml.jackson.dataformat.csv;
  requires com.fasterxml.jackson.dataformat.yaml;
  requires info.picocli;
  requires jdk.management;
  requires hipparchus.core;
  requires hipparchus.optim;
  requires me.tongfei.progressbar;
  requires xchart;

  exports dev.fovea.vit;
  exports dev.fovea.vit.data;
  exports dev.fovea.vit.image;
  exports dev.fovea.vit.model;
  exports dev.fovea.vit.probe;
  exports dev.fovea.vit.scaling;
  exports dev.fovea.vit.train;
  exports dev.fovea.vit.weights;

  opens dev.fovea.vit.cli to
      info.picocli;
}
