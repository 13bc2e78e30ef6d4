package dev.fovea.kernels.cpu.simd;

import static dev.fovea.kernels.cpu.simd.Memory.ALL;

import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** {@link Reductions} with the Vector API. */
final class VectorReductions implements Reductions {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Integer> I = IntVector.SPECIES_PREFERRED;
  private static final int LANES = F.length();
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  /** All bits but the sign: as integers, magnitudes keep their order, and NaNs are above infinity. */
  private static final int MAGNITUDE = Integer.MAX_VALUE;

  private static final Reductions SCALAR = new ScalarReductions();

  @Override
  public float sum(float[] x, int at, int count) {
    if (count == 0) {
      return 0;
    }
    int n = count;
    while (n >= 8 * LANES && n % 4 == 0) {
      n /= 4;
      quarter(x, at, n);
    }
    return halve(x, at, n);
  }

  @Override
  public float sumOfSquares(float[] x, int at, int count) {
    if (count >= 8 * LANES && count % 4 == 0) {
      quarterOfSquares(x, at, count / 4);
      return sum(x, at, count / 4);
    }
    square(x, at, count);
    return sum(x, at, count);
  }

  /** Two steps of halving at once: 4n values become n. */
  private static void quarter(float[] x, int at, int n) {
    int i = at;
    for (int end = at + F.loopBound(n); i < end; i += LANES) {
      var even = FloatVector.fromArray(F, x, i).add(FloatVector.fromArray(F, x, i + 2 * n));
      var odd = FloatVector.fromArray(F, x, i + n).add(FloatVector.fromArray(F, x, i + 3 * n));
      even.add(odd).intoArray(x, i);
    }
    for (; i < at + n; i++) {
      x[i] = (x[i] + x[i + 2 * n]) + (x[i + n] + x[i + 3 * n]);
    }
  }

  private static void quarterOfSquares(float[] x, int at, int n) {
    int i = at;
    for (int end = at + F.loopBound(n); i < end; i += LANES) {
      var a = FloatVector.fromArray(F, x, i);
      var b = FloatVector.fromArray(F, x, i + n);
      var c = FloatVector.fromArray(F, x, i + 2 * n);
      var d = FloatVector.fromArray(F, x, i + 3 * n);
      a.mul(a).add(c.mul(c)).add(b.mul(b).add(d.mul(d))).intoArray(x, i);
    }
    for (; i < at + n; i++) {
      float even = x[i] * x[i] + x[i + 2 * n] * x[i + 2 * n];
      float odd = x[i + n] * x[i + n] + x[i + 3 * n] * x[i + 3 * n];
      x[i] = even + odd;
    }
  }

  private static void square(float[] x, int at, int count) {
    int i = at;
    for (int end = at + F.loopBound(count); i < end; i += LANES) {
      var v = FloatVector.fromArray(F, x, i);
      v.mul(v).intoArray(x, i);
    }
    for (; i < at + count; i++) {
      x[i] *= x[i];
    }
  }

  private static float halve(float[] x, int at, int count) {
    for (int n = count; n > 1; n -= n / 2) {
      int half = n - n / 2;
      int i = at;
      for (int end = at + F.loopBound(n / 2); i < end; i += LANES) {
        FloatVector.fromArray(F, x, i)
            .add(FloatVector.fromArray(F, x, i + half))
            .intoArray(x, i);
      }
      for (; i < at + n / 2; i++) {
        x[i] += x[i + half];
      }
    }
    return x[at];
  }

  @Override
  public float maxAbs(float[] x, int at, int count) {
    IntVector a = IntVector.zero(I);
    IntVector b = a;
    int i = at;
    int end = at + count;
    for (; i <= end - 2 * LANES; i += 2 * LANES) {
      a = FloatVector.fromArray(F, x, i).reinterpretAsInts().and(MAGNITUDE).max(a);
      b = FloatVector.fromArray(F, x, i + LANES)
          .reinterpretAsInts()
          .and(MAGNITUDE)
          .max(b);
    }
    for (; i < end; i += LANES) {
      VectorMask<Float> rest = F.indexInRange(i, end);
      a = FloatVector.fromArray(F, x, i, rest)
          .reinterpretAsInts()
          .and(MAGNITUDE)
          .max(a);
    }
    return Float.intBitsToFloat(a.max(b).reduceLanes(VectorOperators.MAX));
  }

  @Override
  public void columnSums(float[] x, int at, int rows, int columns, float[] sums, int sumsAt) {
    int c = 0;
    for (; c <= columns - 4 * LANES; c += 4 * LANES) {
      fourColumns(x, at + c, rows, columns, sums, sumsAt + c);
    }
    for (; c < columns; c += LANES) {
      fewColumns(Math.min(LANES, columns - c), x, at + c, rows, columns, sums, sumsAt + c);
    }
  }

  private static void fourColumns(float[] x, int at, int rows, int ld, float[] sums, int sumsAt) {
    var a = FloatVector.fromArray(F, sums, sumsAt);
    var b = FloatVector.fromArray(F, sums, sumsAt + LANES);
    var c = FloatVector.fromArray(F, sums, sumsAt + 2 * LANES);
    var d = FloatVector.fromArray(F, sums, sumsAt + 3 * LANES);
    for (int r = 0, i = at; r < rows; r++, i += ld) {
      a = FloatVector.fromArray(F, x, i).add(a);
      b = FloatVector.fromArray(F, x, i + LANES).add(b);
      c = FloatVector.fromArray(F, x, i + 2 * LANES).add(c);
      d = FloatVector.fromArray(F, x, i + 3 * LANES).add(d);
    }
    a.intoArray(sums, sumsAt);
    b.intoArray(sums, sumsAt + LANES);
    c.intoArray(sums, sumsAt + 2 * LANES);
    d.intoArray(sums, sumsAt + 3 * LANES);
  }

  /** At most one vector of columns. The mask is made here, because as an argument it may become an object. */
  private static void fewColumns(int count, float[] x, int at, int rows, int ld, float[] sums, int sumsAt) {
    VectorMask<Float> mask = F.indexInRange(0, count);
    var a = FloatVector.fromArray(F, sums, sumsAt, mask);
    for (int r = 0, i = at; r < rows; r++, i += ld) {
      a = FloatVector.fromArray(F, x, i, mask).add(a);
    }
    a.intoArray(sums, sumsAt, mask);
  }

  @Override
  public void addF32(long from, float[] x, int at, long to, int count) {
    int whole = F.loopBound(count);
    for (int i = 0; i < whole; i += LANES) {
      FloatVector.fromMemorySegment(F, ALL, from + 4L * i, ORDER)
          .add(FloatVector.fromArray(F, x, at + i))
          .intoMemorySegment(ALL, to + 4L * i, ORDER);
    }
    SCALAR.addF32(from + 4L * whole, x, at + whole, to + 4L * whole, count - whole);
  }

  @Override
  public void add(float[] x, int xAt, float[] y, int yAt, int count) {
    int i = 0;
    for (int end = F.loopBound(count); i < end; i += LANES) {
      FloatVector.fromArray(F, y, yAt + i)
          .add(FloatVector.fromArray(F, x, xAt + i))
          .intoArray(y, yAt + i);
    }
    if (i < count) {
      VectorMask<Float> rest = F.indexInRange(i, count);
      FloatVector.fromArray(F, y, yAt + i, rest)
          .add(FloatVector.fromArray(F, x, xAt + i, rest))
          .intoArray(y, yAt + i, rest);
    }
  }
}
