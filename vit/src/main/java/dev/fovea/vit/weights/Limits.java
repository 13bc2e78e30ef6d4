package dev.fovea.vit.weights;

import dev.fovea.vit.model.VitConfig;

/** What no model exceeds: a configuration beyond is an error, not a reason to reserve memory. */
final class Limits {
  static final int WIDTH = 1 << 16;
  static final int DEPTH = 1 << 10;
  static final int BRANCHES = 1 << 6;
  static final int MLP = 1 << 19;
  static final int IMAGE = 1 << 14;
  static final int PATCH = 1 << 10;
  static final int CHANNELS = 1 << 6;
  static final int REGISTERS = 1 << 12;
  static final int CLASSES = 1 << 24;

  /** Of a single axis of a tensor. */
  static final int ANY = 1 << 28;

  private Limits() {}

  /** @throws IllegalArgumentException if a size is beyond its limit */
  static VitConfig check(VitConfig config) {
    most("imageHeight", config.imageHeight(), IMAGE);
    most("imageWidth", config.imageWidth(), IMAGE);
    most("channels", config.channels(), CHANNELS);
    most("patchHeight", config.patchHeight(), PATCH);
    most("patchWidth", config.patchWidth(), PATCH);
    most("width", config.width(), WIDTH);
    most("depth", config.depth(), DEPTH);
    most("branches", config.branches(), BRANCHES);
    most("mlp", config.mlp(), MLP);
    most("poolMlp", config.poolMlp(), MLP);
    most("registers", config.registers(), REGISTERS);
    most("preLogits", config.preLogits(), WIDTH);
    most("classes", config.classes(), CLASSES);
    return config;
  }

  private static void most(String name, int value, int limit) {
    if (value > limit) {
      throw new IllegalArgumentException("%s: got %d, expected at most %d".formatted(name, value, limit));
    }
  }
}
