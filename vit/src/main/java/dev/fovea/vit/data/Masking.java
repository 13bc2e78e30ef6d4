package dev.fovea.vit.data;

import java.util.Arrays;

/**
 * Chooses which patches of a picture are hidden in masked pre-training. Every picture of a size has the same number.
 *
 * @param pattern how they lie
 * @param share of the patches that are hidden, between 0 and 1
 */
public record Masking(Pattern pattern, double share) {
  /** How hidden patches lie. */
  public enum Pattern {
    /** Each by itself (MAE, section 3). */
    RANDOM,
    /**
     * In rectangles that may overlap, of 16 patches or more where there is room, and of aspect ratios between 0.3 and 1
     * / 0.3 (BEiT, algorithm 1); the last few, for which no rectangle was found, each by itself.
     */
    BLOCKS
  }

  /** Patches of a rectangle, at least; in a grid of 196. */
  private static final int LEAST = 16;

  private static final int GRID_OF_LEAST = 196;
  private static final double ASPECT = 0.3;
  private static final int ATTEMPTS = 10;

  public Masking {
    if (!(share > 0 && share < 1)) {
      throw new IllegalArgumentException("share: got " + share + ", expected a number between 0 and 1");
    }
  }

  /**
   * How many of so many patches are hidden: at least one, and not all.
   *
   * @throws IllegalArgumentException if there are fewer than two
   */
  public int count(int patches) {
    if (patches < 2) {
      throw new IllegalArgumentException("patches: got " + patches + ", expected at least 2");
    }
    return Math.clamp(Math.round(share * patches), 1, patches - 1);
  }

  /** The hidden patches of a picture, counted row by row, in ascending order. */
  public int[] sample(int rows, int columns, RandomStream random) {
    boolean[] hidden = new boolean[rows * columns];
    int left = count(hidden.length);
    if (pattern == Pattern.BLOCKS) {
      int found;
      do {
        found = block(hidden, rows, columns, left, random);
        left -= found;
      } while (found > 0 && left > 0);
    }
    scatter(hidden, left, random);
    int[] sampled = new int[count(hidden.length)];
    int next = 0;
    for (int i = 0; i < hidden.length; i++) {
      if (hidden[i]) {
        sampled[next++] = i;
      }
    }
    return sampled;
  }

  /** Hides one more rectangle; returns how many patches that were not hidden are in it, 0 if none was found. */
  private static int block(boolean[] hidden, int rows, int columns, int most, RandomStream random) {
    int least = Math.clamp((long) LEAST * hidden.length / GRID_OF_LEAST, 1, LEAST);
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      double area = random.uniform(Math.min(least, most), most);
      double aspect = Math.exp(random.uniform(Math.log(ASPECT), -Math.log(ASPECT)));
      int height = (int) Math.round(Math.sqrt(area * aspect));
      int width = (int) Math.round(Math.sqrt(area / aspect));
      if (height < 1 || width < 1 || height >= rows || width >= columns) {
        continue;
      }
      int top = random.below(rows - height + 1);
      int first = random.below(columns - width + 1);
      int fresh = 0;
      for (int y = top; y < top + height; y++) {
        for (int x = first; x < first + width; x++) {
          fresh += hidden[y * columns + x] ? 0 : 1;
        }
      }
      if (fresh > 0 && fresh <= most) {
        for (int y = top; y < top + height; y++) {
          Arrays.fill(hidden, y * columns + first, y * columns + first + width, true);
        }
        return fresh;
      }
    }
    return 0;
  }

  /** Hides so many more, each equally likely (Fisher and Yates). */
  private static void scatter(boolean[] hidden, int count, RandomStream random) {
    int[] open = new int[hidden.length];
    int size = 0;
    for (int i = 0; i < hidden.length; i++) {
      if (!hidden[i]) {
        open[size++] = i;
      }
    }
    for (int i = 0; i < count; i++) {
      int other = i + random.below(size - i);
      hidden[open[other]] = true;
      open[other] = open[i];
    }
  }
}
