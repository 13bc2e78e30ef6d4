package dev.fovea.kernels.cpu.simd;

import static dev.fovea.kernels.cpu.simd.Memory.ALL;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.nio.ByteOrder;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;
import org.jspecify.annotations.Nullable;

/**
 * {@link Packing} by squares of 4 x 4 in 128-bit vectors, which every machine has, and of 8 x 8 from native memory
 * where vectors are long enough.
 */
final class VectorPacking implements Packing {
  private static final VectorSpecies<Float> S = FloatVector.SPECIES_128;

  /** Lanes 0 and 1 of two vectors in turn, and lanes 2 and 3. */
  private static final VectorShuffle<Float> LOW = VectorShuffle.fromValues(S, 0, 4, 1, 5);

  private static final VectorShuffle<Float> HIGH = VectorShuffle.fromValues(S, 2, 6, 3, 7);

  private static final VectorSpecies<Float> E = FloatVector.SPECIES_256;
  /** Half as wide as a tile. */
  private static final VectorSpecies<Float> P = FloatVector.SPECIES_PREFERRED;

  private static final int LANES = P.length();

  /** Rows that are read at a time from a matrix that is stored across k. */
  private static final int STRETCH = 8;

  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  /** Exchange of neighbours, pairs and halves of eight lanes, and the lanes that each moves up. */
  private static final VectorShuffle<Float> NEIGHBOURS = VectorShuffle.fromOp(E, i -> i ^ 1);

  private static final VectorShuffle<Float> PAIRS = VectorShuffle.fromOp(E, i -> i ^ 2);
  private static final VectorShuffle<Float> HALVES = VectorShuffle.fromOp(E, i -> i ^ 4);
  private static final VectorMask<Float> ODD = VectorMask.fromLong(E, 0xaa);
  private static final VectorMask<Float> ODD_PAIRS = VectorMask.fromLong(E, 0xcc);
  private static final VectorMask<Float> UPPER = VectorMask.fromLong(E, 0xf0);

  @Override
  public void transpose(float[] from, int at, int ld, int rows, int columns, float[] to, int toAt, int ldTo) {
    int r = 0;
    for (; r <= rows - 4; r += 4) {
      fourRows(from, at + r * ld, ld, columns, to, toAt + r, ldTo);
    }
    for (; r < rows; r++) {
      oneRow(from, at + r * ld, columns, to, toAt + r, ldTo);
    }
  }

  private static void oneRow(float[] from, int at, int columns, float[] to, int toAt, int ldTo) {
    for (int c = 0; c < columns; c++) {
      to[toAt + c * ldTo] = from[at + c];
    }
  }

  private static void fourRows(float[] from, int at, int ld, int columns, float[] to, int toAt, int ldTo) {
    int c = 0;
    for (; c <= columns - 4; c += 4) {
      FloatVector r0 = FloatVector.fromArray(S, from, at + c);
      FloatVector r1 = FloatVector.fromArray(S, from, at + ld + c);
      FloatVector r2 = FloatVector.fromArray(S, from, at + 2 * ld + c);
      FloatVector r3 = FloatVector.fromArray(S, from, at + 3 * ld + c);
      FloatVector even0 = r0.rearrange(LOW, r2);
      FloatVector odd0 = r1.rearrange(LOW, r3);
      FloatVector even1 = r0.rearrange(HIGH, r2);
      FloatVector odd1 = r1.rearrange(HIGH, r3);
      even0.rearrange(LOW, odd0).intoArray(to, toAt + c * ldTo);
      even0.rearrange(HIGH, odd0).intoArray(to, toAt + (c + 1) * ldTo);
      even1.rearrange(LOW, odd1).intoArray(to, toAt + (c + 2) * ldTo);
      even1.rearrange(HIGH, odd1).intoArray(to, toAt + (c + 3) * ldTo);
    }
    for (; c < columns; c++) {
      for (int r = 0; r < 4; r++) {
        to[toAt + c * ldTo + r] = from[at + r * ld + c];
      }
    }
  }

