package dev.fovea.vit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fovea.tensor.Device;
import dev.fovea.tensor.Gradients;
import dev.fovea.tensor.Recompute;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Tape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.io.TensorFile;
import dev.fovea.tensor.ops.Ops;
import dev.fovea.vit.model.VisionTransformer.Output;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Models that other libraries made: their outputs, losses and every parameter's gradient, in float64, are matched. */
final class FixtureTest {
  private static final double TOLERANCE = 1e-5;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "timm-vit-cls",
        "timm-so400m-map",
        "timm-so150m-reg-gap",
        "timm-gigantic",
        "timm-parallel-22b",
        "timm-parallel-things"
      })
  void agreesWithItsOwnLibrary(String name) throws IOException {
    Path folder = fixtures().resolve(name);
    long before = Device.cpu().memory().current();
    Map<String, float[]> first = run(folder, Recompute.NONE);
    for (Recompute policy : Recompute.values()) {
      Map<String, float[]> again = run(folder, policy);
      assertEquals(new TreeSet<>(first.keySet()), new TreeSet<>(again.keySet()));
      first.forEach((key, values) -> assertArrayEquals(values, again.get(key), key));
    }
    compare(folder, first);
    assertEquals(before, Device.cpu().memory().current(), "bytes left");
  }

  private static Map<String, float[]> run(Path folder, Recompute policy) throws IOException {
    Map<String, float[]> found = new HashMap<>();
    try (TensorFile input = TensorFile.open(folder.resolve("input.safetensors"));
        Vit vit = Vit.load(folder);
        Scope scope = Scope.open();
        Tape tape = Tape.record(policy)) {
      vit.model().parameters().values().forEach(Tensor::trainable);
      Output output = vit.forward(input.load("pixel_values"));
      found.put("features", output.features().toFloats());
      found.put("pre_logits", output.preLogits().toFloats());
      found.put("logits", output.logits().toFloats());
      Tensor loss = Ops.softmaxCrossEntropy(output.logits(), input.load("labels"), 0);
      found.put("loss", loss.toFloats());
      try (Gradients gradients = tape.backward(loss)) {
        Map<String, Tensor> ours = new HashMap<>();
        vit.model().parameters().forEach((name, parameter) -> ours.put(name, gradients.of(parameter)));
        vit.weights().split(ours).forEach((name, gradient) -> found.put("grad." + name, gradient.toFloats()));
      }
    }
    return found;
  }

  private static void compare(Path folder, Map<String, float[]> found) throws IOException {
    StringBuilder wrong = new StringBuilder();
    try (TensorFile expected = TensorFile.open(folder.resolve("expected.safetensors"));
        Scope scope = Scope.open()) {
      for (String name : expected.names()) {
        float[] e = expected.load(name).toFloats();
        float[] g = found.get(name);
        assertNotNull(g, name);
        assertEquals(e.length, g.length, name);
        // Some gradients are zero but for rounding, as that of a bias on all keys: softmax does not see it.
        double scale = 1e-2;
        double error = 0;
        for (int i = 0; i < e.length; i++) {
          scale = Math.max(scale, Math.abs(e[i]));
          error = Math.max(error, Math.abs(e[i] - g[i]));
        }
        if (!(error <= TOLERANCE * scale)) {
          wrong.append("\n%s: error %.2e of scale %.2e".formatted(name, error, scale));
        }
      }
      assertTrue(expected.names().size() >= 4);
    }
    if (!wrong.isEmpty()) {
      fail(folder.getFileName() + wrong.toString());
    }
  }

  /** The reference cases stand beside the repository; without them there is nothing to compare with. */
  private static Path fixtures() {
    for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
      Path folder = at.resolve("shared/fixtures");
      if (Files.isDirectory(folder)) {
        return folder;
      }
    }
    assumeTrue(false, "no shared/fixtures beside the repository");
    throw new AssertionError();
  }
}
