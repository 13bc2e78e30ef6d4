package dev.fovea.vit.data;

import java.util.ArrayList;
import java.util.List;

/** What was found amiss in a data set and passed over: the first few in words, of the others the number. */
final class Remarks {
  private static final int MOST = 10;

  private final List<String> lines = new ArrayList<>();
  private int more;

  void add(String line) {
    if (lines.size() < MOST) {
      lines.add(line);
    } else {
      more++;
    }
  }

  List<String> lines() {
    List<String> all = new ArrayList<>(lines);
    if (more > 0) {
      all.add("and %,d more of the kind".formatted(more));
    }
    return List.copyOf(all);
  }
}