  @Override
  public void panel(long from, long ld, int rows, int columns, float[] to, int toAt, int width) {
    for (int r = 0; r < width; r += 8) {
      int whole = FloatVector.SPECIES_PREFERRED.length() < 8 ? 0 : width - r >= 8 ? columns : columns - 1;
      int done = eightRows(from, ld, r, rows - 1, whole, to, toAt + r, width);
      restOfRows(from, ld, r, rows - 1, done, columns, to, toAt, width);
    }
  }

  /**
   * Squares of eight rows from {@code row} on, those behind {@code last} being copies of it. Where a panel is narrower
   * than a vector, the next step of k overwrites what a store wrote too much.
   *
   * @return columns done
   */
  private static int eightRows(long from, long ld, int row, int last, int columns, float[] to, int toAt, int width) {
    long r0 = from + 4 * ld * Math.min(row, last);
    long r1 = from + 4 * ld * Math.min(row + 1, last);
    long r2 = from + 4 * ld * Math.min(row + 2, last);
    long r3 = from + 4 * ld * Math.min(row + 3, last);
    long r4 = from + 4 * ld * Math.min(row + 4, last);
    long r5 = from + 4 * ld * Math.min(row + 5, last);
    long r6 = from + 4 * ld * Math.min(row + 6, last);
    long r7 = from + 4 * ld * Math.min(row + 7, last);
    int c = 0;
    for (; c <= columns - 8; c += 8) {
      long at = 4L * c;
      FloatVector a0 = FloatVector.fromMemorySegment(E, ALL, r0 + at, ORDER);
      FloatVector a1 = FloatVector.fromMemorySegment(E, ALL, r1 + at, ORDER);
      FloatVector a2 = FloatVector.fromMemorySegment(E, ALL, r2 + at, ORDER);
      FloatVector a3 = FloatVector.fromMemorySegment(E, ALL, r3 + at, ORDER);
      FloatVector a4 = FloatVector.fromMemorySegment(E, ALL, r4 + at, ORDER);
      FloatVector a5 = FloatVector.fromMemorySegment(E, ALL, r5 + at, ORDER);
      FloatVector a6 = FloatVector.fromMemorySegment(E, ALL, r6 + at, ORDER);
      FloatVector a7 = FloatVector.fromMemorySegment(E, ALL, r7 + at, ORDER);
      FloatVector b0 = a0.blend(a1.rearrange(NEIGHBOURS), ODD);
      FloatVector b1 = a0.rearrange(NEIGHBOURS).blend(a1, ODD);
      FloatVector b2 = a2.blend(a3.rearrange(NEIGHBOURS), ODD);
      FloatVector b3 = a2.rearrange(NEIGHBOURS).blend(a3, ODD);
      FloatVector b4 = a4.blend(a5.rearrange(NEIGHBOURS), ODD);
      FloatVector b5 = a4.rearrange(NEIGHBOURS).blend(a5, ODD);
      FloatVector b6 = a6.blend(a7.rearrange(NEIGHBOURS), ODD);
      FloatVector b7 = a6.rearrange(NEIGHBOURS).blend(a7, ODD);
      FloatVector c0 = b0.blend(b2.rearrange(PAIRS), ODD_PAIRS);
      FloatVector c1 = b1.blend(b3.rearrange(PAIRS), ODD_PAIRS);
      FloatVector c2 = b0.rearrange(PAIRS).blend(b2, ODD_PAIRS);
      FloatVector c3 = b1.rearrange(PAIRS).blend(b3, ODD_PAIRS);
      FloatVector c4 = b4.blend(b6.rearrange(PAIRS), ODD_PAIRS);
      FloatVector c5 = b5.blend(b7.rearrange(PAIRS), ODD_PAIRS);
      FloatVector c6 = b4.rearrange(PAIRS).blend(b6, ODD_PAIRS);
      FloatVector c7 = b5.rearrange(PAIRS).blend(b7, ODD_PAIRS);
      c0.blend(c4.rearrange(HALVES), UPPER).intoArray(to, toAt + c * width);
      c1.blend(c5.rearrange(HALVES), UPPER).intoArray(to, toAt + (c + 1) * width);
      c2.blend(c6.rearrange(HALVES), UPPER).intoArray(to, toAt + (c + 2) * width);
      c3.blend(c7.rearrange(HALVES), UPPER).intoArray(to, toAt + (c + 3) * width);
      c0.rearrange(HALVES).blend(c4, UPPER).intoArray(to, toAt + (c + 4) * width);
      c1.rearrange(HALVES).blend(c5, UPPER).intoArray(to, toAt + (c + 5) * width);
      c2.rearrange(HALVES).blend(c6, UPPER).intoArray(to, toAt + (c + 6) * width);
      c3.rearrange(HALVES).blend(c7, UPPER).intoArray(to, toAt + (c + 7) * width);
    }
    return c;
  }

