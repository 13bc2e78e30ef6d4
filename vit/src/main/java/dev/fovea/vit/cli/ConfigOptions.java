package dev.fovea.vit.cli;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Settings by their names in a configuration. */
final class ConfigOptions {
  @Option(names = "--config", paramLabel = "FILE", description = "Settings as YAML or JSON, as in a run's run.yaml.")
  private @Nullable Path file;

  @Option(
      names = "--set",
      paramLabel = "SECTION.NAME=VALUE",
      description = "Any setting, by its name in run.yaml, for example optimizer.eps=1e-6; may be repeated.")
  private Map<String, String> settings = new LinkedHashMap<>();

  @Nullable
  Path file() {
    return file;
  }

  Map<String, String> settings() {
    return settings;
  }
}
