package dev.fovea.vit.weights;

import java.util.ArrayList;
import java.util.List;

/**
 * One loop of a copy between two arrays: how often, and how many elements further each time.
 *
 * @param size how often
 * @param source elements to the next in the source
 * @param target elements to the next in the target
 */
record Axis(long size, long source, long target) {
  /** Fewer axes that mean the same: those that go on where the inner one ends are one with it. */
  static List<Axis> merged(List<Axis> axes) {
    List<Axis> merged = new ArrayList<>();
    for (Axis axis : axes) {
      if (axis.size == 1) {
        continue;
      }
      Axis outer = merged.isEmpty() ? null : merged.getLast();
      if (outer != null && outer.source == axis.size * axis.source && outer.target == axis.size * axis.target) {
        merged.set(merged.size() - 1, new Axis(outer.size * axis.size, axis.source, axis.target));
      } else {
        merged.add(axis);
      }
    }
    return merged.isEmpty() ? List.of(new Axis(1, 1, 1)) : List.copyOf(merged);
  }

  /** The same copy the other way. */
  Axis reversed() {
    return new Axis(size, target, source);
  }
}
