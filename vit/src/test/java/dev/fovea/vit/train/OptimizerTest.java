package dev.fovea.vit.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.Device;
import dev.fovea.tensor.Gradients;
import dev.fovea.tensor.Recompute;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.io.TensorFile;
import dev.fovea.tensor.ops.Ops;
import dev.fovea.vit.model.VisionTransformer;
import dev.fovea.vit.model.VitConfig;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Optimizers over several parameters, against PyTorch, optax and big_vision. */
final class OptimizerTest {
  private static final int STEPS = 6;
  private static final List<String> NAMES = List.of("matrix", "tensor4", "vector", "small");

  @TempDir
  static Path folder;

  private static Path file;

  @BeforeAll
  static void copy() throws IOException {
    file = folder.resolve("optimizers.safetensors");
    try (InputStream in = OptimizerTest.class.getResourceAsStream("optimizers.safetensors")) {
      Files.copy(in, file);
    }
  }

  /** Six steps on given gradients; elements beyond 1e-6 are those whose momentum's rounding fell the other way. */
  private static void check(
      String rule, double ifFlipped, Function<List<Parameter>, Optimizer> made, double decay, double rate)
      throws IOException {
    long before = Device.cpu().memory().current();
    try (TensorFile given = TensorFile.open(file);
        Scope scope = Scope.open()) {
      List<Parameter> parameters = new ArrayList<>();
      for (String name : NAMES) {
        parameters.add(new Parameter(name, given.load("param." + name), 1, decay));
      }
      try (Optimizer optimizer = made.apply(parameters)) {
        for (int step = 0; step < STEPS; step++) {
          for (Parameter parameter : parameters) {
            Tensor gradient = given.load("grad." + step + "." + parameter.name());
            optimizer.step(parameter, gradient, rate, step + 1);
            compare(given, rule + "." + step + "." + parameter.name(), parameter.value(), ifFlipped);
          }
        }
      }
    }
    assertEquals(before, Device.cpu().memory().current(), "bytes left");
  }

  private static void compare(TensorFile given, String name, Tensor value, double ifFlipped) throws IOException {
    float[] expected = given.load(name).toFloats();
    float[] got = value.toFloats();
    int flips = 0;
    for (int i = 0; i < got.length; i++) {
      double error = Math.abs(expected[i] - got[i]);
      flips += error <= 1e-6 ? 0 : 1;
      assertTrue(error <= Math.max(1e-6, ifFlipped), name + " at " + i + ": " + error);
    }
    assertTrue(flips <= got.length / 500, name + ": " + flips);
  }

