package dev.fovea.kernels.cpu.simd;

import static dev.fovea.kernels.cpu.simd.Memory.ALL;

import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/** {@link Pixels} with the Vector API; pixels of other than three channels are split and merged in plain Java. */
final class VectorPixels extends ScalarPixels {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final int LANES = F.length();
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  // Of three vectors of RGBRGB..., lane i of channel c is value 3 i + c.
  private static final VectorShuffle<Float> RED = VectorShuffle.fromOp(F, i -> 3 * i % LANES);
  private static final VectorShuffle<Float> GREEN = VectorShuffle.fromOp(F, i -> (3 * i + 1) % LANES);
  private static final VectorShuffle<Float> BLUE = VectorShuffle.fromOp(F, i -> (3 * i + 2) % LANES);
  private static final VectorMask<Float> RED_IN_2 = source(0, 1);
  private static final VectorMask<Float> RED_IN_3 = source(0, 2);
  private static final VectorMask<Float> GREEN_IN_2 = source(1, 1);
  private static final VectorMask<Float> GREEN_IN_3 = source(1, 2);
  private static final VectorMask<Float> BLUE_IN_2 = source(2, 1);
  private static final VectorMask<Float> BLUE_IN_3 = source(2, 2);

  // Lane i of the k-th vector of RGBRGB... is channel j % 3 of pixel j / 3 where j = k LANES + i.
  private static final VectorShuffle<Float> FIRST = VectorShuffle.fromOp(F, i -> i / 3);
  private static final VectorShuffle<Float> SECOND = VectorShuffle.fromOp(F, i -> (LANES + i) / 3);
  private static final VectorShuffle<Float> THIRD = VectorShuffle.fromOp(F, i -> (2 * LANES + i) / 3);
  private static final VectorMask<Float> FIRST_GREEN = channel(0, 1);
  private static final VectorMask<Float> FIRST_BLUE = channel(0, 2);
  private static final VectorMask<Float> SECOND_GREEN = channel(1, 1);
  private static final VectorMask<Float> SECOND_BLUE = channel(1, 2);
  private static final VectorMask<Float> THIRD_GREEN = channel(2, 1);
  private static final VectorMask<Float> THIRD_BLUE = channel(2, 2);

  /** The lanes of channel {@code c} that come from source vector {@code k}. */
  private static VectorMask<Float> source(int c, int k) {
    boolean[] lanes = new boolean[LANES];
    for (int i = 0; i < LANES; i++) {
      lanes[i] = (3 * i + c) / LANES == k;
    }
    return VectorMask.fromArray(F, lanes, 0);
  }

  /** The lanes of target vector {@code k} that hold channel {@code c}. */
  private static VectorMask<Float> channel(int k, int c) {
    boolean[] lanes = new boolean[LANES];
    for (int i = 0; i < LANES; i++) {
      lanes[i] = (k * LANES + i) % 3 == c;
    }
    return VectorMask.fromArray(F, lanes, 0);
  }

  @Override
  public void cut(float[] row, int at, int patches, int width, float scale, float shift, long out, int step) {
    int whole = F.loopBound(width);
    for (int x = 0; x < whole; x += LANES) {
      cutVector(row, at + x, patches, width, scale, shift, out + 4L * x, step);
    }
    if (whole < width) {
      cutPart(row, at + whole, patches, width, width - whole, scale, shift, out + 4L * whole, step);
    }
  }

  /** One vector of every patch. */
  private static void cutVector(
      float[] row, int at, int patches, int width, float scale, float shift, long out, int step) {
    FloatVector a = FloatVector.broadcast(F, scale);
    FloatVector b = FloatVector.broadcast(F, shift);
    for (int p = 0; p < patches; p++) {
      FloatVector.fromArray(F, row, at + p * width).fma(a, b).intoMemorySegment(ALL, out + 4L * p * step, ORDER);
    }
  }

