package dev.fovea.kernels.cpu.simd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which form is chosen, and what the user is told: in JVMs started for it, and for JVMs that are not at hand. */
class SimdChoiceTest {
  private static final String ADD = "--add-modules=jdk.incubator.vector";
  private static final Jvm GOOD = new Jvm(true, 25, "OpenJDK 64-Bit Server VM", "mixed mode", true, true, true);

  /** What a {@link SimdProbe} printed. */
  private record Run(int exit, String output) {
    String after(String label) {
      return output
          .lines()
          .filter(line -> line.startsWith(label))
          .map(line -> line.substring(label.length()))
          .findFirst()
          .orElseThrow(() -> new AssertionError("no line '" + label + "' in: " + output));
    }

    List<String> warnings() {
      return output
          .lines()
          .filter(line -> line.contains("CPU kernels run without vectors"))
          .toList();
    }
  }

  private static Run probe(String... flags) throws IOException, InterruptedException {
    Path classes = Path.of(System.getProperty("basedir", "."), "target");
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-XX:TieredStopAtLevel=4"); // a later flag wins
    command.addAll(List.of(flags));
    command.add("-cp");
    command.add(classes.resolve("classes") + File.pathSeparator + classes.resolve("test-classes"));
    command.add(SimdProbe.class.getName());
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().remove("JDK_JAVA_OPTIONS");
    builder.environment().remove("JAVA_TOOL_OPTIONS");
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes());
    return new Run(process.waitFor(), output);
  }

  private static Run rightAnswers(String... flags) throws IOException, InterruptedException {
    Run run = probe(flags);
    assertEquals(0, run.exit, run.output);
    assertEquals("true", run.after("product: "));
    assertEquals("true", run.after("bf16: "));
    assertEquals("true", run.after("again: "));
    assertTrue(run.after("kernels: ").endsWith(", " + run.after("form: ")), run.output);
    return run;
  }

  private static void scalar(String reason, String advice, String... flags) throws IOException, InterruptedException {
    Run run = rightAnswers(flags);
    assertTrue(run.after("form: ").startsWith("scalar: " + reason), run.output);
    assertEquals(1, run.warnings().size(), run.output);
    assertTrue(run.warnings().getFirst().contains(reason), run.output);
    assertTrue(run.warnings().getFirst().contains(advice), run.output);
  }

  private static void vectors(String form, String... flags) throws IOException, InterruptedException {
    Run run = rightAnswers(flags);
    assertTrue(run.after("form: ").matches(form), run.output);
    assertEquals(List.of(), run.warnings());
  }

  @Test
  void withTheModuleVectorsAreUsedInSilence() throws Exception {
    vectors("\\d+-bit vectors", ADD);
  }

  @Test
  void withoutTheModuleItSaysWhichFlagToPass() throws Exception {
    scalar("the module jdk.incubator.vector is absent", "start Java with --add-modules jdk.incubator.vector");
  }

  @Test
  void narrowerVectorsAreUsedAsTheyAre() throws Exception {
    if (System.getProperty("os.arch").equals("amd64")) {
      vectors("(256|128)-bit vectors", ADD, "-XX:UseAVX=2");
    }
    vectors("128-bit vectors", ADD, "-XX:MaxVectorSize=16");
  }

  @Test
  void tooNarrowVectorsAreRefused() throws Exception {
    scalar("vectors have 64 bits, expected at least 128", "-Dfovea.cpu.simd=scalar", ADD, "-XX:MaxVectorSize=8");
    Run forced = probe(ADD, "-XX:MaxVectorSize=8", "-Dfovea.cpu.simd=vector");
    assertNotEquals(0, forced.exit);
    assertTrue(forced.output.contains("fovea.cpu.simd=vector cannot be: vectors have 64 bits"), forced.output);
  }

  @Test
  void interpretersAreRefused() throws Exception {
    scalar("the optimizing compiler is off (interpreted mode", "without -Xint", ADD, "-Xint");
  }

  @Test
  void quickCompilersAreRefused() throws Exception {
    scalar("the optimizing compiler is off (mixed mode", "-XX:TieredStopAtLevel", ADD, "-XX:TieredStopAtLevel=1");
  }

  @Test
  void slowFusedMultiplyAddIsRefused() throws Exception {
    if (System.getProperty("os.arch").equals("amd64")) {
      scalar("the processor has no fused multiply-add", "start Java without that flag", ADD, "-XX:-UseFMA");
    }
  }

  @Test
  void scalarOnRequestIsSilent() throws Exception {
    Run run = rightAnswers(ADD, "-Dfovea.cpu.simd=scalar");
    assertEquals("scalar: asked for by fovea.cpu.simd", run.after("form: "));
    assertEquals(List.of(), run.warnings());
  }

  @Test
  void vectorOnRequestOverridesPrudence() throws Exception {
    vectors("\\d+-bit vectors", ADD, "-XX:TieredStopAtLevel=1", "-Dfovea.cpu.simd=vector");
  }

  @Test
  void vectorOnRequestFailsWhereItCannotBe() throws Exception {
    Run run = probe("-Dfovea.cpu.simd=vector");
    assertNotEquals(0, run.exit);
    assertTrue(
        run.output.contains("IllegalStateException: fovea.cpu.simd=vector cannot be: the module jdk.incubator.vector is"
            + " absent; start Java with --add-modules jdk.incubator.vector"),
        run.output);
  }

  @Test
  void nonsenseIsNamed() throws Exception {
    Run run = probe(ADD, "-Dfovea.cpu.simd=fast");
    assertNotEquals(0, run.exit);
    assertTrue(run.output.contains("fovea.cpu.simd: got fast, expected auto, vector or scalar"), run.output);
  }

  @ParameterizedTest
  @CsvSource({"1, 1 thread", "3, 3 threads"})
  void threadsComeFromTheProperty(int threads, String words) throws Exception {
    Run run = probe(ADD, "-Dfovea.cpu.threads=" + threads);
    assertTrue(run.after("kernels: ").startsWith("cpu: " + words + ", "), run.output);
  }

  @ParameterizedTest
  @CsvSource({"0", "-2", "many", "''", "1.5", "99999999999"})
  void nonsenseThreadsAreNamed(String threads) throws Exception {
    Run run = probe(ADD, "-Dfovea.cpu.threads=" + threads);
    assertNotEquals(0, run.exit);
    assertTrue(
        run.output.contains("fovea.cpu.threads: got '" + threads + "', expected a whole number of at least 1"),
        run.output);
  }

  @Test
  void otherVersionsOfJavaAreRefused() {
    SimdChoice choice = SimdChoice.choose("auto", new Jvm(true, 26, GOOD.name(), GOOD.info(), true, true, true));
    assertEquals(
        "scalar: they were compiled for Java 25, this is Java 26", choice.simd().description());
    assertNotNull(choice.warning());
    assertTrue(choice.warning().contains("start Java 25, or pass -Dfovea.cpu.simd=vector"), choice.warning());
    assertFalse(SimdChoice.choose("vector", new Jvm(true, 26, GOOD.name(), GOOD.info(), true, true, true))
        .simd()
        .description()
        .startsWith("scalar"));
  }

  @Test
  void otherVirtualMachinesAreRefused() {
    SimdChoice choice = SimdChoice.choose("auto", new Jvm(true, 25, "Eclipse OpenJ9 VM", "", false, true, true));
    assertEquals("scalar: Eclipse OpenJ9 VM is not HotSpot", choice.simd().description());
  }

  @Test
  void thisOneIsNot() {
    SimdChoice choice = SimdChoice.choose("auto", GOOD);
    assertNull(choice.warning());
    assertFalse(choice.simd().description().startsWith("scalar"));
    IllegalStateException e = assertThrows(
        IllegalStateException.class, () -> SimdChoice.choose("all", GOOD).simd());
    assertEquals("fovea.cpu.simd: got all, expected auto, vector or scalar", e.getMessage());
  }
}
