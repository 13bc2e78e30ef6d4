package dev.fovea.vit.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.Device;
import dev.fovea.tensor.Gradients;
import dev.fovea.tensor.Recompute;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.ops.Ops;
import dev.fovea.vit.model.VitConfig.Norm;
import dev.fovea.vit.model.VitConfig.Pool;
import dev.fovea.vit.model.VitConfig.Positions;
import dev.fovea.vit.model.VitConfig.Stem;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Filling in hidden patches: what is seen, what is predicted, and the slopes of the loss. */
final class MaskedModelTest {
  private static final int BATCH = 2;
  private static final int HEIGHT = 24;
  private static final int WIDTH = 17;

  /** Three rows of two patches; two pixel rows and columns are left over at the right. */
  private static final PatchMask MASK = new PatchMask(6, new int[] {0, 3, 4}, new int[] {1, 2, 5});

  private static VitConfigBuilder vit(Stem stem) {
    return VitConfig.builder()
        .imageHeight(HEIGHT)
        .imageWidth(WIDTH)
        .patch(8)
        .shape(16, 2, 24, 2)
        .stem(stem)
        .stemNorm(stem == Stem.HMLP ? Norm.layer(1e-6f) : null)
        .pool(Pool.MEAN);
  }

  private static Tensor pictures() {
    return Tensor.normal(Shape.of(BATCH, 3, HEIGHT, WIDTH), DType.F32, 1, 5);
  }

  static List<MaskedConfig> kinds() {
    List<MaskedConfig> kinds = new ArrayList<>();
    kinds.add(MaskedConfig.tokens(vit(Stem.LINEAR).build(), false));
    kinds.add(MaskedConfig.tokens(
        vit(Stem.HMLP)
            .classToken(true)
            .registers(1)
            .prefixPositions(true)
            .preNorm(Norm.layer(1e-6f))
            .build(),
        true));
    kinds.add(new MaskedConfig(
        vit(Stem.LINEAR).classToken(true).registers(1).prefixPositions(true).build(), true, 1, 8, 2));
    kinds.add(new MaskedConfig(vit(Stem.HMLP).positions(Positions.SINCOS).build(), false, 2, 12, 3));
    return kinds;
  }

  /** Away from the zeros and ones that parameters start from. */
  private static MaskedModel model(MaskedConfig config) {
    MaskedModel model = MaskedModel.create(config, Initialisation.of(3), Device.cpu());
    int seed = 100;
    try (Scope scope = Scope.open()) {
      for (Tensor parameter : model.parameters().values()) {
        Tensor noise = Tensor.normal(parameter.shape(), DType.F32, 0.2f, seed++);
        parameter.device().kernels().elementwise().combine(1, parameter.span(), 1, noise.span(), parameter.span());
      }
    }
    return model;
  }

  /** Every token of the stem is made of its own patch alone: what is hidden may be hidden before or after. */
  @ParameterizedTest
  @EnumSource
  void maskingBeforeAndAfterTheStemIsTheSame(Stem stem) {
    VitConfig config = vit(stem).build();
    try (VisionTransformer vit = VisionTransformer.create(config, 1);
        Scope scope = Scope.open()) {
      Embedding embedding = Embedding.of(new Parameters(vit.parameters()), config);
      Tensor maskToken = Tensor.normal(Shape.of(1, 16), DType.F32, 1, 2);
      float[] before = embedding.on(pictures(), MASK, maskToken).toFloats();
      Tensor tokens = Stems.of(new Parameters(vit.parameters()), config).on(pictures());
      float[] after = tokens.toFloats();
      float[] mask = maskToken.toFloats();
      for (int row : MASK.hidden()) {
        System.arraycopy(mask, 0, after, row * 16, 16);
      }
      float[] assembled = Ops.assemble(Tensor.of(after, BATCH, 6, 16), null, embedding.positions())
          .toFloats();
      assertArrayEquals(assembled, before, "mask tokens");
      float[] dropped = embedding.on(pictures(), MASK, null).toFloats();
      int at = 0;
      for (int row : MASK.visible()) {
        assertArrayEquals(
            Arrays.copyOfRange(assembled, row * 16, row * 16 + 16), Arrays.copyOfRange(dropped, at, at + 16));
        at += 16;
      }
    }
  }

  /** The values of hidden patches change nothing but the targets, and those of visible ones change predictions. */
  @ParameterizedTest(name = "{index}")
  @MethodSource("kinds")
  void hiddenPatchesAreNotSeen(MaskedConfig config) {
    try (MaskedModel model = model(config);
        Scope scope = Scope.open()) {
      Tensor pictures = pictures();
      float[] before = model.predict(pictures, MASK, null).toFloats();
      float[] targets = model.targets(pictures, MASK).toFloats();
      assertEquals(6 * 3 * 64, before.length);
      float[] pixels = pictures.toFloats();
      pixels[3] += 2; // Patch 0 of picture 0 is hidden.
      assertArrayEquals(
          before,
          model.predict(Tensor.of(pixels, pictures.shape().dims()), MASK, null).toFloats());
      float[] others =
          model.targets(Tensor.of(pixels, pictures.shape().dims()), MASK).toFloats();
      assertTrue(others[3] != targets[3]);
      pixels[8] += 2; // Patch 1 is not.
      float[] after =
          model.predict(Tensor.of(pixels, pictures.shape().dims()), MASK, null).toFloats();
      for (int row = 0; row < 6; row++) {
        boolean same = Arrays.equals(before, row * 192, row * 192 + 192, after, row * 192, row * 192 + 192);
        assertEquals(row >= 3, same, "hidden patch " + row);
      }
    }
  }