  private static void restOfRows(
      long from, long ld, int row, int last, int begin, int columns, float[] to, int toAt, int width) {
    for (int r = row; r < Math.min(row + 8, width); r++) {
      for (int c = begin; c < columns; c++) {
        to[toAt + c * width + r] = ALL.get(JAVA_FLOAT, from + 4 * (ld * Math.min(r, last) + c));
      }
    }
  }

  @Override
  public void across(
      long from, long ld, int rows, int panels, float[] to, int toAt, int width, float @Nullable [] sums, int sumsAt) {
    int size = rows * width;
    int p = 0;
    if (width == 2 * LANES) {
      twoVectors(from, ld, rows, panels, to, toAt, sums, sumsAt);
      return;
    }
    int whole = width == 6 ? rows - 1 : rows; // the row behind overwrites what is too much
    for (; p <= panels - 4; p += 4) {
      fourEights(from + 4L * p * width, ld, whole, to, toAt + p * size, size, width, sums, sumsAt + p * width);
    }
    for (; p < panels; p++) {
      oneEight(from + 4L * p * width, ld, whole, to, toAt + p * size, width, sums, sumsAt + p * width);
    }
    if (whole < rows) {
      lastRow(from + 4 * (whole * ld), panels, to, toAt + whole * width, size, width, sums, sumsAt);
    }
  }

  /** A few rows of all panels at a time: memory is fast in long stretches. */
  private static void twoVectors(
      long from, long ld, int rows, int panels, float[] to, int toAt, float @Nullable [] sums, int sumsAt) {
    int width = 2 * LANES;
    if (sums != null) {
      Arrays.fill(sums, sumsAt, sumsAt + panels * width, 0f);
    }
    for (int r = 0; r < rows; r += STRETCH) {
      int count = Math.min(STRETCH, rows - r);
      for (int p = 0; p < panels; p++) {
        long at = from + 4 * (r * ld + (long) p * width);
        int out = toAt + (p * rows + r) * width;
        twoVectors(at, ld, count, to, out);
        if (sums != null) {
          sum(to, out, count, sums, sumsAt + p * width);
        }
      }
    }
  }

  private static void twoVectors(long from, long ld, int rows, float[] to, int toAt) {
    for (int r = 0; r < rows; r++) {
      long at = from + 4 * (r * ld);
      FloatVector.fromMemorySegment(P, ALL, at, ORDER).intoArray(to, toAt + 2 * r * LANES);
      FloatVector.fromMemorySegment(P, ALL, at + 4L * LANES, ORDER).intoArray(to, toAt + (2 * r + 1) * LANES);
    }
  }

  private static void sum(float[] x, int at, int rows, float[] sums, int sumsAt) {
    FloatVector left = FloatVector.fromArray(P, sums, sumsAt);
    FloatVector right = FloatVector.fromArray(P, sums, sumsAt + LANES);
    for (int r = 0; r < rows; r++) {
      left = left.add(FloatVector.fromArray(P, x, at + 2 * r * LANES));
      right = right.add(FloatVector.fromArray(P, x, at + (2 * r + 1) * LANES));
    }
    left.intoArray(sums, sumsAt);
    right.intoArray(sums, sumsAt + LANES);
  }

