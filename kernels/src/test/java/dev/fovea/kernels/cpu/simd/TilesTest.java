package dev.fovea.kernels.cpu.simd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every shape of register tiles against the plainest loops. */
class TilesTest {
  private static final int AT = 3;

  static Stream<Tiles> tiles() {
    return Stream.of(new VectorTiles8x2(), new VectorTiles6x2(), new ScalarTiles());
  }

  @ParameterizedTest
  @MethodSource("tiles")
  void packedPanels(Tiles tiles) {
    for (int k : new int[] {1, 2, 7, 64, 257}) {
      for (boolean accumulate : new boolean[] {false, true}) {
        check(tiles, k, false, false, accumulate);
        check(tiles, k, false, true, accumulate);
        if (tiles.readsNative()) {
          checkNative(tiles, k, accumulate);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("tiles")
  void rowsAsTheyLie(Tiles tiles) {
    for (int k : new int[] {1, tiles.columns() - 1, tiles.columns()}) {
      for (boolean accumulate : new boolean[] {false, true}) {
        check(tiles, k, true, false, accumulate);
        check(tiles, k, true, true, accumulate);
      }
    }
  }

  private static void check(Tiles tiles, int k, boolean rowMajor, boolean half, boolean accumulate) {
    int rows = tiles.rows();
    int columns = tiles.columns();
    int ldc = columns + 5;
    float[] a = normal(1, AT + (rowMajor ? rows * columns : rows * k));
    float[] b = normal(2, AT + columns * k);
    float[] c = normal(3, AT + rows * ldc);
    float[] before = c.clone();
    if (rowMajor && half) {
      tiles.multiplyRowsHalf(k, a, AT, b, AT, c, AT, ldc, accumulate);
    } else if (rowMajor) {
      tiles.multiplyRows(k, a, AT, b, AT, c, AT, ldc, accumulate);
    } else if (half) {
      tiles.multiplyHalf(k, a, AT, b, AT, c, AT, ldc, accumulate);
    } else {
      tiles.multiply(k, a, AT, b, AT, c, AT, ldc, accumulate);
    }
    for (int at = 0; at < c.length; at++) {
      int i = Math.floorDiv(at - AT, ldc);
      int j = Math.floorMod(at - AT, ldc);
      if (i < 0 || j >= (half ? columns / 2 : columns)) {
        assertEquals(before[at], c[at], "element outside the tile");
        continue;
      }
      double sum = accumulate ? before[at] : 0;
      for (int p = 0; p < k; p++) {
        sum += (double) a[AT + (rowMajor ? i * columns + p : p * rows + i)] * b[AT + p * columns + j];
      }
      assertEquals(sum, c[at], (k + 2) * 0x1p-24 * 20, "C[" + i + ", " + j + "] for k = " + k);
    }
  }

  @ParameterizedTest
  @MethodSource("tiles")
  void tilesGoOut(Tiles tiles) {
    int columns = tiles.columns();
    int ld = columns + 3;
    float[] c = normal(1, AT + tiles.rows() * ld);
    float[] bias = normal(2, AT + columns);
    float[] old = normal(3, tiles.rows() * ld);
    try (Arena arena = Arena.ofConfined()) {
      for (int rows = 1; rows <= tiles.rows(); rows++) {
        for (boolean residual : new boolean[] {false, true}) {
          MemorySegment to = arena.allocateFrom(ValueLayout.JAVA_FLOAT, old);
          long address = to.address();
          tiles.store(rows, c, AT, ld, bias, AT, residual ? address : 0, ld, address, ld);
          for (int at = 0; at < old.length; at++) {
            boolean inside = at / ld < rows && at % ld < columns;
            float sum = inside ? c[AT + at] + bias[AT + at % ld] : old[at];
            assertEquals(inside && residual ? sum + old[at] : sum, to.getAtIndex(ValueLayout.JAVA_FLOAT, at));
          }
        }
      }
    }
  }

  private static void checkNative(Tiles tiles, int k, boolean accumulate) {
    int columns = tiles.columns();
    float[] a = normal(1, AT + tiles.rows() * k);
    float[] b = normal(2, columns * k);
    float[] expected = normal(3, AT + tiles.rows() * columns);
    float[] c = expected.clone();
    tiles.multiply(k, a, AT, b, 0, expected, AT, columns, accumulate);
    try (Arena arena = Arena.ofConfined()) {
      long panel = arena.allocateFrom(ValueLayout.JAVA_FLOAT, b).address();
      tiles.multiply(k, a, AT, panel, c, AT, columns, accumulate);
    }
    assertArrayEquals(expected, c);
  }

  private static float[] normal(int seed, int length) {
    Random random = new Random(seed);
    float[] x = new float[length];
    for (int i = 0; i < length; i++) {
      x[i] = (float) random.nextGaussian();
    }
    return x;
  }
}