  @ParameterizedTest(name = "{index}")
  @MethodSource("kinds")
  void gradientsAreSlopes(MaskedConfig config) {
    try (MaskedModel model = model(config);
        Scope scope = Scope.open()) {
      model.parameters().values().forEach(Tensor::trainable);
      Tensor pictures = pictures();
      Map<String, float[]> first = new HashMap<>();
      for (Recompute policy : Recompute.values()) {
        try (Tape tape = Tape.record(policy);
            Gradients gradients = tape.backward(model.loss(pictures, MASK, new Training(1, 1)))) {
          model.parameters().forEach((name, parameter) -> {
            float[] gradient = gradients.of(parameter).toFloats();
            assertArrayEquals(first.computeIfAbsent(name, absent -> gradient), gradient, policy + ", " + name);
          });
        }
      }
      first.forEach((name, gradient) -> slope(model, pictures, name, gradient));
    }
  }

  /** Along a random direction, by central differences. */
  private static void slope(MaskedModel model, Tensor pictures, String name, float[] g) {
    Tensor parameter = model.parameters().get(name);
    try (Scope scope = Scope.open()) {
      float[] value = parameter.toFloats();
      float[] direction =
          Tensor.normal(parameter.shape(), DType.F32, 1, name.hashCode()).toFloats();
      double length = Math.sqrt(value.length);
      double expected = 0;
      double size = 0;
      for (int i = 0; i < g.length; i++) {
        expected += g[i] * direction[i] / length;
        size += (double) g[i] * g[i];
      }
      double step = 2e-2;
      double up = at(model, pictures, parameter, value, direction, step / length);
      double down = at(model, pictures, parameter, value, direction, -step / length);
      parameter.copyFrom(value);
      double slope = (up - down) / (2 * step);
      assertEquals(slope, expected, 2e-2 * Math.sqrt(size) + 2e-4, name);
    }
  }

  private static double at(
      MaskedModel model, Tensor pictures, Tensor parameter, float[] value, float[] direction, double step) {
    float[] moved = value.clone();
    for (int i = 0; i < moved.length; i++) {
      moved[i] += (float) (step * direction[i]);
    }
    parameter.copyFrom(moved);
    try (Scope scope = Scope.open()) {
      return model.loss(pictures, MASK, null).item();
    }
  }

  /** A patch less its mean over its deviation; what is filled in is brought back to the picture's own values. */
  @Test
  void targetsAreNormalisedByPatch() {
    MaskedConfig config = kinds().get(2);
    try (MaskedModel model = model(config);
        Scope scope = Scope.open()) {
      Tensor pictures = pictures();
      float[] targets = model.targets(pictures, MASK).toFloats();
      for (int row = 0; row < 6; row++) {
        double sum = 0;
        double squares = 0;
        for (int i = row * 192; i < (row + 1) * 192; i++) {
          sum += targets[i];
          squares += targets[i] * targets[i];
        }
        assertEquals(0, sum / 192, 1e-5);
        assertEquals(1, squares / 192, 1e-4);
      }
      // With a last layer of zeros, every hidden patch becomes its own mean; what is visible stays.
      for (String name : new String[] {"decoder.pixels.weight", "decoder.pixels.bias"}) {
        Tensor parameter = model.parameters().get(name);
        parameter.copyFrom(new float[Math.toIntExact(parameter.shape().count())]);
      }
      float[] filled = model.fill(pictures, MASK);
      float[] pixels = pictures.toFloats();
      assertEquals(filled[0], filled[7 * WIDTH + 7], 1e-5);
      assertArrayEquals(Arrays.copyOfRange(pixels, 8, 17), Arrays.copyOfRange(filled, 8, 17));
    }
  }

  @Test
  void saysWhatIsWrong() {
    VitConfig vit = vit(Stem.LINEAR).build();
    message(
        "vit: got a classifier",
        () -> MaskedConfig.tokens(vit.toBuilder().classes(3).build(), false));
    message("decoderWidth: got 10, expected a positive multiple of 4", () -> new MaskedConfig(vit, false, 1, 10, 2));
    message(
        "decoderHeads: got 3, expected a divisor of the decoder's width, 8",
        () -> new MaskedConfig(vit, false, 1, 8, 3));
    message("hidden: got 2 of 2 patches", () -> new PatchMask(2, new int[] {0, 1}));
    message(
        "hidden: got other patches of picture 1, expected 2", () -> new PatchMask(4, new int[] {0, 1}, new int[] {2}));
    message("hidden: got other patches of picture 0", () -> new PatchMask(4, new int[] {1, 1}));
    message("hidden: got no picture", () -> new PatchMask(4));
    message("mask_token: got none, expected [1, 16]", () -> new MaskedModel(MaskedConfig.tokens(vit, false), Map.of()));
    try (MaskedModel model = MaskedModel.create(MaskedConfig.tokens(vit, false), Initialisation.of(1), Device.cpu());
        Scope scope = Scope.open()) {
      PatchMask other = new PatchMask(6, new int[] {1});
      message(
          "mask: got one for 1 pictures of 6 patches, expected 2 of 6", () -> model.predict(pictures(), other, null));
    }
  }

  private static void message(String part, org.junit.jupiter.api.function.Executable action) {
    IllegalArgumentException e = assertThrows(IllegalArgumentException.class, action);
    assertTrue(e.getMessage().contains(part), e.getMessage());
  }
}
