package dev.fovea.vit.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fovea.kernels.cuda.KernelBuild;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code fovea evidence} prints. */
final class EvidenceCommandTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(String... args) {
    return Fovea.run(new PrintWriter(out, true), new PrintWriter(err, true), args);
  }

  private static KernelBuild.Family random() {
    KernelBuild build = KernelBuild.find();
    assumeTrue(build != null, "the build found no nvcc, so there are no GPU kernels to tell about");
    return build.families().stream()
        .filter(family -> family.name().equals("random"))
        .findFirst()
        .orElseThrow();
  }

  private static Path write(Path folder, String sources, int failed) throws IOException {
    return Files.writeString(folder.resolve("gpu.json"), """
        {"gpu": "Some GPU", "capability": "9.0", "driver": "CUDA 13.0", "date": "2026-01-01", "fovea": "abc",
         "limits": {"copy": {"rate": 4.1, "unit": "TB/s", "by": "PyTorch"}},
         "kernels": [{"family": "random", "kernel": "random_fill", "sources": "%s", "cases": 12, "failed": %d,
                      "ofTolerance": 0.25}],
         "models": [{"shape": "hf-vit", "status": "passed", "error": 1e-6}],
         "times": [{"kernel": "random.bits", "shape": "4194304", "micros": 10, "rate": 1.6, "unit": "TB/s",
                    "ofLimit": 0.39, "peers": {"PyTorch": 15}}],
         "failures": [{"kernel": "norm.forward", "shape": "layer", "message": "wrong"}]}
        """.formatted(sources, failed));
  }

  @Test
  void kernelsOfUnchangedSourcesAreVerified(@TempDir Path folder) throws IOException {
    assertEquals(
        0, run("evidence", "--times", write(folder, random().sources(), 0).toString()));
    for (String part : new String[] {
      "Some GPU, compute capability 9.0, driver for CUDA 13.0, 2026-01-01, Fovea abc",
      "random: 1 of 1 kernels verified (12 cases, errors up to 25 % of the tolerance)",
      "  pending: gemm_",
      "all: 1 verified, 0 failed, 0 stale, ",
      "model hf-vit: passed, off by 1.0e-06 of the largest value",
      "failed: norm.forward layer: wrong",
      "| random.bits 4194304 | 10.0 | 1.600 TB/s | 39 % | PyTorch 1.50 |"
    }) {
      assertTrue(out.toString().contains(part), part + " in\n" + out);
    }
  }

  @Test
  void changedSourcesAreStaleAndWrongResultsAreFailed(@TempDir Path folder) throws IOException {
    random();
    assertEquals(0, run("evidence", write(folder, "0123456789abcdef", 0).toString()));
    assertTrue(out.toString().contains("  stale: random_fill"), out.toString());
    assertEquals(0, run("evidence", write(folder, random().sources(), 1).toString()));
    assertTrue(out.toString().contains("  failed: random_fill"), out.toString());
  }

  @Test
  void withoutEvidenceAllIsPending(@TempDir Path folder) {
    random();
    String before = System.setProperty("fovea.home", folder.toString());
    try {
      assertEquals(0, run("evidence"));
    } finally {
      if (before == null) {
        System.clearProperty("fovea.home");
      } else {
        System.setProperty("fovea.home", before);
      }
    }
    assertTrue(out.toString().startsWith("no evidence yet: no kernel has run on a real GPU"), out.toString());
    assertTrue(out.toString().contains("all: 0 verified, 0 failed, 0 stale, "), out.toString());
  }

  @Test
  void aFileOfSomethingElseIsRefused(@TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("x.json"), "{}");
    assertEquals(1, run("evidence", file.toString()));
    assertTrue(err.toString().contains("got no evidence"), err.toString());
    assertEquals(1, run("evidence", folder.resolve("none.json").toString()));
    assertTrue(err.toString().contains("none.json"), err.toString());
  }
}
