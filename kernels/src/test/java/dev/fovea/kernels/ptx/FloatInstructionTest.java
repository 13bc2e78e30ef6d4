package dev.fovea.kernels.ptx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Floating-point instructions: exact ones against arithmetic of decimals, approximations within their bounds. */
class FloatInstructionTest {
  private static final float[] EDGES = {
    0f,
    -0f,
    1f,
    -1f,
    0.5f,
    1.5f,
    2.5f,
    -2.5f,
    3e-39f,
    -1e-45f,
    Float.MIN_NORMAL,
    Float.MAX_VALUE,
    65504f,
    65520f,
    0x1.004p0f,
    0x1.008p0f,
    0x1.01p0f,
    0x1.03p0f,
    0x1.002p0f,
    0x1.ffp127f,
    6e-8f,
    3e-8f,
    1e30f
  };

  /** An exact result. */
  @FunctionalInterface
  interface Expected {
    BigDecimal of(BigDecimal a, BigDecimal b, BigDecimal c);
  }

  @FunctionalInterface
  private interface Real {
    double of(double a, double b);
  }

  private static float[] values(int seed, Exact.Format format) {
    Random random = new Random(seed);
    float[] values = new float[600];
    for (int i = 0; i < values.length; i++) {
      float any = random.nextInt(4) == 0
          ? EDGES[random.nextInt(EDGES.length)]
          : Math.scalb(random.nextFloat() * 2 - 1, random.nextInt(format == Exact.Format.F16 ? 24 : 60) - 12);
      values[i] = (float) Exact.round(new BigDecimal(any), format, RoundingMode.HALF_EVEN);
      if (Float.isInfinite(values[i])) {
        values[i] = 1;
      }
    }
    return values;
  }

  private static long bits(float value, Exact.Format format) {
    return switch (format) {
      case F16 -> Float.floatToFloat16(value) & 0xffff;
      case BF16 -> Float.floatToRawIntBits(value) >>> 16;
      default -> Float.floatToRawIntBits(value) & 0xffff_ffffL;
    };
  }

  private static double number(long bits, Exact.Format format) {
    return switch (format) {
      case F16 -> Float.float16ToFloat((short) bits);
      case BF16 -> Float.intBitsToFloat((int) bits << 16);
      default -> Float.intBitsToFloat((int) bits);
    };
  }

  private static DynamicTest exact(
      String text, Exact.Format from, Exact.Format to, RoundingMode mode, Expected expected) {
    return dynamicTest(text, () -> {
      float[] values = values(3, from);
      long[] triples = new long[values.length];
      for (int i = 0; i < values.length; i++) {
        triples[i] = bits(values[i], from);
      }
      long[] got = Snippet.run(text, triples);
      for (int i = 0; i < got.length; i++) {
        int at = 3 * i;
        BigDecimal want =
            expected.of(new BigDecimal(values[at]), new BigDecimal(values[at + 1]), new BigDecimal(values[at + 2]));
        double rounded = Exact.round(want, to, mode);
        // The sign of zero is looked at elsewhere.
        double result = number(got[i], to) + 0.0;
        assertEquals(rounded, result, () -> text + " of " + values[at] + ", " + values[at + 1] + ", " + values[at + 2]);
      }
    });
  }

  private static DynamicTest f32(String text, RoundingMode mode, Expected expected) {
    return exact(text, Exact.Format.F32, Exact.Format.F32, mode, expected);
  }

  private static DynamicTest near(String text, double bound, float least, float most, Real expected) {
    return dynamicTest(text, () -> {
      Random random = new Random(5);
      long[] triples = new long[900];
      for (int i = 0; i < triples.length; i++) {
        triples[i] = Float.floatToRawIntBits(least + (most - least) * random.nextFloat()) & 0xffff_ffffL;
      }
      long[] got = Snippet.run(text, triples);
      for (int i = 0; i < got.length; i++) {
        double want =
            expected.of(Float.intBitsToFloat((int) triples[3 * i]), Float.intBitsToFloat((int) triples[3 * i + 1]));
        double result = Float.intBitsToFloat((int) got[i]);
        assertTrue(Math.abs(result - want) <= bound * Math.abs(want) + 1e-38, text + ": " + result + ", not " + want);
      }
    });
  }

