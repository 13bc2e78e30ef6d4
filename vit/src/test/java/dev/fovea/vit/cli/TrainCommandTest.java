package dev.fovea.vit.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.vit.train.ConfigFile;
import dev.fovea.vit.train.TrainConfig;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/** The command line of training: options, what they set, and a run from its first step to its folder. */
final class TrainCommandTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @TempDir
  private Path folder;

  private int run(Object... args) {
    String[] words = new String[args.length];
    for (int i = 0; i < args.length; i++) {
      words[i] = args[i].toString();
    }
    return Fovea.run(new PrintWriter(out, true), new PrintWriter(err, true), words);
  }

  private static Map<String, Object> settings(String... args) {
    TrainCommand command = new TrainCommand();
    new CommandLine(command).setCaseInsensitiveEnumValuesAllowed(true).parseArgs(args);
    return command.settings();
  }

  private static String sample(OptionSpec option) {
    Class<?> type = option.type();
    if (type.isEnum()) {
      return type.getEnumConstants()[0].toString();
    }
    return switch (option.longestName()) {
      case "--rand-augment" -> "2,9";
      case "--mask-ratio" -> "0.5";
      case "--memory" -> "6GB";
      default -> type == Boolean.class ? "true" : type == String.class || type == Path.class ? "B/16" : "1";
    };
  }

  /** Commands that train, and how many at least of their options are settings. */
  static Stream<Arguments> commands() {
    return Stream.of(
        Arguments.of(new TrainCommand(), 45),
        Arguments.of(new PretrainCommand(), 40),
        Arguments.of(new SweepCommand(), 40));
  }

  /** An option that is nothing in the configuration would be dropped silently. */
  @ParameterizedTest
  @MethodSource("commands")
  void everyOptionOfAGroupIsASetting(Object command, int least) throws IOException {
    CommandLine line = new CommandLine(command).setCaseInsensitiveEnumValuesAllowed(true);
    List<String> given = new ArrayList<>();
    for (OptionSpec option : line.getCommandSpec().options()) {
      assertEquals(option.group() != null, GivenSettings.section(option) != null, option.longestName());
      if (option.group() != null && !option.longestName().equals("--model")) {
        given.add(option.longestName() + "=" + sample(option));
      }
    }
    line.parseArgs(given.toArray(String[]::new));
    Map<String, Object> settings = GivenSettings.of(line.getCommandSpec());
    assertEquals(given.size(), settings.size());
    assertTrue(given.size() >= least, "only " + given.size());
    ConfigFile.read(null, settings);
  }

  @Test
  void optionsAreSettings() throws IOException {
    TrainConfig config = ConfigFile.read(
        null,
        settings(
            "--preset=Ti/16",
            "--image-size=64",
            "--patch=8",
            "--crop",
            "--no-flip",
            "--memory=1.5GB",
            "--schedule=rsqrt",
            "--head-lr=4",
            "--set=optimizer.eps=1e-6"));
    assertEquals("Ti/16", config.model().preset());
    assertEquals(192, config.model().width());
    assertEquals(8, config.model().patch());
    assertTrue(config.data().crop());
    assertFalse(config.data().flip());
    assertEquals(1_500_000_000, config.run().memory());
    assertEquals(TrainConfig.Curve.RSQRT, config.schedule().curve());
    assertEquals(4, config.optimizer().headLr());
    assertEquals(1e-6, config.optimizer().eps());
    assertEquals(
        Map.of("tuning.model", "m", "tuning.image_size", 96, "optimizer.lr", 1e-4),
        settings("--model=m", "--image-size=96"));
  }

  @Test
  void trainsAndGoesOnAndSaysWhatItDoes() throws IOException {
    Path to = folder.resolve("run");
    Object[] args = {
      "train",
      "--out",
      to,
      "--image-size=16",
      "--width=16",
      "--depth=1",
      "--batch=4",
      "--steps=3",
      "--recompute=selective",
      "--set=data.val_size=12"
    };
    assertEquals(0, run(args), err.toString());
    assertTrue(out.toString().contains("training " + to + ": 16 x 16 pixels"), out.toString());
    assertTrue(out.toString().contains("done: validation accuracy"), out.toString());
    assertTrue(Files.exists(to.resolve("model")));
    assertEquals(1, run(args));
    assertTrue(err.toString().contains("holds a run already; go on with it with --resume"), err.toString());
    assertEquals(0, run("train", "--resume", "--out", to), err.toString());
    assertTrue(out.toString().contains("going on from step 3"), out.toString());
  }

  @Test
  void wrongUseIsSaid() {
    assertEquals(2, run("train", "--model=m", "--width=8"));
    assertTrue(err.toString().contains("--model has a shape of its own"), err.toString());
    assertEquals(2, run("train", "--resume", "--steps=3"));
    assertTrue(
        err.toString().contains("--resume goes on with the run's own settings: leave all but --device out"),
        err.toString());
    assertEquals(2, run("train", "--memory=much"));
    assertTrue(err.toString().contains("expected an amount of memory such as 800M or 6GB"), err.toString());
    assertEquals(1, run("train", "--out", folder.resolve("a"), "--steps=0"));
    assertTrue(err.toString().contains("steps: got 0, expected at least 1"), err.toString());
    assertTrue(Files.notExists(folder.resolve("a")));
    assertEquals(1, run("train", "--config", folder));
    assertTrue(err.toString().contains(folder + ": is a folder, expected a file"), err.toString());
    assertEquals(1, run("train", "--out", folder.resolve("a"), "--set=optimizer.speed=3"));
    assertTrue(err.toString().contains("got a setting optimizer.speed, expected one of [beta1,"), err.toString());
    assertEquals(1, run("train", "--out", folder.resolve("a"), "--preset=XXL"));
    assertTrue(err.toString().contains("preset: got XXL, expected one of [mu/16"), err.toString());
  }

  @Test
  void helpIsInGroups() {
    assertEquals(0, run("train", "--help"));
    String text = out.toString();
    int last = 0;
    for (String heading :
        new String[] {"Pictures", "A new model", "A model that you have", "How it learns", "The learning rate"}) {
      int at = text.indexOf("\n" + heading);
      assertTrue(at > last, heading + text);
      last = at;
    }
  }
}
