package dev.fovea.vit.weights;

import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.NavigableSet;
import java.util.TreeSet;

/** The names of a file's tensors, and ways of looking around among them. */
final class Names {
  private final NavigableSet<String> sorted;

  Names(Collection<String> names) {
    sorted = Collections.unmodifiableNavigableSet(new TreeSet<>(names));
  }

  NavigableSet<String> all() {
    return sorted;
  }

  boolean has(String name) {
    return sorted.contains(name);
  }

  /** Whether a name starts like this. */
  boolean starts(String start) {
    String next = sorted.ceiling(start);
    return next != null && next.startsWith(start);
  }

  /** Whether a name ends like this. */
  boolean ends(String ending) {
    return sorted.stream().anyMatch(name -> name.endsWith(ending));
  }

  /** What stands before {@code ending} in the shortest name that has it. */
  String before(String ending) {
    return sorted.stream()
        .filter(name -> name.endsWith(ending))
        .map(name -> name.substring(0, name.length() - ending.length()))
        .min(Comparator.comparingInt(String::length).thenComparing(Comparator.naturalOrder()))
        .orElse("");
  }

  /** The first of some ways to go on after {@code at} that a name has; the first of all if none has. */
  String pick(String at, String... candidates) {
    for (String candidate : candidates) {
      if (starts(at + candidate)) {
        return candidate;
      }
    }
    return candidates[0];
  }

  /** How many consecutive numbers from 0 on, with {@code end} behind them, follow {@code at}. */
  int count(String at, String end) {
    int count = 0;
    while (starts(at + count + end)) {
      count++;
    }
    return count;
  }
}
