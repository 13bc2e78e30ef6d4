package dev.fovea.vit.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.CpuDevice;
import dev.fovea.tensor.Device;
import dev.fovea.tensor.Gradients;
import dev.fovea.tensor.Recompute;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.io.Safetensors;
import dev.fovea.vit.TinyModel;
import dev.fovea.vit.Vit;
import dev.fovea.vit.image.Preprocessing;
import dev.fovea.vit.model.Initialisation;
import dev.fovea.vit.model.VisionTransformer;
import dev.fovea.vit.model.VitConfig;
import dev.fovea.vit.weights.ModelWriter;
import dev.fovea.vit.weights.Notes;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Fine-tuning: what it starts from, which parameters move, and what the others do not cost. */
final class TuningTest {
  private static final int WIDTH = 64;
  private static final int BATCH = 4;

  @TempDir
  private Path folder;

  private static VitConfig vit(int depth) {
    return VitConfig.builder()
        .image(32)
        .patch(4)
        .shape(WIDTH, depth, 4 * WIDTH, 2)
        .classToken(true)
        .pool(VitConfig.Pool.CLASS)
        .classes(10)
        .build();
  }

  private static Objective objective(VisionTransformer model) {
    return new Classification(model, Loss.SOFTMAX, 0, 0);
  }

  /** What a step with so many blocks holds in bytes. */
  private record Held(long afterForward, long gradients, long state, Set<String> trained) {}

  private static Held measure(TrainOnly which, int depth) {
    VitConfig config = vit(depth);
    try (CpuDevice device = Device.cpu(1);
        VisionTransformer model = VisionTransformer.create(config, Initialisation.of(3), device)) {
      long before = device.memory().current();
      List<Parameter> parameters = new Tuning("", 0, which, 1).parameters(objective(model), 0, 0);
      try (Optimizer optimizer = new AdamW(parameters, AdamW.Settings.DEFAULT)) {
        long state = device.memory().current() - before;
        optimizer.parameters().forEach(p -> p.value().trainable());
        Set<String> names = new TreeSet<>();
        parameters.forEach(p -> names.add(p.name()));
        try (Scope scope = Scope.open(device);
            Tape tape = Tape.record(Recompute.NONE)) {
          Tensor pixels = Tensor.normal(Shape.of(BATCH, 3, 32, 32), DType.F32, 1, 4);
          long idle = device.memory().current();
          Tensor loss;
          try (Scope inside = Scope.open()) {
            Tensor logits = Objects.requireNonNull(model.forward(pixels).logits());
            loss = inside.keep(Loss.SOFTMAX.of(logits, Tensor.of(new int[] {1, 2, 3, 4}, BATCH), 0));
          }
          long saved = device.memory().current() - idle;
          try (Gradients gradients = tape.backward(loss)) {
            assertEquals(names.size(), gradients.size());
            return new Held(saved, device.memory().current() - idle, state, names);
          }
        }
      }
    }
  }

  private static long bytes(int depth, Set<String> names) {
    try (VisionTransformer model = VisionTransformer.create(vit(depth), 0)) {
      return names.stream()
          .mapToLong(name ->
              Objects.requireNonNull(model.parameters().get(name)).shape().count() * 4)
          .sum();
    }
  }

  /** What is frozen has neither gradient nor state. */
  @ParameterizedTest
  @EnumSource(TrainOnly.class)
  void frozenParametersCostNothing(TrainOnly which) {
    Held held = measure(which, 2);
    long trained = bytes(2, held.trained);
    assertEquals(2.0 * trained, held.state, 0.02 * held.state + 2048, "two moments");
    assertEquals(trained, held.gradients, 0.02 * trained + 4096, "gradients");
    int parameters = switch (which) {
      case ALL -> vit(2).depth() * 12 + 8;
      case ATTENTION -> 2 * 4 + 3;
      case HEAD -> 2;
    };
    assertEquals(parameters, held.trained.size(), held.trained.toString());
  }

