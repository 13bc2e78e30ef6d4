package dev.fovea.vit.cli;

import java.lang.reflect.Field;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/** What options of {@link OptionGroups} say, by names in a configuration. */
final class GivenSettings {
  private static final String SHAPE = "model.";
  private static final String SIDE = "model.image_size";

  /** What may be said of a model that has a shape already. */
  private static final Set<String> OF_ANY_MODEL = Set.of(SIDE, "model.drop_path");

  /** Options whose settings have another name. */
  private static final Map<String, String> OTHERS = Map.of(
      "--data", "data.set",
      "--optimizer", "optimizer.method",
      "--schedule", "schedule.curve",
      "--mask-ratio", "masked.ratio",
      "--mask-pattern", "masked.pattern");

  private GivenSettings() {}

  /**
   * The settings that were given.
   *
   * @throws ParameterException if they would change the shape of a model that is there
   */
  static Map<String, Object> of(CommandSpec spec) {
    ParseResult parsed = spec.commandLine().getParseResult();
    Map<String, Object> given = new LinkedHashMap<>();
    for (OptionSpec option : spec.options()) {
      String section = section(option);
      Object value = option.getValue();
      if (section != null && parsed.hasMatchedOption(option) && value != null) {
        String name = option.longestName();
        given.put(
            OTHERS.getOrDefault(name, section + "." + name.substring(2).replace('-', '_')),
            value instanceof Path ? value.toString() : value);
      }
    }
    if (given.containsKey("tuning.model")) {
      fit(given, spec);
    }
    return given;
  }

  private static void fit(Map<String, Object> given, CommandSpec spec) {
    for (String name : given.keySet()) {
      if (name.startsWith(SHAPE) && !OF_ANY_MODEL.contains(name)) {
        throw new ParameterException(
            spec.commandLine(),
            "--model has a shape of its own: leave out --"
                + name.substring(SHAPE.length()).replace('_', '-'));
      }
    }
    if (given.containsKey(SIDE)) {
      given.put("tuning.image_size", given.remove(SIDE));
    }
  }

  /** The section that an option is of; null if it is no setting. */
  static @Nullable String section(OptionSpec option) {
    OptionGroups.Section section = option.userObject() instanceof Field field
        ? field.getDeclaringClass().getAnnotation(OptionGroups.Section.class)
        : null;
    return section == null ? null : section.value();
  }
}
