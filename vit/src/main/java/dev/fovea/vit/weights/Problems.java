package dev.fovea.vit.weights;

import java.util.ArrayList;
import java.util.List;

/** What is wrong with a file's tensors, gathered so that it is all said at once. */
final class Problems {
  private static final int SHOWN = 100;
  private final List<String> lines = new ArrayList<>();

  /** @param what may hold names from a file: control characters are not passed on */
  void add(String kind, String what) {
    lines.add("\n  " + kind + ": " + what.replaceAll("\\p{Cntrl}", "?"));
  }

  /** Throws if there were any; of very many, the first. */
  void throwAs(String title) {
    if (!lines.isEmpty()) {
      String rest = lines.size() > SHOWN ? "\n  and " + (lines.size() - SHOWN) + " more" : "";
      throw new IllegalArgumentException(title + ":" + String.join("", lines.subList(0, Math.min(SHOWN, lines.size())))
          + rest);
    }
  }
}