  /**
   * Per token and block, a full step keeps inputs and results of both norms, queries, keys and values, what attention
   * made, and the hidden layer before and after its activation: 8 widths and 2 hidden ones. With the MLP and the norms
   * frozen, the second norm's result and the hidden layer's are read by nobody: 7 widths and 1 hidden one.
   */
  @Test
  void attentionOnlyKeepsLess() {
    int tokens = BATCH * vit(1).tokens();
    double full = (measure(TrainOnly.ALL, 3).afterForward - measure(TrainOnly.ALL, 1).afterForward) / 2.0 / tokens / 4;
    double attention = (measure(TrainOnly.ATTENTION, 3).afterForward - measure(TrainOnly.ATTENTION, 1).afterForward)
        / 2.0
        / tokens
        / 4;
    int statistics = 2 + 2 + 2;
    assertEquals(8 * WIDTH + 2 * 4 * WIDTH + statistics, full, 0.03 * full);
    assertEquals(7 * WIDTH + 4 * WIDTH + statistics, attention, 0.03 * attention);
    // A linear probe keeps nothing of any block.
    assertEquals(measure(TrainOnly.HEAD, 1).afterForward, measure(TrainOnly.HEAD, 3).afterForward);
    assertTrue(measure(TrainOnly.HEAD, 3).afterForward < 16 * BATCH * WIDTH);
  }

  @Test
  void ratesFallFromLayerToLayer() {
    try (VisionTransformer model = VisionTransformer.create(vit(3), 0)) {
      Map<String, Double> rates = new HashMap<>();
      new Tuning("", 0, TrainOnly.ALL, 0.5)
          .parameters(objective(model), 0, 0)
          .forEach(p -> rates.put(p.name(), p.rate()));
      assertEquals(1, rates.get("head.weight"));
      assertEquals(1, rates.get("norm.weight"));
      assertEquals(0.5, rates.get("blocks.2.mlp.fc1.bias"));
      assertEquals(0.125, rates.get("blocks.0.attn.qkv.weight"));
      assertEquals(0.0625, rates.get("positions"));
      assertEquals(0.0625, rates.get("patch_embed.weight"));
      assertEquals(0.0625, rates.get("prefix"));
    }
  }

