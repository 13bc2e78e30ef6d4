package dev.fovea.kernels.cpu.simd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.kernels.Activation;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The error bounds that {@link Maths} states, over all of F32, and that both forms give the same bits. */
class MathsTest {
  private static final Maths BEST = Simd.best().maths();
  private static final Maths SCALAR = Simd.scalar().maths();

  /** Every 2,503rd float, 64 of each binade and sign, and dense runs where the functions bend. */
  private static final float[] INPUTS = inputs();

  private interface Loop {
    void run(Maths maths, float[] x, float[] y);
  }

  @Test
  void oracleAgreesWithPublishedValues() {
    assertEquals(0.5204998778130465, Exact.erf(0.5), 2e-16);
    assertEquals(0.8427007929497149, Exact.erf(1), 2e-16);
    assertEquals(0.9953222650189527, Exact.erf(2), 2e-16);
    assertEquals(0.15729920705028513, Exact.erfc(1), 1e-15);
    assertEquals(2.209049699858544e-5, Exact.erfc(3), 1e-19);
    assertEquals(1.5374597944280349e-12, Exact.erfc(5), 1e-26);
    assertEquals(2.088487583762545e-45, Exact.erfc(10), 1e-58);
  }

  @Test
  void exp() {
    assertUlps(1, (m, x, y) -> m.exp(x, 0, y, 0, x.length), Math::exp);
  }

  @Test
  void log() {
    assertUlps(1, (m, x, y) -> m.log(x, 0, y, 0, x.length), Math::log);
  }

  @Test
  void tanh() {
    assertUlps(2.5, (m, x, y) -> m.tanh(x, 0, y, 0, x.length), Math::tanh);
  }

  @Test
  void erf() {
    assertUlps(1.5, (m, x, y) -> m.erf(x, 0, y, 0, x.length), Exact::erf);
  }

  @Test
  void sigmoid() {
    assertUlps(2.5, (m, x, y) -> m.sigmoid(x, 0, y, 0, x.length), Exact::sigmoid);
  }

  @ParameterizedTest
  @EnumSource(Activation.class)
  void activations(Activation f) {
    float[] got = run((m, x, y) -> m.activation(f, x, 0, y, 0, x.length));
    double worst = 0;
    double at = 0;
    for (int i = 0; i < got.length; i++) {
      float x = INPUTS[i];
      if (Float.isInfinite(x)) {
        continue;
      }
      double exact = Exact.activation(f, x);
      double amplified = Math.abs(x * Exact.gradient(f, x) / exact);
      double bound =
          (6 + 2 * (exact == 0 ? 0 : amplified)) * 0x1p-24 * Math.abs(exact) + (1 + Math.abs(x)) * Float.MIN_VALUE;
      double error = share(got[i], exact, bound);
      if (error > worst) {
        worst = error;
        at = x;
      }
    }
    assertTrue(worst <= 1, f + ": " + worst + " of the bound, at " + at);
  }

  @ParameterizedTest
  @EnumSource(Activation.class)
  void gradients(Activation f) {
    float[] dy = new float[INPUTS.length];
    Arrays.fill(dy, 1f);
    float[] got = run((m, x, y) -> m.activationGradient(f, x, 0, dy, 0, y, 0, x.length));
    double worst = 0;
    double at = 0;
    for (int i = 0; i < got.length; i++) {
      float x = INPUTS[i];
      if (Float.isInfinite(x) || Math.abs(x) > 1e9) {
        continue;
      }
      double exact = Exact.gradient(f, x);
      double bound = f == Activation.TANH ? 6 * 0x1p-24 * exact + Float.MIN_NORMAL * 0x1p-20 : 4 * 0x1p-24;
      double error = share(got[i], exact, bound);
      if (error > worst) {
        worst = error;
        at = x;
      }
    }
    assertTrue(worst <= 1, f + ": " + worst + " of the bound, at " + at);
  }

