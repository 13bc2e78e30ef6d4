package dev.fovea.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.fovea.bench.report.Unavailable;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models where no peer's files are. */
class ModelBenchmarkTest {
  @TempDir
  Path home = Path.of("");

  private @Nullable String before;

  @BeforeEach
  void atHome() {
    before = System.setProperty("fovea.home", home.toString());
  }

  @AfterEach
  void back() {
    if (before == null) {
      System.clearProperty("fovea.home");
    } else {
      System.setProperty("fovea.home", before);
    }
  }

  private static ModelBenchmark tiny(String by, String pass) {
    ModelBenchmark benchmark = new ModelBenchmark();
    benchmark.model = "vit_tiny_patch16_224";
    benchmark.by = by;
    benchmark.pass = pass;
    benchmark.batch = 1;
    benchmark.threads = 1;
    return benchmark;
  }

  @Test
  void foveaDrawsItsOwnWeights() throws Exception {
    for (String pass : new String[] {"forward", "gradients"}) {
      ModelBenchmark benchmark = tiny("fovea", pass);
      benchmark.setup();
      benchmark.run();
      benchmark.tearDown();
    }
  }

  @Test
  void peersSayWhatFillsTheirCells() {
    Unavailable reason =
        assertThrows(Unavailable.class, () -> tiny("onnxruntime", "forward").setup());
    assertEquals(
        "bench/target/models/vit_tiny_patch16_224/model.onnx is not here; this writes it, where python3 has torch,"
            + " timm, onnx, onnxscript and safetensors: python3 bench/peers/export.py bench/target/models",
        reason.getMessage());
  }
}
