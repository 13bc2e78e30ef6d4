package dev.fovea.kernels.ptx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Kernels as {@code nvcc} compiles them; skipped where it is not. */
class CompiledKernelTest {
  private static String ptx = "";

  @BeforeAll
  static void compile(@TempDir Path folder) throws IOException, InterruptedException {
    ptx = Nvcc.compile(folder, "compiled.cu", "compute_80");
  }

  private static float[] bfloats(Random random, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = Rounding.fromBfloat(Rounding.toBfloat(random.nextFloat() - 0.5f, Rounding.Mode.NEAREST));
    }
    return values;
  }

  private static int[] packed(float[] values) {
    int[] words = new int[values.length / 2];
    for (int i = 0; i < values.length; i++) {
      words[i / 2] |= Float.floatToRawIntBits(values[i]) >>> 16 << 16 * (i % 2);
    }
    return words;
  }

  @Test
  void products() {
    int m = 100;
    int n = 72;
    int k = 136;
    Random random = new Random(1);
    float[] a = bfloats(random, m * k);
    float[] b = bfloats(random, n * k);
    try (Machine machine = new Machine(2, Checks.ALL)) {
      Kernel kernel = machine.load("compiled.ptx", ptx).kernel("product");
      long c = machine.allocate(4L * m * n);
      int[] grid = {2, 2, 1};
      machine.launch(kernel, grid, 128, 16384, machine.upload(packed(a)), machine.upload(packed(b)), c, m, n, k, 1);
      float[] got = machine.floats(c, m * n);
      for (int i = 0; i < m; i++) {
        for (int j = 0; j < n; j++) {
          double sum = 0;
          for (int l = 0; l < k; l++) {
            sum += (double) a[i * k + l] * b[j * k + l];
          }
          assertEquals(sum, got[i * n + j], 1e-5, "row " + i + ", column " + j);
        }
      }
    }
  }

  @Test
  void aBarrierThatIsLeftOutIsMissed() {
    try (Machine machine = new Machine()) {
      Kernel kernel = machine.load("compiled.ptx", ptx).kernel("product");
      long a = machine.upload(new int[64 * 128 / 2]);
      long c = machine.allocate(4 * 64 * 64);
      PtxException fault =
          assertThrows(PtxException.class, () -> machine.launch(kernel, 1, 128, 16384, a, a, c, 64, 64, 128, 0));
      assertTrue(fault.getMessage().contains("race: "), fault.getMessage());
      assertTrue(fault.getMessage().contains("compiled.cu:"), fault.getMessage());
      assertTrue(fault.getMessage().contains("kernel product"), fault.getMessage());
    }
  }

  @Test
  void matricesThatAreTooSmallAreNoticed() {
    try (Machine machine = new Machine()) {
      Kernel kernel = machine.load("compiled.ptx", ptx).kernel("product");
      long a = machine.upload(new int[64 * 128 / 2]);
      long c = machine.allocate(4 * 64 * 64 - 4);
      PtxException fault =
          assertThrows(PtxException.class, () -> machine.launch(kernel, 1, 128, 16384, a, a, c, 64, 64, 128, 1));
      assertTrue(fault.getMessage().contains("thread (127,0,0): writes 4 bytes at"), fault.getMessage());
      assertTrue(fault.getMessage().contains("0 bytes past the end of allocation (16380 bytes"), fault.getMessage());
    }
  }

  @Test
  void functionsOfTheLibrary() {
    int n = 1000;
    Random random = new Random(2);
    float[] x = new float[n];
    double[] want = new double[12];
    for (int i = 0; i < n; i++) {
      x[i] = random.nextFloat() * 4 - 1.5f;
      double v = x[i];
      want[0] += v * (i % 4 + 1);
      want[1] += Math.exp(v);
      want[2] += Math.log1p(v * v);
      want[3] += Math.tanh(v);
      want[4] += erf(v);
      want[5] += Math.sin(x[i] * 100000f);
      want[6] += Math.pow(Math.abs(v) + 0.5, 1.7f);
      want[7] += v / Math.sqrt(1 + v * v) + 1 / Math.sqrt(2 + v);
      want[8] += Rounding.fromBfloat(Rounding.toBfloat(v));
      want[9] += i * 1234567891011L % 1000 / 7;
      want[10] += Math.sin(v * 1e10);
      want[11] += x[i] * 1000f % 3.3f + Math.cbrt(v) + Math.floor(x[i] * 10f) + Math.rint(x[i] * 3f);
    }
    try (Machine machine = new Machine()) {
      Kernel kernel = machine.load("compiled.ptx", ptx).kernel("sums");
      long sums = machine.allocate(64);
      long input = machine.upload(x);
      machine.launch(kernel, 1, 128, 0, input, sums, (long) n);
      machine.launch(kernel, 1, 128, 0, input, sums, (long) n);
      float[] got = machine.floats(sums, 13);
      for (int i = 0; i < want.length; i++) {
        assertEquals(want[i], got[i], 2e-5 * n, "sum " + i);
      }
      assertEquals(4, got[12]);
    }
  }

  /** By its series. */
  private static double erf(double x) {
    double term = x;
    double sum = x;
    for (int i = 1; i < 80; i++) {
      term *= -x * x / i;
      sum += term / (2 * i + 1);
    }
    return sum * 2 / Math.sqrt(Math.PI);
  }
}
