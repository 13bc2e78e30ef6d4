package dev.fovea.bench.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Peers that scripts time. */
class ScriptTrialTest {
  private static final Subject SUBJECT = new Subject("models", "run", Map.of(), "pytorch", 1);

  @TempDir
  Path home = Path.of("");

  private final ByteArrayOutputStream log = new ByteArrayOutputStream();
  private @Nullable String before;
  private int steps;

  @BeforeEach
  void atHome() throws IOException {
    before = System.setProperty("fovea.home", home.toString());
    Files.createDirectories(home.resolve("bench/peers"));
    try {
      new ProcessBuilder("python3", "-c", "pass").start();
    } catch (IOException e) {
      assumeTrue(false, "python3 is not here");
    }
  }

  @AfterEach
  void back() {
    if (before == null) {
      System.clearProperty("fovea.home");
    } else {
      System.setProperty("fovea.home", before);
    }
  }

  private Result run(String script) throws Exception {
    Files.writeString(home.resolve("bench/peers/peer.py"), script);
    return new ScriptTrial(SUBJECT, "peer.py", List.of("some", "words"), 0)
        .run(Effort.QUICK, new PrintStream(log, true, StandardCharsets.UTF_8), () -> steps++);
  }

  @Test
  void samplesAreRead() throws Exception {
    Result result = run("""
        import sys
        print(sys.argv[1:])
        print('@samples {"samples": [2.5, 3], "extras": {"peakBytes": 7}}')
        """);
    assertEquals(Result.of(SUBJECT, List.of(List.of(2.5, 3.0)), Map.of(Extra.PEAK_BYTES, 7.0)), result);
    assertEquals(Effort.QUICK.warmups() + Effort.QUICK.iterations(), steps);
    assertTrue(log.toString(StandardCharsets.UTF_8).contains("['some', 'words', '--warmups=2'"), log::toString);
  }

  @Test
  void whatIsMissingLeavesABlankAndWhatFailsIsAnError() {
    var missing = assertThrows(Unavailable.class, () -> run("print('pip install torch'); raise SystemExit(4)"));
    assertEquals("pip install torch", missing.getMessage());
    var failed = assertThrows(IllegalStateException.class, () -> run("print('no memory'); raise SystemExit(1)"));
    assertEquals("peer.py ended with 1: no memory", failed.getMessage());
  }
}
