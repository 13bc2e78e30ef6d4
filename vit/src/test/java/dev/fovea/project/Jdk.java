package dev.fovea.project;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The tools of the JDK that runs this test, each in a fresh process. */
final class Jdk {
  /** What a tool printed, and its exit code. */
  record Result(int exitCode, String out, String err) {}

  private Jdk() {}

  static Result java(String... arguments) throws IOException, InterruptedException {
    return run("java", arguments);
  }

  static Result javac(String... arguments) throws IOException, InterruptedException {
    return run("javac", arguments);
  }

  private static Result run(String tool, String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(
        List.of(Path.of(System.getProperty("java.home"), "bin", tool).toString()));
    command.addAll(List.of(arguments));
    Path out = Files.createTempFile("out", ".txt");
    Path err = Files.createTempFile("err", ".txt");
    try {
      int exitCode = new ProcessBuilder(command)
          .redirectOutput(out.toFile())
          .redirectError(err.toFile())
          .start()
          .waitFor();
      return new Result(exitCode, read(out), read(err));
    } finally {
      Files.delete(out);
      Files.delete(err);
    }
  }

  private static String read(Path file) throws IOException {
    return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
  }
}
