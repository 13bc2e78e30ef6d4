package dev.fovea.vit.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.vit.model.Costs.Part;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;
import org.junit.jupiter.params.provider.CsvSource;

/** Presets have the shapes, parameters and operations that the papers and their reference code state. */
final class PresetsTest {
  @ParameterizedTest
  @CsvFileSource(resources = "presets.csv", useHeadersInDisplayName = true)
  void agreesWithThePapers(
      String name,
      int width,
      int depth,
      int mlp,
      int heads,
      long trunk,
      long withMap,
      Double trunk224,
      Double trunk384,
      Double map224,
      Double map384,
      Double printed224,
      Double printed384) {
    VitConfig config = Presets.of(name);
    assertEquals(width, config.width());
    assertEquals(depth, config.depth());
    assertEquals(mlp, config.mlp());
    assertEquals(heads, config.heads());
    Map<Part, Long> parameters = Costs.of(config).parameters();
    assertEquals(
        withMap, parameters.values().stream().mapToLong(Long::longValue).sum());
    assertEquals(withMap, ParameterShapes.count(config));
    assertEquals(trunk, withMap - parameters.get(Part.POOL));
    Costs large = Costs.of(config.toBuilder().image(384).build());
    same(trunk224, Costs.of(config).trunkFlops());
    same(trunk384, large.trunkFlops());
    same(map224, Costs.of(config).flops());
    same(map384, large.flops());
    // Scaling ViT counts without the MAP head, "Getting ViT in shape" with it; both count some element-wise work.
    boolean shape = name.startsWith("So");
    near(printed224, shape ? Costs.of(config).flops() : Costs.of(config).trunkFlops(), width);
    near(printed384, shape ? large.flops() : large.trunkFlops(), width);
  }

  /** Equal to the digits that the table has. */
  private static void same(Double expected, long flops) {
    if (expected != null) {
      assertEquals(expected, flops / 1e9, expected > 1e4 ? 0.0501 : 0.00501);
    }
  }

  private static void near(Double printed, long flops, int width) {
    if (printed != null) {
      assertEquals(printed, flops / 1e9, Math.max(0.0501, printed * (width >= 768 ? 0.008 : 0.03)));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "B/16, 768, 16", "ViT-B/16, 768, 16", "vit-b/16, 768, 16", "b/8, 768, 8", "so400m/14, 1152, 14", "22b, 6144, 14",
    "ViT-22B/14, 6144, 14", "s/28, 256, 28", "S/32, 384, 32", "vit-S, 384, 16", "g, 1408, 14", "G/14, 1664, 14",
    "G-opt, 1536, 16", "TI/16, 192, 16", "e/14, 1792, 14", "mu/16, 32, 16"
  })
  void namesArePermissiveWhereTheyMayBe(String name, int width, int patch) {
    VitConfig config = Presets.of(name);
    assertEquals(width, config.width());
    assertEquals(patch, config.patchHeight());
    assertTrue(Presets.knows(name));
  }

  @Test
  void gAndGOptDifferInWidthAndDepth() {
    assertEquals(40, Presets.of("g-opt").depth());
    assertEquals(48, Presets.of("G-opt").depth());
    assertEquals(6144, Presets.of("g-opt").mlp());
    assertEquals(8192, Presets.of("G-opt").mlp());
  }

  /** Counts of SigLIP towers, as timm, transformers and big_vision have them. */
  @ParameterizedTest
  @CsvSource({
    "So400m/14, 384, 428225600",
    "So400m/14, 518, 428962880",
    "g-opt/16, 256, 1163168256",
    "L/16, 256, 315956224",
    "B/16, 224, 92884224"
  })
  void positionsGrowWithThePicture(String name, int size, long parameters) {
    assertEquals(
        parameters,
        ParameterShapes.count(Presets.of(name).toBuilder().image(size).build()));
  }

  @Test
  void everyNameOfTheListIsAPreset() {
    assertEquals(20, Presets.names().size());
    for (String name : Presets.names()) {
      assertTrue(ParameterShapes.count(Presets.of(name)) > 0, name);
    }
  }

  @Test
  void whatIsNoPresetIsRefused() {
    for (String name : new String[] {"", "XL/16", "B/", "/16", "B/16/2", "B/99999"}) {
      String message =
          assertThrows(IllegalArgumentException.class, () -> Presets.of(name)).getMessage();
      assertTrue(message.startsWith("preset: got " + name + ", expected one of [mu/16, Ti/16, s/16,"), message);
      assertFalse(Presets.knows(name));
    }
    assertThrows(IllegalArgumentException.class, () -> Presets.of("B/0"));
    assertThrows(IllegalArgumentException.class, () -> Presets.of("B/448"));
  }

  /** Parameters and multiply-adds of "Three things" (sections 3 and 5), which prints the latter as FLOPs. */
  @Test
  void deeperAndParallelModelsCostTheSame() {
    VitConfig base = Presets.of("B/16").toBuilder()
        .classToken(true)
        .prefixPositions(true)
        .pool(VitConfig.Pool.CLASS)
        .classes(1000)
        .build();
    assertEquals(86_567_656, ParameterShapes.count(base));
    assertEquals(17.564e9, Costs.of(base).multiplyAdds(), 1e6);
    VitConfig deep = base.toBuilder().depth(36).layerScale(true).build();
    VitConfig parallel = Things.parallel(deep, 2);
    assertEquals(256_731_880, ParameterShapes.count(deep));
    assertEquals(256_731_880, ParameterShapes.count(parallel));
    assertEquals(52.459e9, Costs.of(deep).multiplyAdds(), 1e6);
    assertEquals(Costs.of(deep).flops(), Costs.of(parallel).flops());
    VitConfig hmlp = base.toBuilder()
        .stem(VitConfig.Stem.HMLP)
        .stemNorm(VitConfig.Norm.layer(1e-6f))
        .build();
    assertEquals(749_952, Costs.of(hmlp).parameters().get(Part.PATCHES));
    assertEquals(590_592, Costs.of(base).parameters().get(Part.PATCHES));
    assertEquals(
        260.1e6 - 115.6e6, Costs.of(hmlp).multiplyAdds() - Costs.of(base).multiplyAdds(), 0.1e6);
  }
}
