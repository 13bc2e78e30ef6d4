package dev.fovea.vit.probe;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * A few examples of each class, drawn at random by seed. The draw of fewer shots is part of that of more, as in
 * big_vision; but the random numbers are not numpy's, so that other examples are drawn than there.
 */
public final class Shots {
  private final int[][] order;

  /**
   * Draws.
   *
   * @param labels of all examples
   * @param classes number of classes
   * @param seed of the draw
   */
  public Shots(int[] labels, int classes, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    order = IntStream.range(0, classes)
        .mapToObj(k -> shuffled(
            IntStream.range(0, labels.length).filter(i -> labels[i] == k).toArray(), random.split()))
        .toArray(int[][]::new);
  }

  private static int[] shuffled(int[] values, SplittableRandom random) {
    for (int i = values.length - 1; i > 0; i--) {
      int other = random.nextInt(i + 1);
      int value = values[i];
      values[i] = values[other];
      values[other] = value;
    }
    return values;
  }

  /** Indices of at most so many examples of each class, class by class; fewer where a class has fewer. */
  public int[] first(int shots) {
    return Arrays.stream(order)
        .flatMapToInt(indices -> Arrays.stream(indices).limit(shots))
        .toArray();
  }
}
