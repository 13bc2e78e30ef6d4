package dev.fovea.kernels.ptx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/** Compiles CUDA sources among the tests' resources to PTX. */
final class Nvcc {
  private Nvcc() {}

  /** The PTX of a source; skips the test where there is no {@code nvcc}. */
  static String compile(Path folder, String name, String architecture) throws IOException, InterruptedException {
    Optional<Path> nvcc = find();
    assumeTrue(nvcc.isPresent(), "no nvcc here to compile kernels with");
    Path source = folder.resolve(name);
    Path target = folder.resolve(name + ".ptx");
    try (InputStream in = Nvcc.class.getResourceAsStream(name)) {
      Files.copy(Objects.requireNonNull(in), source);
    }
    Process process = new ProcessBuilder(
            nvcc.get().toString(),
            "-std=c++17",
            "-ptx",
            "-arch=" + architecture,
            "-lineinfo",
            "-o",
            "" + target,
            "" + source)
        .redirectErrorStream(true)
        .redirectOutput(folder.resolve("log").toFile())
        .start();
    assertEquals(0, process.waitFor(), () -> read(folder.resolve("log")));
    return read(target);
  }

  private static String read(Path path) {
    try {
      return Files.readString(path);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Optional<Path> find() {
    String home = System.getenv("CUDA_HOME");
    Stream<String> folders = Stream.concat(
        Stream.of((home == null ? "/usr/local/cuda" : home) + "/bin", "/usr/local/cuda/bin"),
        Stream.of(System.getenv("PATH").split(System.getProperty("path.separator"), -1)));
    return folders
        .map(folder -> Path.of(folder, "nvcc"))
        .filter(Files::isExecutable)
        .findFirst();
  }
}