  @TestFactory
  Stream<DynamicTest> singles() {
    RoundingMode even = RoundingMode.HALF_EVEN;
    return Stream.of(
        f32("add.rn.f32 %fd, %fa, %fb;", even, (a, b, c) -> a.add(b)),
        f32("add.rz.f32 %fd, %fa, %fb;", RoundingMode.DOWN, (a, b, c) -> a.add(b)),
        f32("add.rm.f32 %fd, %fa, %fb;", RoundingMode.FLOOR, (a, b, c) -> a.add(b)),
        f32("sub.rp.f32 %fd, %fa, %fb;", RoundingMode.CEILING, (a, b, c) -> a.subtract(b)),
        f32("mul.f32 %fd, %fa, %fb;", even, (a, b, c) -> a.multiply(b)),
        f32("mul.rp.f32 %fd, %fa, %fb;", RoundingMode.CEILING, (a, b, c) -> a.multiply(b)),
        f32("fma.rn.f32 %fd, %fa, %fb, %fc;", even, (a, b, c) -> a.multiply(b).add(c)),
        f32(
            "fma.rm.f32 %fd, %fa, %fb, %fc;",
            RoundingMode.FLOOR, (a, b, c) -> a.multiply(b).add(c)),
        f32(
            "fma.rz.f32 %fd, %fa, %fb, %fc;",
            RoundingMode.DOWN, (a, b, c) -> a.multiply(b).add(c)),
        f32(
            "abs.f32 %fb, %fb; add.f32 %fb, %fb, 0f3F800000; div.rn.f32 %fd, %fa, %fb;",
            even, (a, b, c) -> a.divide(rounded(b.abs().add(BigDecimal.ONE)), new MathContext(120))),
        f32(
            "abs.f32 %fa, %fa; sqrt.rn.f32 %fd, %fa;",
            even, (a, b, c) -> a.abs().sqrt(new MathContext(60))),
        f32("min.f32 %fd, %fa, %fb;", even, (a, b, c) -> a.min(b)),
        f32("max.f32 %fd, %fa, %fb;", even, (a, b, c) -> a.max(b)),
        f32("neg.f32 %fd, %fa;", even, (a, b, c) -> a.negate()),
        f32(
            "add.sat.f32 %fd, %fa, %fb;",
            even, (a, b, c) -> a.add(b).max(BigDecimal.ZERO).min(BigDecimal.ONE)),
        f32("cvt.rni.f32.f32 %fd, %fa;", even, (a, b, c) -> a.setScale(0, RoundingMode.HALF_EVEN)),
        f32("cvt.rmi.f32.f32 %fd, %fa;", even, (a, b, c) -> a.setScale(0, RoundingMode.FLOOR)),
        f32("cvt.rzi.f32.f32 %fd, %fa;", even, (a, b, c) -> a.setScale(0, RoundingMode.DOWN)),
        f32(
            "cvt.f64.f32 %Fa, %fa; cvt.f64.f32 %Fb, %fb; mul.f64 %Fc, %Fa, %Fb; cvt.rp.f32.f64 %fd, %Fc;",
            RoundingMode.CEILING, (a, b, c) -> a.multiply(b)),
        f32(
            "cvt.rni.s32.f32 %d, %fa; cvt.rn.f32.s32 %fd, %d;",
            even,
            (a, b, c) -> a.setScale(0, RoundingMode.HALF_EVEN)
                .min(new BigDecimal(Integer.MAX_VALUE))
                .max(new BigDecimal(Integer.MIN_VALUE))),
        f32(
            "cvt.rzi.u64.f32 %D, %fa; cvt.rn.f32.u64 %fd, %D;",
            even,
            (a, b, c) -> a.setScale(0, RoundingMode.DOWN).max(BigDecimal.ZERO).min(new BigDecimal(Math.pow(2, 64)))));
  }

  private static BigDecimal rounded(BigDecimal value) {
    return new BigDecimal(Exact.round(value, Exact.Format.F32, RoundingMode.HALF_EVEN));
  }

