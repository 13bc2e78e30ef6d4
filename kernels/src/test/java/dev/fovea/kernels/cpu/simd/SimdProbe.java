package dev.fovea.kernels.cpu.simd;

import dev.fovea.kernels.cpu.CpuKernels;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;

/** What {@link SimdChoiceTest} starts in JVMs of its own: says which form was chosen, then checks a product with it. */
public final class SimdProbe {
  private SimdProbe() {}

  public static void main(String[] args) {
    Simd simd = Simd.best();
    System.out.println("form: " + simd.description());
    System.out.println("again: " + (Simd.best() == simd));
    System.out.println("product: " + product(simd.tiles()));
    System.out.println("bf16: " + bf16(simd.convert()));
    try (CpuKernels kernels = CpuKernels.create()) {
      System.out.println("kernels: " + kernels.description());
    }
  }

  /** Whether small whole numbers multiply as they should. */
  private static boolean product(Tiles tiles) {
    int k = 5;
    int rows = tiles.rows();
    int columns = tiles.columns();
    float[] a = new float[k * rows];
    float[] b = new float[k * columns];
    float[] c = new float[rows * columns];
    for (int i = 0; i < a.length; i++) {
      a[i] = i % 7 - 3;
    }
    for (int i = 0; i < b.length; i++) {
      b[i] = i % 5 - 2;
    }
    tiles.multiply(k, a, 0, b, 0, c, 0, columns, false);
    boolean right = true;
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < columns; j++) {
        float sum = 0;
        for (int p = 0; p < k; p++) {
          sum += a[p * rows + i] * b[p * columns + j];
        }
        right &= c[i * columns + j] == sum;
      }
    }
    return right;
  }

  /** Whether numbers that BF16 holds come back. */
  private static boolean bf16(Convert convert) {
    int count = 37;
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (i - 18) * 0.125f;
    }
    float[] back = new float[count];
    try (Arena arena = Arena.ofConfined()) {
      long address = arena.allocate(ValueLayout.JAVA_SHORT, count).address();
      convert.storeBf16(values, 0, address, count);
      convert.loadBf16(address, back, 0, count);
    }
    return java.util.Arrays.equals(values, back);
  }
}
