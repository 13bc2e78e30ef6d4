package dev.fovea.vit.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.vit.model.VitConfig.Block;
import dev.fovea.vit.model.VitConfig.Norm;
import dev.fovea.vit.model.VitConfig.Pool;
import dev.fovea.vit.model.VitConfig.Stem;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Configurations: what is filled in, what is refused, and their way to JSON and back. */
final class VitConfigTest {
  @Test
  void theBuilderFillsIn() {
    VitConfig config = VitConfig.builder().width(384).heads(6).build();
    assertEquals(1536, config.mlp());
    assertEquals(6, config.poolHeads());
    assertEquals(1536, config.poolMlp());
    assertEquals(config.activation(), config.poolActivation());
    assertEquals(196, config.tokens());
    assertEquals(config, config.toBuilder().build());
    VitConfig mean = config.toBuilder().pool(Pool.MEAN).build();
    assertEquals(0, mean.poolHeads());
    assertEquals(config, mean.toBuilder().pool(Pool.MAP).build());
  }

  @Test
  void jsonHoldsEverything() {
    VitConfig odd = VitConfig.builder()
        .imageHeight(48)
        .imageWidth(80)
        .patchHeight(8)
        .patchWidth(16)
        .stem(Stem.HMLP)
        .stemNorm(Norm.layer(1e-5f))
        .shape(48, 4, 100, 3)
        .block(Block.THINGS)
        .branches(2)
        .norm(new Norm(true, false, 1e-6f))
        .qkNorm(Norm.rms(1e-6f))
        .dropPath(0.1f)
        .classToken(true)
        .pool(Pool.CLASS)
        .resampling(Resampling.BICUBIC)
        .preLogits(20)
        .classes(10)
        .build();
    assertEquals(odd, VitConfig.fromJson(odd.toJson()));
    assertEquals(VitConfig.builder().depth(3).build(), VitConfig.fromJson("{\"depth\": 3}"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"flux\": 1}|a field flux, expected one of [",
        "{\"heads\": 7}|heads: got 7, expected a divisor of the width, 768",
        "{\"heads\": null}|null",
        "{\"block\": \"ROUND\"}|ROUND",
        "{\"depth\": \"deep\"}|deep",
        "[1]|got no JSON object",
        "{|configuration: "
      })
  void jsonThatIsWrongIsRefused(String json, String reason) {
    String message = assertThrows(IllegalArgumentException.class, () -> VitConfig.fromJson(json))
        .getMessage();
    assertTrue(message.startsWith("configuration: ") && message.contains(reason), message);
  }

  @Test
  void whatDoesNotFitIsRefused() {
    refused("imageHeight: got 8, expected at least 16", b -> b.imageHeight(8));
    refused("heads: got 5, expected a divisor of the width, 768", b -> b.heads(5));
    refused(
        "patchWidth: got 14, expected a multiple of 4 for an HMLP stem",
        b -> b.stem(Stem.HMLP).patchWidth(14));
    refused("stemNorm: got one for a LINEAR stem, expected none", b -> b.stemNorm(Norm.layer(0)));
    refused(
        "mlp: got 77, expected an even number for a gated one",
        b -> b.gated(true).mlp(77));
    refused(
        "gated: got true for PARALLEL blocks, expected false",
        b -> b.gated(true).block(Block.PARALLEL));
    refused("branches: got 2 for SEQUENTIAL blocks, expected 1", b -> b.branches(2));
    refused("dropPath: got 1.0, expected a rate in [0, 1)", b -> b.dropPath(1));
    refused("pool: got CLASS without a class token, expected MEAN or MAP", b -> b.pool(Pool.CLASS));
    refused(
        "width: got 90, expected a multiple of 4 for SINCOS positions",
        b -> b.shape(90, 1, 8, 3).positions(VitConfig.Positions.SINCOS));
    assertThrows(IllegalArgumentException.class, () -> new Norm(false, true, 0));
    assertThrows(IllegalArgumentException.class, () -> new Norm(true, true, Float.NaN));
  }

  private static void refused(String message, UnaryOperator<VitConfigBuilder> change) {
    VitConfigBuilder builder = change.apply(VitConfig.builder());
    assertEquals(
        message, assertThrows(IllegalArgumentException.class, builder::build).getMessage());
  }

  @Test
  void stochasticDepthGrowsOrNot() {
    VitConfig grows = VitConfig.builder().dropPath(0.3f).depth(4).build();
    assertEquals(0, grows.dropPathOf(0));
    assertEquals(0.1f, grows.dropPathOf(1), 1e-6f);
    assertEquals(0.3f, grows.dropPathOf(3));
    assertEquals(0.3f, grows.toBuilder().dropPathGrows(false).build().dropPathOf(0));
    assertFalse(grows.toBuilder().depth(1).build().dropPathOf(0) > 0);
  }
}
