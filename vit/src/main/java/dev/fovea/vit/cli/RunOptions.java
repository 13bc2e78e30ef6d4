package dev.fovea.vit.cli;

import dev.fovea.vit.model.VitConfig;
import dev.fovea.vit.train.TrainConfig;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The settings that commands which train share, beside those that each has for itself. */
final class RunOptions {
  @Option(names = "--config", paramLabel = "FILE", description = "Settings as YAML or JSON, as in a run's run.yaml.")
  private @Nullable Path file;

  @Option(
      names = "--set",
      paramLabel = "SECTION.NAME=VALUE",
      description = "Any setting, by its name in run.yaml, for example data.val_size=500; may be repeated.")
  private Map<String, String> others = new LinkedHashMap<>();

  @Option(
      names = "--data",
      paramLabel = "PATH",
      description = "Pictures to learn from, as ./fovea train takes them (default: the built-in shapes).")
  private @Nullable String data;

  @Option(names = "--batch", paramLabel = "N", description = "Pictures of a step (default: 64).")
  private @Nullable Integer batch;

  @Option(names = "--image-size", paramLabel = "N", description = "Height and width of the pictures (default: 32).")
  private @Nullable Integer imageSize;

  @Option(names = "--patch", paramLabel = "N", description = "Height and width of a patch (default: 4).")
  private @Nullable Integer patch;

  @Option(names = "--heads", paramLabel = "N", description = "Heads of attention (default: 2).")
  private @Nullable Integer heads;

  @Option(names = "--block", paramLabel = "KIND", description = "${COMPLETION-CANDIDATES} (default: PARALLEL).")
  private VitConfig.@Nullable Block block;

  @Option(names = "--lr", paramLabel = "RATE", description = "Base learning rate (default: 0.003).")
  private @Nullable Double lr;

  @Option(names = "--optimizer", paramLabel = "NAME", description = "${COMPLETION-CANDIDATES} (default: ADAMW).")
  private TrainConfig.@Nullable Method optimizer;

  @Option(names = "--seed", paramLabel = "N", description = "Of everything random.")
  private @Nullable Long seed;

  @Option(
      names = "--device",
      paramLabel = "NAME",
      description = "cpu, cuda (or cuda:N), or auto, the first GPU if there is one (default: auto).")
  private @Nullable String device;

  @Nullable
  Path file() {
    return file;
  }

  /** What was given, by names in a configuration. */
  Map<String, Object> settings() {
    Map<String, Object> given = new LinkedHashMap<>();
    put(given, "data.set", data);
    put(given, "data.batch", batch);
    put(given, "model.image_size", imageSize);
    put(given, "model.patch", patch);
    put(given, "model.heads", heads);
    put(given, "model.block", block);
    put(given, "optimizer.lr", lr);
    put(given, "optimizer.method", optimizer);
    put(given, "run.seed", seed);
    put(given, "run.device", device);
    given.putAll(others);
    return given;
  }

  static void put(Map<String, Object> settings, String name, @Nullable Object value) {
    if (value != null) {
      settings.put(name, value);
    }
  }
}
