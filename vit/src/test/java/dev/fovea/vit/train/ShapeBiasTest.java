package dev.fovea.vit.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.tensor.Device;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Tensor;
import dev.fovea.vit.data.Shapes;
import dev.fovea.vit.model.Initialisation;
import dev.fovea.vit.model.VisionTransformer;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Whether a model goes by shape or by texture is counted, not guessed. */
final class ShapeBiasTest {
  private static final int CLASSES = 10;

  private static TrainConfig config(String set) throws IOException {
    Map<String, Object> settings = new HashMap<>(TrainRunTest.tiny());
    settings.put("data.set", set);
    settings.put("data.val_size", 50);
    settings.put("data.batch", 16);
    return ConfigFile.read(null, settings);
  }

  /** A model that gives one answer to everything. */
  private static VisionTransformer always(TrainConfig config, int answer) {
    var model = VisionTransformer.create(config.vit(CLASSES), Initialisation.of(1), Device.cpu());
    try (Scope scope = Scope.open(Device.cpu())) {
      float[] bias = new float[CLASSES];
      bias[answer] = 1;
      Tensor weight = Objects.requireNonNull(model.parameters().get("head.weight"));
      weight.copyFrom(Tensor.zeros(weight.shape(), weight.dtype()));
      Tensor of = Objects.requireNonNull(model.parameters().get("head.bias"));
      of.copyFrom(Tensor.of(bias, CLASSES));
    }
    return model;
  }

  /** Every picture is of one class by its shape and of another by its texture. */
  @Test
  void countsWhatAnswersGoBy() throws IOException {
    TrainConfig config = config("shapes");
    Shapes pictures = new Shapes("conflict", 16, 50, config.run().seed(), Shapes.Cue.CONFLICT);
    int all = 0;
    for (int answer = 0; answer < CLASSES; answer++) {
      int wanted = answer;
      try (VisionTransformer model = always(config, answer)) {
        ShapeBias bias = ShapeBias.of(config, model).orElseThrow();
        assertEquals(50, bias.pictures());
        assertEquals(
            IntStream.range(0, 50)
                .filter(i -> pictures.get(i).label() == wanted)
                .count(),
            bias.byShape());
        assertEquals(
            IntStream.range(0, 50).filter(i -> pictures.texture(i) == wanted).count(), bias.byTexture());
        all += bias.byShape();
      }
    }
    assertEquals(50, all, "each picture has one shape");
  }

  @Test
  void isOfBuiltInPicturesOnly() throws IOException {
    try (VisionTransformer model = always(config("shapes"), 0)) {
      assertTrue(ShapeBias.of(config("shapes:matching"), model).isPresent());
      assertTrue(ShapeBias.of(config("photos"), model).isEmpty());
    }
  }

  @Test
  void saysSoWhereThereIsNone() {
    assertEquals(
        "shape bias 75.0 %: of 9 pictures whose texture is that of another class, 3 were named by shape, 1 by texture",
        new ShapeBias(9, 3, 1).toString());
    assertEquals(
        "shape bias unknown: of 9 pictures whose texture is that of another class, none was named by shape or texture",
        new ShapeBias(9, 0, 0).toString());
  }
}
