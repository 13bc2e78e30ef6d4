package dev.fovea.vit.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Masks: as many patches as said, by the seed, and in rectangles where these are asked for. */
final class MaskingTest {
  private static final int ROWS = 14;
  private static final int COLUMNS = 11;

  @ParameterizedTest
  @EnumSource
  void hidesAsManyAsSaid(Masking.Pattern pattern) {
    for (double share : new double[] {0.01, 0.3, 0.5, 0.75, 0.99}) {
      Masking masking = new Masking(pattern, share);
      int expected = (int) Math.round(share * ROWS * COLUMNS);
      for (int step = 0; step < 50; step++) {
        int[] hidden = masking.sample(ROWS, COLUMNS, new RandomStream(7, step));
        assertEquals(expected, hidden.length);
        assertArrayEquals(Arrays.stream(hidden).distinct().sorted().toArray(), hidden);
        assertTrue(hidden[0] >= 0 && hidden[hidden.length - 1] < ROWS * COLUMNS);
      }
    }
    assertEquals(1, new Masking(pattern, 0.9).sample(1, 2, new RandomStream(0, 0)).length);
  }

  @ParameterizedTest
  @EnumSource
  void followsFromSeedAndStep(Masking.Pattern pattern) {
    Masking masking = new Masking(pattern, 0.4);
    int[] one = masking.sample(ROWS, COLUMNS, new RandomStream(1, 2));
    assertArrayEquals(one, masking.sample(ROWS, COLUMNS, new RandomStream(1, 2)));
    assertFalse(Arrays.equals(one, masking.sample(ROWS, COLUMNS, new RandomStream(1, 3))));
    assertFalse(Arrays.equals(one, masking.sample(ROWS, COLUMNS, new RandomStream(2, 2))));
  }

  /** Within five deviations of what equal chances make of 2000 masks. */
  @Test
  void everyPatchIsHiddenAsOften() {
    int masks = 2000;
    int[] counts = new int[ROWS * COLUMNS];
    for (int step = 0; step < masks; step++) {
      for (int patch : new Masking(Masking.Pattern.RANDOM, 0.5).sample(ROWS, COLUMNS, new RandomStream(3, step))) {
        counts[patch]++;
      }
    }
    double deviation = Math.sqrt(masks * 0.25);
    for (int count : counts) {
      assertEquals(masks / 2.0, count, 5 * deviation);
    }
  }

  /** Hidden patches that are neighbours: four in ten pairs if each lay by itself, most of them in blocks. */
  @Test
  void blocksHangTogether() {
    assertEquals(0.4, together(Masking.Pattern.RANDOM), 0.05);
    assertTrue(together(Masking.Pattern.BLOCKS) > 0.7, "share " + together(Masking.Pattern.BLOCKS));
  }

  /** The share of right neighbours of hidden patches that are hidden too. */
  private static double together(Masking.Pattern pattern) {
    int both = 0;
    int all = 0;
    for (int step = 0; step < 200; step++) {
      boolean[] hidden = new boolean[ROWS * COLUMNS];
      for (int patch : new Masking(pattern, 0.4).sample(ROWS, COLUMNS, new RandomStream(5, step))) {
        hidden[patch] = true;
      }
      for (int i = 0; i < hidden.length; i++) {
        if (hidden[i] && i % COLUMNS < COLUMNS - 1) {
          all++;
          both += hidden[i + 1] ? 1 : 0;
        }
      }
    }
    return (double) both / all;
  }

  @Test
  void saysWhatIsWrong() {
    for (double share : new double[] {0, 1, Double.NaN}) {
      assertEquals(
          "share: got " + share + ", expected a number between 0 and 1",
          assertThrows(IllegalArgumentException.class, () -> new Masking(Masking.Pattern.RANDOM, share))
              .getMessage());
    }
    assertEquals(
        "patches: got 1, expected at least 2",
        assertThrows(IllegalArgumentException.class, () -> new Masking(Masking.Pattern.RANDOM, 0.5).count(1))
            .getMessage());
  }
}
