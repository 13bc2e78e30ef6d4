package dev.fovea.vit.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The command line: what it prints where, and its exit codes. */
class FoveaTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(String... args) {
    return Fovea.run(new PrintWriter(out, true), new PrintWriter(err, true), args);
  }

  @Test
  void helpNamesTheCommands() {
    assertEquals(0, run("--help"));
    assertTrue(out.toString().startsWith("Usage: fovea"), out.toString());
    assertTrue(out.toString().contains("devices"), out.toString());
    assertEquals("", err.toString());
  }

  @Test
  void versionIsOneLine() {
    assertEquals(0, run("--version"));
    assertTrue(out.toString().matches("fovea \\S.*\\R"), out.toString());
  }

  @Test
  void devicesDescribesWhatIsHere() {
    assertEquals(0, run("devices"));
    List<String> lines = out.toString().lines().toList();
    assertTrue(lines.getFirst().startsWith("cpu: "), out.toString());
    assertTrue(lines.get(1).matches("cuda: no NVIDIA .*|cuda:0: .*"), out.toString());
    assertTrue(lines.getLast().matches("kernels for cuda: (built with CUDA \\d.*|not built.*)"), out.toString());
  }

  @Test
  void wrongUseIsExitCodeTwoAndSaysHow() {
    assertEquals(2, run("fly"));
    assertTrue(err.toString().contains("'fly'"), err.toString());
    assertEquals(2, run());
    assertTrue(err.toString().contains("Missing command"), err.toString());
    assertTrue(err.toString().contains("Usage: fovea"), err.toString());
    assertEquals("", out.toString());
  }

  @Test
  void errorsOfTheFileSystemBecomeSentences() {
    var absent = new NoSuchFileException("model-2.safetensors");
    assertEquals("model-2.safetensors: there is no such file", Errors.sentence(absent));
    assertEquals("model-2.safetensors: there is no such file", Errors.sentence(new UncheckedIOException(absent)));
    assertEquals("a: no permission", Errors.sentence(new AccessDeniedException("a")));
    assertEquals("runs: holds no run", Errors.sentence(new NoSuchFileException("runs", null, "holds no run")));
  }

  @Test
  void whatWasWrongIsNotBuriedUnderAllOptions() {
    assertEquals(2, run("train", "--steps=many"));
    assertEquals(
        List.of("Invalid value for option '--steps': 'many' is not a long", "See fovea train --help"),
        err.toString().lines().toList());
  }
}