  @Test
  void branchesAreAttentionToo() {
    VitConfig things =
        vit(2).toBuilder().block(VitConfig.Block.THINGS).branches(2).build();
    var trained = TrainOnly.ATTENTION.names(things);
    assertTrue(trained.test("blocks.1.attns.1.attn.proj.weight"));
    assertEquals(false, trained.test("blocks.1.attns.1.norm.weight"));
    assertEquals(false, trained.test("blocks.1.ffns.0.mlp.fc1.weight"));
    VitConfig parallel = vit(2).toBuilder().block(VitConfig.Block.PARALLEL).build();
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> TrainOnly.ATTENTION.names(parallel));
    assertTrue(String.valueOf(e.getMessage()).contains("one matrix"), e.getMessage());
  }

  private Path model() throws IOException {
    Path at = folder.resolve("model");
    if (!Files.exists(at)) {
      TinyModel.write(at);
    }
    return at;
  }

  private Path pictures() throws IOException {
    Path at = folder.resolve("pictures");
    for (int i = 0; i < 24; i++) {
      Path file = at.resolve((i % 3 == 0 ? "red" : i % 3 == 1 ? "green" : "blue") + "/" + i + ".png");
      Files.createDirectories(file.getParent());
      BufferedImage image = new BufferedImage(20, 24, BufferedImage.TYPE_INT_RGB);
      for (int p = 0; p < 480; p++) {
        image.setRGB(p % 20, p / 20, 0xD0 << 8 * (2 - i % 3) | (p * 7 + i) % 32);
      }
      ImageIO.write(image, "png", file.toFile());
    }
    Files.writeString(at.resolve("red/broken.png"), "no picture");
    return at;
  }

  private Map<String, Object> settings(TrainOnly which) throws IOException {
    Map<String, Object> settings = TrainRunTest.tiny();
    settings.keySet().removeIf(name -> name.startsWith("model."));
    settings.put("tuning.model", model().toString());
    settings.put("tuning.train_only", which);
    settings.put("data.set", pictures().toString());
    settings.put("optimizer.weight_decay", 0.1);
    return settings;
  }

  private static TrainConfig config(Map<String, Object> settings) throws IOException {
    return ConfigFile.read(null, settings);
  }

  private static Map<String, float[]> values(VisionTransformer model) {
    Map<String, float[]> values = new HashMap<>();
    model.parameters().forEach((name, tensor) -> values.put(name, tensor.toFloats()));
    return values;
  }

  @ParameterizedTest
  @EnumSource(TrainOnly.class)
  void onlyWhatIsTrainedMoves(TrainOnly which) throws IOException {
    TrainRunTest.Recorder heard = new TrainRunTest.Recorder();
    Path to = folder.resolve("run");
    try (TrainRun run = TrainRun.start(config(settings(which)), to, heard)) {
      Map<String, float[]> before = values(run.model());
      assertTrue(run.train(() -> false).finished());
      Map<String, float[]> after = values(run.model());
      var trained = which.names(run.model().config());
      for (String name : before.keySet()) {
        if (!trained.test(name)) {
          assertArrayEquals(before.get(name), after.get(name), name);
        } else if (name.endsWith("weight")) {
          assertNotEquals(List.of(before.get(name)[0]), List.of(after.get(name)[0]), name);
        }
      }
    }
    assertTrue(
        heard.messages.stream().anyMatch(m -> m.contains("22 to train on and 3 of the same")),
        heard.messages.toString());
    assertTrue(heard.messages.stream().anyMatch(m -> m.contains("3 classes of ")), heard.messages.toString());
    assertTrue(Files.readString(to.resolve("skipped.txt")).contains("broken.png: is no picture"));
    assertTrue(Files.readString(to.resolve("run.yaml")).contains("width: 16"), "the model's own shape is written down");
    try (Vit vit = Vit.load(to.resolve("model"))) {
      assertEquals(3, vit.config().classes());
      dev.fovea.vit.image.Picture red = dev.fovea.vit.image.Picture.read(folder.resolve("pictures/red/0.png"));
      assertTrue(List.of("red", "green", "blue")
          .contains(vit.predict(red, 1).getFirst().label()));
    }
  }

  @Test
  void goesOnBitForBit() throws IOException {
    Map<String, Object> settings = settings(TrainOnly.ATTENTION);
    settings.put("tuning.layer_decay", 0.7);
    settings.put("tuning.image_size", 48);
    settings.put("data.rand_augment", "2,7");
    Path whole = folder.resolve("whole");
    try (TrainRun run = TrainRun.start(config(settings), whole, new TrainRunTest.Recorder())) {
      assertEquals(48, run.model().config().imageHeight());
      run.train(() -> false);
    }
    Path parts = folder.resolve("parts");
    TrainRunTest.Recorder recorder = new TrainRunTest.Recorder();
    recorder.stopAfter = 3;
    try (TrainRun run = TrainRun.start(config(settings), parts, recorder)) {
      run.train(recorder::stop);
    }
    try (TrainRun run = TrainRun.resume(parts, new TrainRunTest.Recorder())) {
      run.train(() -> false);
    }
    TrainRunTest.same(whole, parts);
  }

  /** Models without classifier or patch bias, of any stem and pooling; the same answers, at their own size. */
  @ParameterizedTest
  @ValueSource(strings = {"map", "clip", "hmlp", "registers"})
  void startsFromAnyKind(String kind) throws IOException {
    var builder = vit(2).toBuilder().classes(0);
    VitConfig config = switch (kind) {
      case "map" -> builder.classToken(false).pool(VitConfig.Pool.MAP).build();
      case "clip" ->
        builder.patchBias(false).preNorm(VitConfig.Norm.layer(1e-5f)).build();
      case "hmlp" -> builder.patch(16).stem(VitConfig.Stem.HMLP).build();
      default ->
        builder
            .registers(2)
            .layerScale(true)
            .pool(VitConfig.Pool.CLASS_AND_MEAN)
            .build();
    };
    Path at = folder.resolve(kind);
    Map<String, Object> settings = settings(TrainOnly.ALL);
    settings.put("tuning.model", at.toString());
    try (VisionTransformer made = VisionTransformer.create(config, 5);
        Scope scope = Scope.open()) {
      ModelWriter.save(at, config, made.parameters(), Notes.NONE);
      Tensor pixels = Tensor.normal(Shape.of(2, 3, 32, 32), DType.F32, 0.5f, 9);
      try (VisionTransformer start = StartingModel.of(config(settings), 3, 0, Device.cpu())) {
        assertArrayEquals(
            made.forward(pixels).preLogits().toFloats(),
            start.forward(pixels).preLogits().toFloats(),
            1e-4f);
        assertEquals(3, start.config().classes());
      }
      settings.put("tuning.image_size", 64);
      try (VisionTransformer start = StartingModel.of(config(settings), 3, 0, Device.cpu())) {
        assertEquals(64, start.config().imageWidth());
      }
    }
  }

  /** What cannot begin leaves no run behind. */
  @Test
  void aRunThatCannotBeginIsInNobodysWay() throws IOException {
    Map<String, Object> settings = TrainRunTest.tiny();
    settings.put("tuning.train_only", TrainOnly.ATTENTION);
    Path to = folder.resolve("run");
    long before = Device.cpu().memory().current();
    assertThrows(
        IllegalArgumentException.class, () -> TrainRun.start(config(settings), to, new TrainRunTest.Recorder()));
    assertEquals(false, Files.exists(to));
    assertEquals(before, Device.cpu().memory().current());
  }

  /** The model that training begins with sees what the loaded one saw, whatever mean and deviation that has. */
  @Test
  void startsFromWhatItLoads() throws IOException {
    Path at = model();
    Path config = at.resolve("config.json");
    Files.writeString(config, Files.readString(config).replace("\"num_classes\"", """
        "pretrained_cfg": {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}, "num_classes\"\
        """));
    try (Safetensors stored = Safetensors.open(at.resolve("model.safetensors"))) {
      assertTrue(stored.names().contains("head.weight"));
    }
    Map<String, Object> settings = settings(TrainOnly.ALL);
    try (Vit vit = Vit.load(at);
        VisionTransformer start = StartingModel.of(config(settings), 3, -2, Device.cpu());
        Scope scope = Scope.open()) {
      Preprocessing said = Preprocessing.of(at, vit.config());
      assertEquals(0.406, said.mean().get(2));
      float[] plain = Tensor.normal(Shape.of(2, 3, 32, 32), DType.F32, 0.5f, 9).toFloats();
      float[] prepared = new float[plain.length];
      for (int i = 0; i < plain.length; i++) {
        int channel = i / 1024 % 3;
        double pixel = (plain[i] + 1) * 127.5;
        prepared[i] =
            (float) ((pixel / 255 - said.mean().get(channel)) / said.deviation().get(channel));
      }
      float[] expected =
          vit.forward(Tensor.of(prepared, 2, 3, 32, 32)).preLogits().toFloats();
      VisionTransformer.Output got = start.forward(Tensor.of(plain, 2, 3, 32, 32));
      assertArrayEquals(expected, got.preLogits().toFloats(), 1e-4f);
      assertArrayEquals(
          new float[] {-2, -2, -2, -2, -2, -2},
          Objects.requireNonNull(got.logits()).toFloats());
    }
  }
}