  @TestFactory
  Stream<DynamicTest> halves() {
    RoundingMode even = RoundingMode.HALF_EVEN;
    Exact.Format f32 = Exact.Format.F32;
    Exact.Format f16 = Exact.Format.F16;
    Exact.Format bf16 = Exact.Format.BF16;
    return Stream.of(
        exact("cvt.rn.bf16.f32 %hd, %fa;", f32, bf16, even, (a, b, c) -> a),
        exact("cvt.rz.bf16.f32 %hd, %fa;", f32, bf16, RoundingMode.DOWN, (a, b, c) -> a),
        exact("cvt.rn.f16.f32 %hd, %fa;", f32, f16, even, (a, b, c) -> a),
        exact("cvt.rz.f16.f32 %hd, %fa;", f32, f16, RoundingMode.DOWN, (a, b, c) -> a),
        exact("cvt.rn.bf16x2.f32 %d, %fa, %fb; mov.b32 {%hd, %hc}, %d;", f32, bf16, even, (a, b, c) -> b),
        exact("cvt.rn.bf16x2.f32 %d, %fa, %fb; mov.b32 {%hc, %hd}, %d;", f32, bf16, even, (a, b, c) -> a),
        exact("cvt.rn.f16x2.f32 %d, %fa, %fb; mov.b32 {%hc, %hd}, %d;", f32, f16, even, (a, b, c) -> a),
        exact("cvt.rn.relu.bf16.f32 %hd, %fa;", f32, bf16, even, (a, b, c) -> a.max(BigDecimal.ZERO)),
        exact(
            "cvt.rna.tf32.f32 %d, %fa; mov.b32 %fd, %d;", f32, Exact.Format.TF32, RoundingMode.HALF_UP, (a, b, c) -> a),
        exact("cvt.f32.bf16 %fd, %ha;", bf16, f32, even, (a, b, c) -> a),
        exact("cvt.f32.f16 %fd, %ha;", f16, f32, even, (a, b, c) -> a),
        exact("add.rn.bf16 %hd, %ha, %hb;", bf16, bf16, even, (a, b, c) -> a.add(b)),
        exact("mul.rn.bf16 %hd, %ha, %hb;", bf16, bf16, even, (a, b, c) -> a.multiply(b)),
        exact(
            "fma.rn.bf16 %hd, %ha, %hb, %hc;",
            bf16, bf16, even, (a, b, c) -> a.multiply(b).add(c)),
        exact(
            "fma.rn.relu.bf16 %hd, %ha, %hb, %hc;",
            bf16, bf16, even, (a, b, c) -> a.multiply(b).add(c).max(BigDecimal.ZERO)),
        exact("add.f16 %hd, %ha, %hb;", f16, f16, even, (a, b, c) -> a.add(b)),
        exact("sub.f16 %hd, %ha, %hb;", f16, f16, even, (a, b, c) -> a.subtract(b)),
        exact(
            "fma.rn.f16 %hd, %ha, %hb, %hc;",
            f16, f16, even, (a, b, c) -> a.multiply(b).add(c)),
        exact(
            "mov.b32 %a, {%ha, %hb}; mov.b32 %b, {%hb, %hc}; add.f16x2 %d, %a, %b; mov.b32 {%ha, %hd}, %d;",
            f16, f16, even, (a, b, c) -> b.add(c)),
        exact(
            "mov.b32 %a, {%ha, %hb}; mov.b32 %b, {%hb, %hc}; fma.rn.bf16x2 %d, %a, %b, %b; mov.b32 {%hd, %ha}, %d;",
            bf16, bf16, even, (a, b, c) -> a.multiply(b).add(b)),
        exact("max.bf16 %hd, %ha, %hb;", bf16, bf16, even, (a, b, c) -> a.max(b)),
        exact("neg.bf16 %hd, %ha;", bf16, bf16, even, (a, b, c) -> a.negate()));
  }

  @TestFactory
  Stream<DynamicTest> approximations() {
    double ulp = 0x1p-22;
    return Stream.of(
        near("ex2.approx.ftz.f32 %fd, %fa;", ulp, -20, 20, (a, b) -> Math.pow(2, a)),
        near("lg2.approx.f32 %fd, %fa;", ulp, 1.5f, 100, (a, b) -> Math.log(a) / Math.log(2)),
        near("rcp.approx.ftz.f32 %fd, %fa;", ulp, 0.1f, 50, (a, b) -> 1 / a),
        near("rsqrt.approx.f32 %fd, %fa;", ulp, 0.1f, 50, (a, b) -> 1 / Math.sqrt(a)),
        near("sqrt.approx.ftz.f32 %fd, %fa;", ulp, 0.1f, 50, (a, b) -> Math.sqrt(a)),
        near("div.approx.f32 %fd, %fa, %fb;", ulp, 0.1f, 50, (a, b) -> a / b),
        near("div.full.f32 %fd, %fa, %fb;", ulp, 0.1f, 50, (a, b) -> a / b),
        near("tanh.approx.f32 %fd, %fa;", 0x1p-11, -5, 5, (a, b) -> Math.tanh(a)),
        near("sin.approx.f32 %fd, %fa;", ulp, 0.1f, 3, (a, b) -> Math.sin(a)),
        near("cos.approx.f32 %fd, %fa;", ulp, 0.1f, 1.5f, (a, b) -> Math.cos(a)));
  }