  /** Four panels side by side, whose rows share lines of memory. */
  private static void fourEights(
      long from, long ld, int rows, float[] to, int toAt, int size, int width, float @Nullable [] sums, int sumsAt) {
    FloatVector s0 = FloatVector.zero(E);
    FloatVector s1 = FloatVector.zero(E);
    FloatVector s2 = FloatVector.zero(E);
    FloatVector s3 = FloatVector.zero(E);
    for (int r = 0; r < rows; r++) {
      long at = from + 4 * (r * ld);
      int out = toAt + r * width;
      FloatVector x0 = FloatVector.fromMemorySegment(E, ALL, at, ORDER);
      FloatVector x1 = FloatVector.fromMemorySegment(E, ALL, at + 4L * width, ORDER);
      FloatVector x2 = FloatVector.fromMemorySegment(E, ALL, at + 8L * width, ORDER);
      FloatVector x3 = FloatVector.fromMemorySegment(E, ALL, at + 12L * width, ORDER);
      x0.intoArray(to, out);
      x1.intoArray(to, out + size);
      x2.intoArray(to, out + 2 * size);
      x3.intoArray(to, out + 3 * size);
      s0 = s0.add(x0);
      s1 = s1.add(x1);
      s2 = s2.add(x2);
      s3 = s3.add(x3);
    }
    if (sums != null) {
      VectorMask<Float> mask = E.indexInRange(0, width);
      s0.intoArray(sums, sumsAt, mask);
      s1.intoArray(sums, sumsAt + width, mask);
      s2.intoArray(sums, sumsAt + 2 * width, mask);
      s3.intoArray(sums, sumsAt + 3 * width, mask);
    }
  }

  private static void oneEight(
      long from, long ld, int rows, float[] to, int toAt, int width, float @Nullable [] sums, int sumsAt) {
    FloatVector sum = FloatVector.zero(E);
    for (int r = 0; r < rows; r++) {
      FloatVector x = FloatVector.fromMemorySegment(E, ALL, from + 4 * (r * ld), ORDER);
      x.intoArray(to, toAt + r * width);
      sum = sum.add(x);
    }
    if (sums != null) {
      sum.intoArray(sums, sumsAt, E.indexInRange(0, width));
    }
  }

  private static void lastRow(
      long from, int panels, float[] to, int toAt, int size, int width, float @Nullable [] sums, int sumsAt) {
    for (int c = 0; c < panels * width; c++) {
      float x = ALL.get(JAVA_FLOAT, from + 4L * c);
      to[toAt + c / width * size + c % width] = x;
      if (sums != null) {
        sums[sumsAt + c] += x;
      }
    }
  }

  @Override
  public void copy(float[] from, int at, int ld, int rows, int columns, float[] to, int toAt, int ldTo) {
    if (columns == 8 && FloatVector.SPECIES_PREFERRED.length() >= 8) {
      eights(from, at, ld, rows, to, toAt, ldTo);
    } else if (columns == 6 && ldTo == 6) {
      eights(from, at, ld, rows - 1, to, toAt, 6); // the next row overwrites what is too much
      System.arraycopy(from, at + (rows - 1) * ld, to, toAt + (rows - 1) * 6, 6);
    } else {
      fours(from, at, ld, rows, columns, to, toAt, ldTo);
    }
  }

  /** An A panel: a loop of two rounds inside would take ten times as long. */
  private static void eights(float[] from, int at, int ld, int rows, float[] to, int toAt, int ldTo) {
    for (int r = 0; r < rows; r++) {
      FloatVector.fromArray(E, from, at + r * ld).intoArray(to, toAt + r * ldTo);
    }
  }

  private static void fours(float[] from, int at, int ld, int rows, int columns, float[] to, int toAt, int ldTo) {
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < columns; c += 4) {
        FloatVector.fromArray(S, from, at + r * ld + c).intoArray(to, toAt + r * ldTo + c);
      }
    }
  }
}
