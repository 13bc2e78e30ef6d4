package dev.fovea.bench.cli;

import dev.fovea.bench.report.Environment;
import dev.fovea.kernels.cpu.CpuKernels;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Asks the machine what it is. */
final class Probe {
  private static final Pattern JAR = Pattern.compile("(.+?)-(\\d[\\w.]*(?:-[\\d.]+)?)(?:-[a-z].*)?\\.jar");

  private static final Set<String> LIBRARIES =
      Set.of("mkl", "openblas", "onnxruntime", "pytorch-engine", "pytorch-native-cpu", "nd4j-native");

  private Probe() {}

  /** This machine, and what was typed on it. */
  static Environment environment(List<String> arguments) {
    var system = ManagementFactory.getPlatformMXBean(com.sun.management.OperatingSystemMXBean.class);
    String vectors;
    try (CpuKernels kernels = CpuKernels.create(1)) {
      vectors = kernels.description().replaceFirst("^cpu: 1 thread, ", "");
    }
    return new Environment(
        Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(),
        command(arguments),
        Objects.requireNonNullElse(Probe.class.getPackage().getImplementationVersion(), "unpackaged"),
        commit(),
        cpu(),
        Runtime.getRuntime().availableProcessors(),
        vectors,
        system.getTotalMemorySize(),
        System.getProperty("os.name") + " " + System.getProperty("os.version"),
        System.getProperty("java.vm.name") + " " + Runtime.version(),
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
            .filter(flag -> !flag.startsWith("-Dfovea.home"))
            .toList(),
        null,
        peers(Path.of(home(), "bench", "target", "peers")));
  }

  /** What was typed, without where the results went. */
  static String command(List<String> arguments) {
    return ("./fovea bench " + String.join(" ", arguments))
        .replaceAll(" --out[ =]\\S+", "")
        .strip();
  }

  /** The checkout's commit, with {@code +} where files in it have changed. */
  static @Nullable String commit() {
    String commit = output("git", "-C", home(), "rev-parse", "--short=12", "HEAD");
    if (commit == null) {
      return null;
    }
    String changes = output("git", "-C", home(), "status", "--porcelain", "--untracked-files=no");
    return changes == null || changes.isEmpty() ? commit : commit + "+";
  }

  private static @Nullable String output(String... command) {
    try {
      Process process = new ProcessBuilder(command)
          .redirectError(ProcessBuilder.Redirect.DISCARD)
          .start();
      String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      return process.waitFor(10, TimeUnit.SECONDS) && process.exitValue() == 0 ? text : null;
    } catch (IOException e) {
      return null;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return null;
    }
  }

  private static String cpu() {
    try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
      return lines
          .filter(line -> line.startsWith("model name"))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .findFirst()
          .orElse(System.getProperty("os.arch"));
    } catch (IOException e) {
      return Objects.requireNonNullElse(
          output("sysctl", "-n", "machdep.cpu.brand_string"), System.getProperty("os.arch"));
    }
  }

  private static String home() {
    return System.getProperty("fovea.home", ".");
  }

  /** Names and versions of the libraries in a folder and those below it; what they bring along is left out. */
  static Map<String, String> peers(Path folder) {
    if (!Files.isDirectory(folder)) {
      return Map.of();
    }
    Map<String, String> versions = new TreeMap<>();
    try (Stream<Path> files = Files.walk(folder)) {
      files.sorted(Comparator.comparingInt(Path::getNameCount)).forEach(file -> {
        Matcher jar = JAR.matcher(file.getFileName().toString());
        if (jar.matches() && LIBRARIES.contains(jar.group(1))) {
          versions.put(jar.group(1), jar.group(2));
        }
      });
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return versions;
  }
}