  /** Bits of one result. */
  private static int single(String text, float a, float b) {
    long[] triple = {Float.floatToRawIntBits(a) & 0xffff_ffffL, Float.floatToRawIntBits(b) & 0xffff_ffffL, 0};
    return (int) Snippet.run(text, triple)[0];
  }

  @TestFactory
  Stream<DynamicTest> specials() {
    float nan = Float.NaN;
    float infinity = Float.POSITIVE_INFINITY;
    return Stream.of(
        bits("min.f32 %fd, %fa, %fb;", nan, 2f, 2f),
        bits("max.f32 %fd, %fa, %fb;", 2f, nan, 2f),
        bits("max.NaN.f32 %fd, %fa, %fb;", 2f, nan, nan),
        bits("min.f32 %fd, %fa, %fb;", -0f, 0f, -0f),
        bits("copysign.f32 %fd, %fa, %fb;", -0f, 3f, -3f),
        bits("copysign.f32 %fd, %fa, %fb;", 2f, -3f, 3f),
        bits("add.ftz.f32 %fd, %fa, %fb;", 1e-39f, 0f, 0f),
        bits("mul.ftz.f32 %fd, %fa, %fb;", 1e-30f, -1e-10f, -0f),
        bits("mul.f32 %fd, %fa, %fb;", 1e-30f, 1e-10f, 1e-30f * 1e-10f),
        bits("add.rm.f32 %fd, %fa, %fb;", infinity, 1f, infinity),
        bits("fma.rm.f32 %fd, %fa, %fb, %fa;", infinity, 1f, infinity),
        bits("ex2.approx.ftz.f32 %fd, %fa;", Float.NEGATIVE_INFINITY, 0f, 0f),
        bits("ex2.approx.f32 %fd, %fa;", 3f, 0f, 8f),
        bits("lg2.approx.f32 %fd, %fa;", 0f, 0f, Float.NEGATIVE_INFINITY),
        bits("rcp.approx.f32 %fd, %fa;", 0f, 0f, infinity),
        bits("cvt.sat.f32.f32 %fd, %fa;", nan, 0f, 0f),
        bits("cvt.rzi.s32.f32 %d, %fa; cvt.rn.f32.s32 %fd, %d;", nan, 0f, 0f),
        bits("cvt.rzi.s32.f32 %d, %fa; cvt.rn.f32.s32 %fd, %d;", 1e20f, 0f, 0x1p31f),
        bits("cvt.rzi.u32.f32 %d, %fa; cvt.rn.f32.u32 %fd, %d;", -3f, 0f, 0f),
        bits("setp.lt.f32 %pq, %fa, %fb; selp.f32 %fd, 0f3F800000, 0f00000000, %pq;", nan, 1f, 0f),
        bits("setp.ltu.f32 %pq, %fa, %fb; selp.f32 %fd, 0f3F800000, 0f00000000, %pq;", nan, 1f, 1f),
        bits("setp.neu.f32 %pq, %fa, %fb; selp.f32 %fd, 0f3F800000, 0f00000000, %pq;", nan, 1f, 1f),
        bits("setp.nan.f32 %pq, %fa, %fb; selp.f32 %fd, 0f3F800000, 0f00000000, %pq;", nan, 1f, 1f),
        bits("testp.infinite.f32 %pq, %fa; selp.f32 %fd, 0f3F800000, 0f00000000, %pq;", infinity, 1f, 1f),
        bits("testp.subnormal.f32 %pq, %fa; selp.f32 %fd, 0f3F800000, 0f00000000, %pq;", 1e-39f, 1f, 1f));
  }

  private static DynamicTest bits(String text, float a, float b, float expected) {
    return dynamicTest(text + " of " + a + ", " + b, () -> {
      float got = Float.intBitsToFloat(single(text, a, b));
      assertEquals(Float.floatToIntBits(expected), Float.floatToIntBits(got), () -> "got " + got);
    });
  }
}
