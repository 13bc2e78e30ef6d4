package dev.fovea.vit.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.io.Safetensors;
import dev.fovea.tensor.io.TensorFile;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code fovea verify}: its table, and when it exits with what. */
final class VerifyCommandTest {
  private static final Path CASE = Path.of("src/test/cases/timm-vit-cls");
  private static final String INPUT = CASE.resolve("input.safetensors").toString();
  private static final String EXPECTED = CASE.resolve("expected.safetensors").toString();

  @TempDir
  Path folder;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(String... args) {
    return Fovea.run(new PrintWriter(out, true), new PrintWriter(err, true), args);
  }

  @Test
  void agreementIsPrintedAndExitsWithZero() {
    assertEquals(0, run("verify", CASE.toString(), "--input", INPUT, "--expect", EXPECTED), err.toString());
    String[] lines = out.toString().split("\\R");
    assertTrue(lines[0].matches("tensor +max error +relative *"), lines[0]);
    assertTrue(
        out.toString().matches("(?s).*\nlogits +\\d\\.\\d\\de-\\d\\d +\\d\\.\\d\\de-\\d\\d  ok\n.*"), out.toString());
    assertTrue(out.toString().contains("\ngrad.pos_embed "), out.toString());
    String last = lines[lines.length - 1];
    assertTrue(last.matches("(\\d+) of \\1 tensors within 1.0E-4"), last);
    assertEquals("", err.toString());
  }

  @Test
  void whatIsOverTheToleranceOrMissingExitsWithOne() throws IOException {
    assertEquals(1, run("verify", CASE.toString(), "--input", INPUT, "--expect", EXPECTED, "--tolerance", "0"));
    assertTrue(out.toString().contains("  over"), out.toString());
    out.getBuffer().setLength(0);
    Path odd = folder.resolve("odd.safetensors");
    try (TensorFile expected = TensorFile.open(Path.of(EXPECTED));
        Scope scope = Scope.open()) {
      Map<String, Tensor> tensors = new TreeMap<>();
      tensors.put("logits", expected.load("logits"));
      tensors.put("pre_logits", expected.load("logits"));
      tensors.put("grad.nothing", expected.load("loss"));
      Safetensors.write(odd, tensors);
    }
    assertEquals(1, run("verify", CASE.toString(), "--input", INPUT, "--expect", odd.toString()));
    assertTrue(out.toString().matches("(?s).*grad.nothing +missing\n.*"), out.toString());
    assertTrue(out.toString().contains("is [2, 96], expected [2, 7]"), out.toString());
    assertTrue(out.toString().contains("1 of 3 tensors within"), out.toString());
  }

  @Test
  void whatCannotBeReadExitsWithOneAndWrongUseWithTwo() {
    assertEquals(1, run("verify", "/no/such/model", "--input", INPUT, "--expect", EXPECTED));
    assertTrue(err.toString().contains("/no/such/model"), err.toString());
    assertEquals(1, run("verify", CASE.toString(), "--input", EXPECTED, "--expect", EXPECTED));
    assertTrue(err.toString().contains("got no pixel_values"), err.toString());
    assertEquals(2, run("verify", CASE.toString(), "--input", INPUT));
    assertTrue(err.toString().contains("--expect"), err.toString());
    assertEquals(2, run("verify", "--input", INPUT, "--expect", EXPECTED));
    assertEquals(2, run("verify", CASE.toString(), "--input", INPUT, "--expect", EXPECTED, "--tolerance", "-1"));
    assertTrue(err.toString().contains("--tolerance: got -1.0, expected at least 0"), err.toString());
  }
}
