package dev.fovea.vit.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.kernels.Activation;
import dev.fovea.vit.model.VitConfig;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Configurations in timm's words mean the same when they are read again. */
final class TimmArgumentsTest {
  @Test
  void architecturesNeedNoArguments() {
    for (String name : TimmConfig.architectures()) {
      TimmArguments found = TimmArguments.of(TimmConfig.of(name)).orElseThrow();
      assertTrue(found.arguments().isEmpty(), found.toString());
    }
  }

  @Test
  void whatDiffersBecomesAnArgument() {
    VitConfig base = TimmConfig.of("vit_base_patch16_224");
    VitConfig odd = base.toBuilder()
        .imageHeight(90)
        .imageWidth(60)
        .patch(15)
        .shape(120, 3, 451, 5)
        .channels(1)
        .pool(VitConfig.Pool.MAP)
        .classToken(false)
        .registers(2)
        .prefixPositions(false)
        .qkvBias(false)
        .layerScale(true)
        .activation(Activation.GELU_TANH)
        .classes(7)
        .build();
    TimmArguments found = TimmArguments.of(odd).orElseThrow();
    VitConfig again =
        TimmConfig.change(found.architecture(), TimmConfig.of(found.architecture()), Settings.of(found.arguments()));
    assertEquals(odd, again.toBuilder().classes(7).build(), found.toString());
  }

  @Test
  void whatTimmHasNotIsSaid() {
    VitConfig base = TimmConfig.of("vit_base_patch16_224");
    assertEquals(
        Optional.empty(), TimmArguments.of(base.toBuilder().preLogits(5).build()));
    assertEquals(
        Optional.empty(),
        TimmArguments.of(base.toBuilder().positions(VitConfig.Positions.SINCOS).build()));
    assertEquals(
        Optional.empty(),
        TimmArguments.of(base.toBuilder().stem(VitConfig.Stem.HMLP).build()));
    assertEquals(
        Optional.empty(),
        TimmArguments.of(base.toBuilder().norm(VitConfig.Norm.layer(1e-12f)).build()));
  }
}
