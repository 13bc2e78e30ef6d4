package dev.fovea.vit.cli;

import java.io.PrintWriter;
import java.util.Locale;
import java.util.Objects;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * The program {@code fovea}. It exits with 0 when the work is done, 1 when it failed and 2 when it was called wrongly;
 * an error is one line, with its stack trace under {@code --debug}.
 */
@Command(
    name = "fovea",
    description = "Vision Transformers on the JVM.",
    mixinStandardHelpOptions = true,
    versionProvider = Fovea.Version.class,
    scope = ScopeType.INHERIT,
    subcommands = {
      DevicesCommand.class,
      InfoCommand.class,
      PredictCommand.class,
      EmbedCommand.class,
      AttentionCommand.class,
      TrainCommand.class,
      PretrainCommand.class,
      CooldownCommand.class,
      EvaluateCommand.class,
      ProbeCommand.class,
      ScalingCommand.class,
      SweepCommand.class,
      VerifyCommand.class,
      BenchCommand.class,
      EvidenceCommand.class
    })
public final class Fovea implements Runnable {
  @Option(names = "--debug", scope = ScopeType.INHERIT, description = "Print the stack trace of an error.")
  private boolean debug;

  @Spec
  private CommandSpec spec;

  public static void main(String[] args) {
    // Pictures are read and drawn, never shown.
    System.setProperty("java.awt.headless", "true");
    // Numbers as in the English around them, which other programs can read, too.
    Locale.setDefault(Locale.Category.FORMAT, Locale.ROOT);
    System.exit(run(
        new PrintWriter(System.out, true, System.out.charset()),
        new PrintWriter(System.err, true, System.err.charset()),
        args));
  }

  /** Runs one command line and returns its exit code. */
  static int run(PrintWriter out, PrintWriter err, String... args) {
    Fovea fovea = new Fovea();
    return new CommandLine(fovea)
        .setOut(out)
        .setErr(err)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setParameterExceptionHandler((e, ignored) -> wrongUse(e))
        .setExecutionExceptionHandler((e, command, parsed) -> fovea.report(e, command.getErr()))
        .execute(args);
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "Missing command");
  }

  /** What was wrong stays in sight: all the options of a command would fill the screen. */
  private static int wrongUse(ParameterException e) {
    CommandLine command = e.getCommandLine();
    PrintWriter err = command.getErr();
    err.println(e.getMessage());
    if (command.getParent() == null && !(e instanceof UnmatchedArgumentException)) {
      command.usage(err);
    } else if (!UnmatchedArgumentException.printSuggestions(e, err)) {
      err.println("See " + command.getCommandSpec().qualifiedName() + " --help");
    }
    return CommandLine.ExitCode.USAGE;
  }

  private int report(Exception e, PrintWriter err) {
    if (debug) {
      e.printStackTrace(err);
    } else {
      err.println("fovea: " + Errors.sentence(e));
    }
    return CommandLine.ExitCode.SOFTWARE;
  }

  /** The version that the jar states. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      Class<?> type = Fovea.class;
      String version = type.getModule().isNamed()
          ? type.getModule().getDescriptor().rawVersion().orElse(null)
          : type.getPackage().getImplementationVersion();
      return new String[] {"fovea " + Objects.requireNonNullElse(version, "(not packaged)")};
    }
  }
}
