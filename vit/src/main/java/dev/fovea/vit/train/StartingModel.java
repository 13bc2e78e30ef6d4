package dev.fovea.vit.train;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.Device;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.vit.image.Preprocessing;
import dev.fovea.vit.model.Initialisation;
import dev.fovea.vit.model.ParameterShapes;
import dev.fovea.vit.model.VisionTransformer;
import dev.fovea.vit.model.VitConfig;
import dev.fovea.vit.weights.Checkpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/** What a run begins with: a model made anew, or one that is there, with a new classifier. */
final class StartingModel {
  private static final String HEAD = "head.weight";
  private static final String HEAD_BIAS = "head.bias";

  /** Pixels of pictures in training: from -1 to 1. */
  private static final double HALF = 127.5;

  private StartingModel() {}

  /** The model of a configuration, for so many classes; without classifier for none. */
  static VisionTransformer of(TrainConfig config, int classes, float headBias, Device device) throws IOException {
    Tuning tuning = config.tuning();
    if (!tuning.starts()) {
      var start = Initialisation.of(config.run().seed()).withHeadBias(headBias);
      VitConfig vit = config.vit(classes);
      MemoryNeed.check(config, vit, device);
      return VisionTransformer.create(vit, start, device);
    }
    VisionTransformer loaded = load(config, classes, headBias, device);
    VitConfig own = loaded.config();
    int side = tuning.imageSize();
    if (side == 0 || side == own.imageHeight() && side == own.imageWidth()) {
      return loaded;
    }
    try (loaded) {
      return loaded.resized(side, side);
    }
  }

  private static VisionTransformer load(TrainConfig run, int classes, float headBias, Device device)
      throws IOException {
    try (Checkpoint checkpoint = Checkpoint.open(Path.of(run.tuning().model()));
        Scope scope = Scope.open(device).label("model")) {
      VitConfig found = checkpoint.config();
      Preprocessing pictures = Preprocessing.of(checkpoint.file(), found);
      VitConfig config = found.toBuilder()
          .classes(classes)
          .preLogits(classes == 0 ? 0 : found.preLogits())
          .patchBias(true)
          .dropPath((float) run.model().dropPath())
          .dropPathGrows(true)
          .build();
      int side = run.tuning().imageSize();
      MemoryNeed.check(run, side == 0 ? config : config.toBuilder().image(side).build(), device);
      Map<String, Tensor> tensors = new LinkedHashMap<>(checkpoint.load(DType.F32));
      String stem = config.stem() == VitConfig.Stem.LINEAR ? "patch_embed." : "patch_embed.0.";
      Map<String, Shape> shapes = ParameterShapes.of(config);
      tensors.remove(HEAD);
      tensors.remove(HEAD_BIAS);
      tensors.keySet().removeIf(name -> !shapes.containsKey(name));
      shapes.forEach((name, shape) -> tensors.computeIfAbsent(name, missing -> Tensor.zeros(shape, DType.F32)));
      tensors.computeIfPresent(HEAD_BIAS, (name, zeros) -> Tensor.full(zeros.shape(), DType.F32, headBias));
      takePlainPixels(
          Objects.requireNonNull(tensors.get(stem + "weight")),
          Objects.requireNonNull(tensors.get(stem + "bias")),
          pictures);
      return new VisionTransformer(config, tensors);
    }
  }

  /**
   * Changes the stem so that it makes of pixels from -1 to 1 what it made of pixels as its folder prepares them:
   * {@code x = factor v + offset} for each channel is part of the linear layer then.
   */
  private static void takePlainPixels(Tensor weight, Tensor bias, Preprocessing pictures) {
    float[] w = weight.toFloats();
    float[] b = bias.toFloats();
    int in = w.length / b.length;
    int channels = pictures.mean().size();
    for (int row = 0; row < b.length; row++) {
      double shift = 0;
      for (int i = 0; i < in; i++) {
        int channel = i / (in / channels);
        double deviation = pictures.deviation().get(channel);
        double offset = (HALF * pictures.rescale() - pictures.mean().get(channel)) / deviation;
        shift += offset * w[row * in + i];
        w[row * in + i] *= (float) (HALF * pictures.rescale() / deviation);
      }
      b[row] += (float) shift;
    }
    weight.copyFrom(w);
    bias.copyFrom(b);
  }

  /**
   * The configuration with everything said that it left to the model and the folder it was given in: what is written
   * down holds from anywhere.
   */
  static TrainConfig resolved(TrainConfig config) throws IOException {
    TrainConfig.Data data = config.data();
    TrainConfig found = Pictures.isBuiltIn(data.set()) || !Files.exists(Path.of(data.set()))
        ? config
        : config.with(
            data.withSet(Path.of(data.set()).toAbsolutePath().normalize().toString()));
    Tuning tuning = config.tuning();
    if (!tuning.starts()) {
      return found;
    }
    Path path = Path.of(tuning.model()).toAbsolutePath().normalize();
    VitConfig vit;
    try (Checkpoint checkpoint = Checkpoint.open(path)) {
      vit = checkpoint.config();
    }
    int side = tuning.imageSize() == 0 ? vit.imageHeight() : tuning.imageSize();
    var model = new TrainConfig.Model(
        "",
        side,
        vit.patchHeight(),
        vit.width(),
        vit.depth(),
        vit.heads(),
        vit.mlp(),
        vit.block(),
        vit.qkNorm() != null,
        config.model().dropPath(),
        vit.positions(),
        vit.pool(),
        vit.stem());
    return found.with(model, new Tuning(path.toString(), tuning.imageSize(), tuning.trainOnly(), tuning.layerDecay()));
  }
}