  @ParameterizedTest
  @EnumSource(Activation.class)
  void streamsGiveTheSameBits(Activation f) {
    int count = INPUTS.length;
    float[] slopes = new float[count];
    Arrays.fill(slopes, -3f);
    try (Arena arena = Arena.ofConfined()) {
      long x = arena.allocateFrom(ValueLayout.JAVA_FLOAT, INPUTS).address();
      long dy = arena.allocateFrom(ValueLayout.JAVA_FLOAT, slopes).address();
      MemorySegment to = arena.allocate(ValueLayout.JAVA_FLOAT, count);
      float[] expected = run((m, in, y) -> m.activation(f, in, 0, y, 0, count));
      Simd.best().streams().activation(f, x, to.address(), count);
      assertArrayEquals(expected, to.toArray(ValueLayout.JAVA_FLOAT), f.toString());
      expected = run((m, in, y) -> m.activationGradient(f, in, 0, slopes, 0, y, 0, count));
      Simd.best().streams().activationGradient(f, x, dy, to.address(), count);
      assertArrayEquals(expected, to.toArray(ValueLayout.JAVA_FLOAT), f + "'");
    }
  }

  @Test
  void limitsStandAtTheInfinities() {
    float[] x = {Float.NEGATIVE_INFINITY, -1e30f, 1e30f, Float.POSITIVE_INFINITY};
    float[] y = new float[4];
    float[] ones = {1, 1, 1, 1};
    for (Activation f :
        new Activation[] {Activation.GELU_ERF, Activation.GELU_TANH, Activation.GELU_QUICK, Activation.SILU}) {
      BEST.activation(f, x, 0, y, 0, 4);
      assertArrayEquals(new float[] {0, 0, 1e30f, Float.POSITIVE_INFINITY}, y, 0f, f.toString());
      BEST.activationGradient(f, x, 0, ones, 0, y, 0, 4);
      assertArrayEquals(new float[] {0, 0, 1, 1}, y, 0f, f.toString());
    }
  }

  @Test
  void touchesNothingPastTheEnd() {
    for (int count = 0; count < 40; count++) {
      float[] y = new float[64];
      BEST.exp(new float[43], 3, y, 5, count);
      for (int i = 0; i < y.length; i++) {
        assertEquals(i >= 5 && i < 5 + count ? 1f : 0f, y[i]);
      }
    }
  }

  private static void assertUlps(double bound, Loop loop, DoubleUnaryOperator oracle) {
    float[] got = run(loop);
    double worst = 0;
    double at = 0;
    for (int i = 0; i < got.length; i++) {
      double exact = oracle.applyAsDouble(INPUTS[i]);
      double error = share(got[i], exact, Math.ulp((float) exact));
      if (error > worst) {
        worst = error;
        at = INPUTS[i];
      }
    }
    assertTrue(worst <= bound, worst + " ulp at " + at);
  }

  /** Results of the best form, checked bit by bit against the scalar one. */
  private static float[] run(Loop loop) {
    float[] y = new float[INPUTS.length];
    float[] scalar = new float[INPUTS.length];
    loop.run(BEST, INPUTS, y);
    loop.run(SCALAR, INPUTS, scalar);
    for (int i = 0; i < y.length; i++) {
      if (Float.floatToIntBits(y[i]) != Float.floatToIntBits(scalar[i])) {
        assertEquals(scalar[i], y[i], "forms differ at " + INPUTS[i]);
      }
    }
    return y;
  }

  /** The error as a part of the bound; infinite where one of the two is NaN. */
  private static double share(float got, double exact, double bound) {
    if (Float.floatToIntBits(got) == Float.floatToIntBits((float) exact)) {
      return 0;
    }
    double error = Math.abs(got - exact) / bound;
    return Double.isNaN(error) ? Double.POSITIVE_INFINITY : error;
  }

  private static float[] inputs() {
    int sweep = (int) ((1L << 32) / 2503);
    float[] x = new float[sweep + 512 * 64 + 300_000 + 16];
    int n = 0;
    for (int i = 0; i < sweep; i++) {
      x[n++] = Float.intBitsToFloat(i * 2503);
    }
    SplittableRandom random = new SplittableRandom(7);
    for (int binade = 0; binade < 512; binade++) {
      for (int i = 0; i < 64; i++) {
        x[n++] = Float.intBitsToFloat(binade << 23 | random.nextInt(1 << 23));
      }
    }
    for (int i = 0; i < 100_000; i++) {
      x[n++] = (float) random.nextDouble(-1.5, 1.5);
      x[n++] = (float) random.nextDouble(-14.5, 14.5);
      x[n++] = (float) random.nextDouble(-104.5, 89.5);
    }
    for (float special : new float[] {0f, 1f, 88.72284f, 88.722835f, Float.POSITIVE_INFINITY, Float.NaN, 104f, 0.9f}) {
      x[n++] = special;
      x[n++] = -special;
    }
    return x;
  }
}
