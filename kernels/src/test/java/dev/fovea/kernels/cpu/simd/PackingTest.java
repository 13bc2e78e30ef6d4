package dev.fovea.kernels.cpu.simd;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Panels against the plainest loops, and what lies around them untouched. */
class PackingTest {
  private static final int AT = 5;

  static Stream<Packing> packings() {
    return Stream.of(new VectorPacking(), new ScalarPacking());
  }

  @ParameterizedTest
  @MethodSource("packings")
  void panelsFromNativeMemory(Packing packing) {
    for (int width : new int[] {4, 6, 8, 16, 32}) {
      for (int columns : new int[] {1, 7, 8, 9, 16, 20, 192}) {
        for (int rows : new int[] {1, width / 2 + 1, width}) {
          panel(packing, rows, columns, width);
        }
      }
    }
  }

  private static void panel(Packing packing, int rows, int columns, int width) {
    int ld = columns + 3;
    float[] to = new float[AT + columns * width + AT];
    try (Arena arena = Arena.ofConfined()) {
      long from = arena.allocateFrom(ValueLayout.JAVA_FLOAT, counted(rows * ld)).address();
      packing.panel(from, ld, rows, columns, to, AT, width);
    }
    for (int i = 0; i < to.length; i++) {
      int c = Math.floorDiv(i - AT, width);
      int r = Math.min(Math.floorMod(i - AT, width), rows - 1);
      assertEquals(c < 0 || c >= columns ? 0 : r * ld + c + 1, to[i], rows + " x " + columns + " to " + width);
    }
  }

  @ParameterizedTest
  @MethodSource("packings")
  void copiesOfPanels(Packing packing) {
    for (int width : new int[] {4, 6, 8, 16, 32}) {
      for (int rows : new int[] {1, 2, 16}) {
        int ld = width + 5;
        float[] to = new float[AT + rows * width + AT];
        packing.copy(counted(2 + rows * ld), 2, ld, rows, width, to, AT, width);
        for (int i = 0; i < to.length; i++) {
          int r = Math.floorDiv(i - AT, width);
          int c = Math.floorMod(i - AT, width);
          assertEquals(r < 0 || r >= rows ? 0 : 2 + r * ld + c + 1, to[i], rows + " rows of " + width);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("packings")
  void panelsAcross(Packing packing) {
    Tiles tiles = packing instanceof VectorPacking ? VectorTiles.best() : new ScalarTiles();
    for (int width : new int[] {tiles.rows(), tiles.columns()}) {
      for (int rows : new int[] {1, 2, 7, 8, 17}) {
        for (int panels : new int[] {1, 3, 4, 9}) {
          across(packing, rows, panels, width, false);
          across(packing, rows, panels, width, true);
        }
      }
    }
  }

  private static void across(Packing packing, int rows, int panels, int width, boolean sum) {
    int lanes = panels * width;
    int ld = lanes + 3;
    float[] to = new float[AT + rows * lanes + AT];
    float[] sums = new float[AT + lanes + AT];
    try (Arena arena = Arena.ofConfined()) {
      long from = arena
          .allocateFrom(ValueLayout.JAVA_FLOAT, counted((rows - 1) * ld + lanes))
          .address();
      packing.across(from, ld, rows, panels, to, AT, width, sum ? sums : null, AT);
    }
    for (int i = 0; i < to.length; i++) {
      int r = Math.floorMod(i - AT, rows * width) / width;
      int c = Math.floorDiv(i - AT, rows * width) * width + Math.floorMod(i - AT, width);
      assertEquals(i < AT || c >= lanes ? 0 : r * ld + c + 1, to[i], rows + " x " + lanes + " to " + width);
    }
    for (int i = 0; i < sums.length; i++) {
      int c = i - AT;
      int expected = !sum || c < 0 || c >= lanes ? 0 : rows * (c + 1) + ld * (rows * (rows - 1) / 2);
      assertEquals(expected, sums[i], rows + " x " + lanes + " summed");
    }
  }

  private static float[] counted(int length) {
    float[] x = new float[length];
    for (int i = 0; i < length; i++) {
      x[i] = i + 1;
    }
    return x;
  }
}
