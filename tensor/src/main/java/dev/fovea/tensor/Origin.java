package dev.fovea.tensor;

import java.lang.System.Logger.Level;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/** Where in the user's code something was made. */
final class Origin {
  /** How many allocations remember their stack: the system property {@code fovea.leaks}. */
  enum Mode {
    OFF,
    SAMPLED,
    ALL
  }

  static final Mode MODE = mode(System.getProperty("fovea.leaks", "sampled"));

  private static final int SAMPLE = 128;
  private static final int FRAMES = 16;
  private static final String OURS = Origin.class.getPackageName() + ".";
  private static final StackWalker WALKER = StackWalker.getInstance();

  private final List<StackWalker.StackFrame> frames;

  private Origin(int depth) {
    frames = WALKER.walk(
        all -> all.dropWhile(f -> isOurs(f.getClassName())).limit(depth).toList());
  }

  /** The stack of this call, as often as the mode asks for. */
  static @Nullable Origin sampled() {
    return sampled(MODE);
  }

  static @Nullable Origin sampled(Mode mode) {
    return switch (mode) {
      case OFF -> null;
      case ALL -> new Origin(FRAMES);
      case SAMPLED -> ThreadLocalRandom.current().nextInt(SAMPLE) == 0 ? new Origin(FRAMES) : null;
    };
  }

  /** The caller's line, always. */
  static Origin line() {
    return new Origin(1);
  }

  /** One place, in words. */
  static String site(@Nullable Origin origin) {
    if (origin == null) {
      return "at a place not recorded: run with -Dfovea.leaks=all";
    }
    return "at " + (origin.frames.isEmpty() ? "an unknown place" : origin.frames.getFirst());
  }

  /** All frames, one per line, as in a stack trace. */
  String stack() {
    var text = new StringBuilder();
    frames.forEach(frame -> text.append("\n\tat ").append(frame));
    return text.toString();
  }

  static Mode mode(String name) {
    for (Mode mode : Mode.values()) {
      if (mode.name().toLowerCase(Locale.ROOT).equals(name)) {
        return mode;
      }
    }
    System.getLogger("dev.fovea.tensor")
        .log(Level.WARNING, "fovea.leaks: got {0}, expected off, sampled or all; taking sampled", name);
    return Mode.SAMPLED;
  }

  /** Frames of this module are not the user's; its tests are. */
  private static boolean isOurs(String className) {
    return className.startsWith(OURS) && !className.contains("Test");
  }
}
