package dev.fovea.vit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fovea.tensor.Device;
import dev.fovea.tensor.Recompute;
import dev.fovea.tensor.io.TensorFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Models that other libraries made: their outputs, losses and every parameter's gradient, which they computed in
 * float64, are matched. One of each family belongs to the project; more stand beside it on some machines.
 */
final class FixtureContractTest {
  private static final double TOLERANCE = 1e-5;
  static final Path OWN = Path.of("src/test/cases");

  @TestFactory
  Stream<DynamicTest> ownCases() throws IOException {
    return cases(OWN, FixtureContractTest::check);
  }

  /** Kinds of models of which no case of another library is at hand, by its definition in numpy. */
  @TestFactory
  Stream<DynamicTest> madeCases() throws IOException {
    return cases(OWN.resolve("made"), FixtureContractTest::check);
  }

  @TestFactory
  Stream<DynamicTest> casesBesideTheRepository() throws IOException {
    Path folder = beside();
    assumeTrue(folder != null, "no shared/fixtures beside the repository");
    return cases(folder, FixtureContractTest::check);
  }

  @Test
  void theProjectHasACaseOfEveryFamily() throws IOException {
    assertEquals(
        List.of("big-vision-map", "hf-dinov2", "hf-siglip-vision", "hf-vit", "timm-vit-cls"),
        cases(OWN, FixtureContractTest::check).map(DynamicTest::getDisplayName).toList());
  }

  /** What is done with the folder of one model. */
  interface Check {
    void on(Path folder) throws IOException;
  }

  static Stream<DynamicTest> cases(Path folder, Check check) throws IOException {
    try (Stream<Path> all = Files.list(folder)) {
      return all.filter(at -> Files.exists(at.resolve("expected.safetensors"))).sorted().toList().stream()
          .map(at -> DynamicTest.dynamicTest(at.getFileName().toString(), () -> check.on(at)));
    }
  }

  private static void check(Path folder) throws IOException {
    long before = Device.cpu().memory().current();
    try (TensorFile input = TensorFile.open(folder.resolve("input.safetensors"));
        TensorFile expected = TensorFile.open(folder.resolve("expected.safetensors"));
        Vit vit = Vit.load(folder)) {
      List<Verification.Result> results = Verification.run(vit, input, expected);
      assertEquals(
          List.of(),
          results.stream().filter(result -> !result.within(TOLERANCE)).toList());
      assertEquals(expected.names().size(), results.size());
      Map<String, Verification.Values> first = Verification.outputs(vit, input, Recompute.NONE);
      for (Recompute policy : Recompute.values()) {
        same(first, Verification.outputs(vit, input, policy));
      }
      first.keySet().stream()
          .filter(name -> name.startsWith("grad."))
          .forEach(name -> assertTrue(vit.weights().names().contains(name.substring("grad.".length())), name));
    }
    assertEquals(before, Device.cpu().memory().current(), "bytes left");
  }

  /** Bit for bit. */
  private static void same(Map<String, Verification.Values> first, Map<String, Verification.Values> again) {
    assertEquals(new TreeSet<>(first.keySet()), new TreeSet<>(again.keySet()));
    first.forEach((key, values) -> assertArrayEquals(values.elements, again.get(key).elements, key));
  }

  static Path beside() {
    for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
      Path folder = at.resolve("shared/fixtures");
      if (Files.isDirectory(folder)) {
        return folder;
      }
    }
    return null;
  }
}