  /** The first lanes of a vector of every patch. */
  private static void cutPart(
      float[] row, int at, int patches, int width, int count, float scale, float shift, long out, int step) {
    VectorMask<Float> mask = F.indexInRange(0, count);
    FloatVector a = FloatVector.broadcast(F, scale);
    FloatVector b = FloatVector.broadcast(F, shift);
    for (int p = 0; p < patches; p++) {
      FloatVector.fromArray(F, row, at + p * width, mask)
          .fma(a, b)
          .intoMemorySegment(ALL, out + 4L * p * step, ORDER, mask);
    }
  }

  @Override
  public void join(long x, int step, int patches, int width, float[] row, int rowAt) {
    for (int i = 0; i < width; i += LANES) {
      joinVector(x + 4L * i, step, patches, width, Math.min(LANES, width - i), row, rowAt + i);
    }
  }

  /** At most one vector of every patch. */
  private static void joinVector(long x, int step, int patches, int width, int count, float[] row, int rowAt) {
    VectorMask<Float> mask = F.indexInRange(0, count);
    for (int p = 0; p < patches; p++) {
      FloatVector.fromMemorySegment(F, ALL, x + 4L * p * step, ORDER, mask).intoArray(row, rowAt + p * width, mask);
    }
  }

  @Override
  public void split(float[] x, int at, int count, int channels, float[] planes, int planesAt) {
    if (channels != 3) {
      super.split(x, at, count, channels, planes, planesAt);
      return;
    }
    int end = F.loopBound(count);
    for (int i = 0; i < end; i += LANES) {
      FloatVector u = FloatVector.fromArray(F, x, at + 3 * i);
      FloatVector v = FloatVector.fromArray(F, x, at + 3 * i + LANES);
      FloatVector w = FloatVector.fromArray(F, x, at + 3 * i + 2 * LANES);
      u.rearrange(RED)
          .blend(v.rearrange(RED), RED_IN_2)
          .blend(w.rearrange(RED), RED_IN_3)
          .intoArray(planes, planesAt + i);
      u.rearrange(GREEN)
          .blend(v.rearrange(GREEN), GREEN_IN_2)
          .blend(w.rearrange(GREEN), GREEN_IN_3)
          .intoArray(planes, planesAt + count + i);
      u.rearrange(BLUE)
          .blend(v.rearrange(BLUE), BLUE_IN_2)
          .blend(w.rearrange(BLUE), BLUE_IN_3)
          .intoArray(planes, planesAt + 2 * count + i);
    }
    for (int c = 0; c < 3; c++) {
      splitFrom(end, x, at + c, count, 3, planes, planesAt + c * count);
    }
  }

  @Override
  public void merge(float[] planes, int planesAt, int count, int channels, float[] x, int at) {
    if (channels != 3) {
      super.merge(planes, planesAt, count, channels, x, at);
      return;
    }
    int end = F.loopBound(count);
    for (int i = 0; i < end; i += LANES) {
      FloatVector r = FloatVector.fromArray(F, planes, planesAt + i);
      FloatVector g = FloatVector.fromArray(F, planes, planesAt + count + i);
      FloatVector b = FloatVector.fromArray(F, planes, planesAt + 2 * count + i);
      int to = at + 3 * i;
      r.rearrange(FIRST)
          .blend(g.rearrange(FIRST), FIRST_GREEN)
          .blend(b.rearrange(FIRST), FIRST_BLUE)
          .intoArray(x, to);
      r.rearrange(SECOND)
          .blend(g.rearrange(SECOND), SECOND_GREEN)
          .blend(b.rearrange(SECOND), SECOND_BLUE)
          .intoArray(x, to + LANES);
      r.rearrange(THIRD)
          .blend(g.rearrange(THIRD), THIRD_GREEN)
          .blend(b.rearrange(THIRD), THIRD_BLUE)
          .intoArray(x, to + 2 * LANES);
    }
    for (int c = 0; c < 3; c++) {
      mergeFrom(end, planes, planesAt + c * count, count, 3, x, at + c);
    }
  }
}
