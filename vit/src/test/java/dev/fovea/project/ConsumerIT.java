package dev.fovea.project;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A program of somebody else (src/it/consumer), compiled against the packaged jars and run in every supported way. */
class ConsumerIT {
  private static final Path SOURCES = Path.of("src", "it", "consumer");
  private static final String MAIN = "org.example.consumer.Main";

  @TempDir
  private static Path classes;

  private static String jars;

  @BeforeAll
  static void compile() throws IOException, InterruptedException {
    jars = String.join(File.pathSeparator, jars());
    Jdk.Result result = Jdk.javac(
        "-Xlint:all,-incubating,-try",
        "-Werror",
        "-p",
        jars,
        "-d",
        classes.toString(),
        SOURCES.resolve("module-info.java").toString(),
        SOURCES.resolve("org/example/consumer/Main.java").toString());
    assertEquals(0, result.exitCode(), result.out() + result.err());
  }

  /** The packaged jar of this module and the jars beside which the launcher puts it. */
  private static List<String> jars() throws IOException {
    try (Stream<Path> libraries = Files.list(Path.of("target", "lib"))) {
      List<String> jars = Stream.concat(Stream.of(Path.of(System.getProperty("fovea.jar"))), libraries)
          .map(Path::toString)
          .sorted()
          .toList();
      assertTrue(jars.stream().anyMatch(jar -> jar.contains("fovea-kernels")), jars.toString());
      assertTrue(jars.stream().anyMatch(jar -> jar.contains("fovea-tensor")), jars.toString());
      return jars;
    }
  }

  @Test
  void onTheClassPathWithTheModuleAdded() throws IOException, InterruptedException {
    Jdk.Result result = Jdk.java(
        "--add-modules",
        "jdk.incubator.vector",
        "--enable-native-access=ALL-UNNAMED",
        "-cp",
        jars + File.pathSeparator + classes,
        MAIN);
    assertRan(result);
    assertEquals(
        List.of("WARNING: Using incubator modules: jdk.incubator.vector"),
        result.err().lines().toList());
  }

  /** Scalar loops, and one warning (the logger's two lines) that says what to do. */
  @Test
  void onTheClassPathWithoutAnyFlag() throws IOException, InterruptedException {
    Jdk.Result result =
        Jdk.java("--enable-native-access=ALL-UNNAMED", "-cp", jars + File.pathSeparator + classes, MAIN);
    assertRan(result);
    assertTrue(result.out().contains("scalar"), result.out());
    assertEquals(2, result.err().lines().count(), result.err());
    assertTrue(result.err().contains("--add-modules jdk.incubator.vector"), result.err());
  }

  @Test
  void onTheModulePathWithoutAnyFlag() throws IOException, InterruptedException {
    Jdk.Result result = Jdk.java("-p", jars + File.pathSeparator + classes, "-m", "org.example.consumer/" + MAIN);
    assertRan(result);
    List<String> warnings = result.err().lines().toList();
    assertTrue(warnings.contains("WARNING: Using incubator modules: jdk.incubator.vector"), result.err());
    assertFalse(result.err().contains("scalar"), result.err());
  }

  private static void assertRan(Jdk.Result result) {
    assertEquals(0, result.exitCode(), result.err());
    assertTrue(result.out().startsWith("cpu: "), result.out());
    assertTrue(result.out().contains("reads WebP: true"), result.out());
    assertTrue(result.out().endsWith("[4.0, 7.0, 4.0, 7.0]" + System.lineSeparator()), result.out());
  }
}
