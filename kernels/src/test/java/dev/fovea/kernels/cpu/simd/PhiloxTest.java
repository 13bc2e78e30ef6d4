package dev.fovea.kernels.cpu.simd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.fovea.kernels.reference.ReferenceRandom;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class PhiloxTest {
  /** Key, counter and words from Random123's kat_vectors. */
  private static final int[][][] KNOWN = {
    {{0, 0}, {0, 0, 0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{-1, -1}, {-1, -1, -1, -1}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {
      {0xa4093822, 0x299f31d0},
      {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
      {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}
    }
  };

  private static long join(int low, int high) {
    return (long) high << 32 | low & 0xffffffffL;
  }

  @Test
  void knownAnswers() {
    for (int[][] known : KNOWN) {
      int[] key = known[0];
      int[] counter = known[1];
      assertArrayEquals(known[2], ReferenceRandom.philox(counter, key));
      long seed = join(key[0], key[1]);
      long step = join(counter[2], counter[3]);
      long block = join(counter[0], counter[1]);
      int[] words = new int[4];
      ScalarPhilox.block(seed, step, block, 0, words, 0, 4);
      assertArrayEquals(known[2], words);
      int[] more = new int[64];
      VectorPhilox.blocks(seed, step, block, more, 0);
      assertArrayEquals(known[2], Arrays.copyOf(more, 4));
    }
  }

  /** Any stretch of the stream, from any element on, beyond 2^32 blocks too. */
  @Test
  void anyStretchOfTheStream() {
    for (Philox philox : new Philox[] {Simd.best().philox(), Simd.scalar().philox()}) {
      for (long first : new long[] {0, 1, 2, 3, 4, 1023, (1L << 34) - 30, (1L << 60) + 5}) {
        for (int count : new int[] {0, 1, 2, 5, 31, 32, 33, 35, 100}) {
          int[] words = new int[count + 7];
          philox.words(77, -5, first, words, 3, count);
          for (int i = 0; i < words.length; i++) {
            boolean in = i >= 3 && i < 3 + count;
            int expected = in ? ReferenceRandom.word(77, -5, first + i - 3) : 0;
            assertEquals(expected, words[i], "element " + (first + i - 3) + ", " + count + " from " + first);
          }
        }
      }
    }
  }

  /** Every angle that is a multiple of 2^-12 turns, and their neighbours, against Math.cos and Math.sin. */
  @Test
  void cosineAndSineOverAWholeTurn() {
    for (Philox philox : new Philox[] {Simd.best().philox(), Simd.scalar().philox()}) {
      int count = 4096;
      int[] words = new int[2 * count];
      float[] values = new float[2 * count];
      for (int near = -1; near <= 1; near++) {
        for (int i = 0; i < count; i++) {
          words[2 * i + 1] = (i << 12) + near << 8; // word 2i is zero: r = sqrt(48 ln 2)
        }
        philox.normal(words, 0, 1, values, values.length);
        double r = Math.sqrt(48 * Math.log(2));
        for (int i = 0; i < count; i++) {
          double angle = 2 * Math.PI * (words[2 * i + 1] >>> 8) * 0x1p-24;
          assertClose(r * Math.cos(angle), values[2 * i]);
          assertClose(r * Math.sin(angle), values[2 * i + 1]);
        }
      }
    }
  }

  private static void assertClose(double expected, float got) {
    assertEquals(expected, got, 6 * 0x1p-24 * Math.abs(expected) + 1e-14);
  }
}
