package dev.fovea.bench.cli;

import java.io.PrintWriter;
import java.util.Objects;
import picocli.CommandLine;
import picocli.CommandLine.ExitCode;

/**
 * The program behind {@code ./fovea bench}. It exits with 0 when the work is done, 1 when something failed or got
 * slower, and 2 when it was called wrongly.
 */
public final class Bench {
  private Bench() {}

  /** Runs a command line, and ends the JVM with its exit code. */
  public static void main(String[] args) {
    System.setProperty("java.awt.headless", "true");
    System.exit(run(
        new PrintWriter(System.out, true, System.out.charset()),
        new PrintWriter(System.err, true, System.err.charset()),
        args));
  }

  /** Runs a command line and returns its exit code. */
  static int run(PrintWriter out, PrintWriter err, String... args) {
    RunCommand command = new RunCommand();
    return new CommandLine(command)
        .setOut(out)
        .setErr(err)
        .setExecutionExceptionHandler((e, line, parsed) -> {
          if (command.debug) {
            e.printStackTrace(err);
          } else {
            err.println("fovea: " + Objects.requireNonNullElse(e.getMessage(), e.toString()));
          }
          return ExitCode.SOFTWARE;
        })
        .execute(args);
  }
}
