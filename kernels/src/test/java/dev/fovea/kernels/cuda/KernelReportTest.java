package dev.fovea.kernels.cuda;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Compiled kernels use no more registers, local and shared memory than their sources say they may. */
class KernelReportTest {
  private static final Path REPORT = Path.of("target", "cuda", "report.json");
  private static final Pattern USES = Pattern.compile("\"registers\": (\\d+), \"spilled\": (\\d+), \"shared\": (\\d+)");
  private static final Pattern LINE = Pattern.compile(
      "\"family\": \"(\\w+)\", \"kernel\": \"(\\w+)\", \"target\": \"(\\w+)\", " + USES + ", \"limit\": (.*)}");

  @BeforeAll
  static void theBuildCompiledKernels() {
    assumeTrue(Files.exists(REPORT), "the build found no nvcc, so there are no GPU kernels to look at");
  }

  private static List<Matcher> lines() throws IOException {
    try (Stream<String> lines = Files.lines(REPORT)) {
      return lines
          .filter(line -> line.contains("\"family\""))
          .map(LINE::matcher)
          .filter(Matcher::find)
          .toList();
    }
  }

  @Test
  void namesEveryLine() throws IOException {
    List<Matcher> lines = lines();
    try (Stream<String> all = Files.lines(REPORT)) {
      assertTrue(lines.size() == all.filter(line -> line.contains("\"family\"")).count(), "lines are understood");
    }
    assertFalse(lines.isEmpty());
  }

  @TestFactory
  Stream<DynamicTest> everyKernelKeepsItsLimit() throws IOException {
    return lines().stream().map(line -> {
      String kernel = line.group(2) + " for " + line.group(3);
      return DynamicTest.dynamicTest(kernel, () -> check(kernel, line));
    });
  }

  private static void check(String kernel, Matcher line) {
    Matcher limit = USES.matcher(line.group(7));
    assertTrue(limit.find(), "%s: no limit stated in src-cuda/%s.cu".formatted(kernel, line.group(1)));
    String[] names = {"registers", "spilled bytes", "bytes of shared memory"};
    for (int i = 0; i < names.length; i++) {
      int used = Integer.parseInt(line.group(4 + i));
      int most = Integer.parseInt(limit.group(1 + i));
      assertTrue(
          used <= most,
          "%s: uses %d %s, src-cuda/%s.cu allows %d".formatted(kernel, used, names[i], line.group(1), most));
    }
  }
}