  @Test
  void adamW() throws IOException {
    var settings = new AdamW.Settings(0.9, 0.95, 1e-8, DType.F32);
    check("adamw", 0, parameters -> new AdamW(parameters, settings), 0.05, 0.01);
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F32", "BF16"})
  void adafactor(DType moment) throws IOException {
    var settings = new Adafactor.Settings(0.9, 0.8, 0.999, 1e-30, moment);
    String rule = moment == DType.F32 ? "adafactor_f32" : "adafactor_bf16";
    Factoring factoring = (name, shape) -> Factoring.plain(shape);
    check(rule, moment == DType.F32 ? 0 : 5e-5, list -> new Adafactor(list, settings, factoring), 0, 0.01);
  }

  @Test
  void sgdWithDecoupledDecay() {
    try (Scope scope = Scope.open()) {
      Tensor value = Tensor.of(new float[] {1, -2}, 2);
      Parameter parameter = new Parameter("x", value, 0.5, 0.1);
      try (Optimizer sgd = new Sgd(List.of(parameter), new Sgd.Settings(0.9, false, DType.F32))) {
        float[] expected = {1, -2};
        double[] m = {0, 0};
        for (int step = 1; step <= 3; step++) {
          sgd.step(parameter, Tensor.of(new float[] {step, 1}, 2), 0.2, step);
          for (int i = 0; i < 2; i++) {
            m[i] = 0.9 * m[i] + (i == 0 ? step : 1);
            expected[i] = (float) (expected[i] * (1 - 0.1 * 0.1) - 0.1 * m[i]);
          }
        }
        assertEquals(expected[0], value.toFloats()[0], 1e-6);
        assertEquals(expected[1], value.toFloats()[1], 1e-6);
      }
    }
  }

  /** With a factor on the device, gradients have at most the given norm together. */
  @Test
  void clipsAllGradientsTogether() {
    try (Scope scope = Scope.open()) {
      Tensor a = Tensor.of(new float[] {1, 1, 1, 1}, 4).trainable();
      Tensor b = Tensor.of(new float[] {1}, 1).trainable();
      List<Parameter> parameters = List.of(new Parameter("a", a, 1, 0), new Parameter("b", b, 1, 0));
      try (Tape tape = Tape.record(Recompute.NONE);
          Optimizer sgd = new Sgd(parameters, new Sgd.Settings(0, false, DType.F32))) {
        Tensor ones = Tensor.of(new float[] {1, 1}, 1, 2);
        Tensor loss =
            Ops.sigmoidCrossEntropy(Ops.scale(a.reshape(2, 2), 4), Tensor.zeros(Shape.of(2, 2), DType.F32), 0);
        Tensor other = Ops.sigmoidCrossEntropy(b.reshape(1, 1), Tensor.zeros(Shape.of(1, 1), DType.F32), 0);
        try (Gradients gradients = tape.backward(Ops.add(loss, other))) {
          Tensor squares = GlobalNorm.sumOfSquares(parameters, gradients);
          double norm = Math.sqrt(squares.item());
          assertTrue(norm > 1, "norm " + norm);
          float first = gradients.of(a).toFloats()[0];
          sgd.step(gradients, GlobalNorm.clipFactor(squares, 0.5), 1, 1);
          assertEquals(1 - first * 0.5 / norm, a.toFloats()[0], 1e-6);
        }
        assertEquals(2, ones.shape().count());
      }
    }
  }

  /** Every element of every parameter is in exactly one part; attention's weights have a matrix for each head. */
  @ParameterizedTest
  @EnumSource(VitConfig.Block.class)
  void factorsCoverEveryElementOnce(VitConfig.Block block) {
    VitConfig config = VitConfig.builder()
        .image(64)
        .patch(32)
        .shape(128, 1, 160, 2)
        .block(block)
        .branches(block == VitConfig.Block.THINGS ? 2 : 1)
        .pool(VitConfig.Pool.MAP)
        .classes(40)
        .build();
    Factoring factoring = Factoring.of(config);
    try (VisionTransformer model = VisionTransformer.create(config, 1)) {
      model.parameters().forEach((name, tensor) -> {
        int[] seen = new int[(int) tensor.shape().count()];
        for (Factoring.Part part : factoring.parts(name, tensor.shape())) {
          mark(seen, part);
        }
        for (int i = 0; i < seen.length; i++) {
          assertEquals(1, seen[i], name + " at " + i);
        }
      });
      assertEquals(
          6,
          factoring
              .parts("blocks.0.attn.qkv.weight", Shape.of(384, 128))
              .getFirst()
              .factors()
              .batch());
      assertEquals(
          2,
          factoring
              .parts("pool.proj.weight", Shape.of(128, 128))
              .getFirst()
              .factors()
              .batch());
    }
  }

  private static void mark(int[] seen, Factoring.Part part) {
    var f = part.factors();
    if (f == null) {
      for (long i = 0; i < part.count(); i++) {
        seen[(int) (part.first() + i)]++;
      }
      return;
    }
    for (int b = 0; b < f.batch(); b++) {
      for (int r = 0; r < f.rows(); r++) {
        for (int c = 0; c < f.columns(); c++) {
          long at = b * f.batchStride() + r * f.rowStride() + c;
          assertTrue(at < part.count());
          seen[(int) (part.first() + at)]++;
        }
      }
    }
  }

  /** Queries of one head move as a matrix of their own would. */
  @Test
  void factorsEachHead() {
    VitConfig config =
        VitConfig.builder().image(32).patch(16).shape(64, 1, 64, 2).build();
    try (Scope scope = Scope.open()) {
      Tensor fused = Tensor.normal(Shape.of(192, 64), DType.F32, 1, 1);
      Tensor gradient = Tensor.normal(Shape.of(192, 64), DType.F32, 1, 2);
      float[] start = fused.toFloats();
      Tensor head = Tensor.empty(Shape.of(32, 64), DType.F32);
      head.copyFrom(fused.narrow(32, 32));
      var settings = Adafactor.Settings.DEFAULT;
      Parameter whole = new Parameter("blocks.0.attn.qkv.weight", fused, 1, 0);
      Parameter alone = new Parameter("head", head, 1, 0);
      try (Optimizer all = new Adafactor(List.of(whole), settings, Factoring.of(config));
          Optimizer one = new Adafactor(List.of(alone), settings, (name, shape) -> Factoring.plain(shape))) {
        for (int step = 1; step <= 3; step++) {
          all.step(whole, gradient, 0.1, step);
          one.step(alone, gradient.narrow(32, 32), 0.1, step);
        }
        assertEquals(
            Map.of(
                "m.blocks.0.attn.qkv.weight",
                Shape.of(192, 64),
                "row.blocks.0.attn.qkv.weight",
                Shape.of(6, 32),
                "column.blocks.0.attn.qkv.weight",
                Shape.of(6, 64)),
            shapes(all.state()));
      }
      float[] moved = fused.toFloats();
      float[] expected = head.toFloats();
      for (int i = 0; i < expected.length; i++) {
        assertEquals(expected[i], moved[32 * 64 + i], 1e-6);
      }
      assertTrue(start[0] != moved[0]);
    }
  }

  private static Map<String, Shape> shapes(Map<String, Tensor> tensors) {
    Map<String, Shape> shapes = new java.util.HashMap<>();
    tensors.forEach((name, tensor) -> shapes.put(name, tensor.shape()));
    return shapes;
  }

  @Test
  void whatDecays() {
    VitConfig config =
        VitConfig.builder().image(32).patch(16).shape(64, 1, 64, 2).classes(3).build();
    try (VisionTransformer model = VisionTransformer.create(config, 1)) {
      for (Parameter parameter : Parameter.of(model, 0.03, 3, name -> true)) {
        double expected = switch (parameter.name()) {
          case "head.weight" -> 3;
          case "positions", "pool.probe" -> 0;
          default -> parameter.value().shape().rank() == 2 ? 0.03 : 0;
        };
        assertEquals(expected, parameter.decay(), parameter.name());
      }
    }
  }
}
