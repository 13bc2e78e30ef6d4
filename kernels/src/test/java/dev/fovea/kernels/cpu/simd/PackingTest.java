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

  private static float[] counted(int length) {
    float[] x = new float[length];
    for (int i = 0; i < length; i++) {
      x[i] = i + 1;
    }
    return x;
  }
}
