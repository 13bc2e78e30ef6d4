package dev.fovea.kernels.cpu;

import static dev.fovea.kernels.cpu.TokenAssembly.CHUNK;
import static dev.fovea.kernels.cpu.TokenAssembly.RANGE;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.Sums;
import dev.fovea.kernels.cpu.simd.Reductions;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * {@link dev.fovea.kernels.TokenKernels#assembleGradient}. A block takes one range of the prefix or the patches through
 * all images in order, so it alone adds to its part of the sums.
 */
final class TokenAssemblyGradient implements Grid {
  private final Staging staging;
  private final Reductions reductions;
  private int batch;
  private long prefixLength;
  private long patchLength;
  private int prefixRanges;
  private Span dOut = Spans.NONE;
  private Span dPatches = Spans.NONE;
  private Sums dPrefix = Spans.NO_SUMS;
  private Sums dPositions = Spans.NO_SUMS;

  TokenAssemblyGradient(Staging staging, Reductions reductions) {
    this.staging = staging;
    this.reductions = reductions;
  }

  void run(
      WorkerPool pool,
      int batch,
      int prefixes,
      int patchCount,
      int width,
      Span dOut,
      @Nullable Span dPatches,
      @Nullable Sums dPrefix,
      @Nullable Sums dPositions) {
    this.batch = batch;
    prefixLength = (long) prefixes * width;
    patchLength = (long) patchCount * width;
    this.dOut = dOut;
    this.dPatches = Spans.orNone(dPatches);
    this.dPrefix = dPrefix == null ? Spans.NO_SUMS : dPrefix;
    this.dPositions = dPositions == null ? Spans.NO_SUMS : dPositions;
    prefixRanges = TokenAssembly.ranges(prefixLength);
    pool.run(this, prefixRanges + TokenAssembly.ranges(patchLength));
  }

  @Override
  public void block(int index, Scratch scratch) {
    if (index < prefixRanges) {
      prefixRange((long) index * RANGE, scratch);
    } else {
      patchRange((long) (index - prefixRanges) * RANGE, scratch);
    }
  }

  private void prefixRange(long first, Scratch scratch) {
    int count = (int) Math.min(RANGE, prefixLength - first);
    boolean positioned = dPositions.span().count() > patchLength;
    if (dPrefix.span().count() == 0 && !positioned) {
      return;
    }
    float[] sums = scratch.floats(1, RANGE);
    Arrays.fill(sums, 0, count, 0f);
    sum(first, count, Spans.NONE, 0, sums, scratch);
    if (dPrefix.span().count() > 0) {
      put(dPrefix, first, sums, count, scratch);
    }
    if (positioned) {
      put(dPositions, first, sums, count, scratch);
    }
  }

  private void patchRange(long first, Scratch scratch) {
    int count = (int) Math.min(RANGE, patchLength - first);
    if (dPositions.span().count() == 0) {
      if (dPatches.count() > 0) {
        copy(first, count, scratch);
      }
      return;
    }
    float[] sums = scratch.floats(1, RANGE);
    Arrays.fill(sums, 0, count, 0f);
    sum(prefixLength + first, count, dPatches, first, sums, scratch);
    put(dPositions, dPositions.span().count() - patchLength + first, sums, count, scratch);
  }

  /** Adds the range at {@code first} of every image to {@code sums}, and leaves it in {@code copy} if that is given. */
  private void sum(long first, int count, Span copy, long copyFirst, float[] sums, Scratch scratch) {
    float[] values = scratch.floats(0, RANGE);
    for (int image = 0; image < batch; image++) {
      long from = image * (prefixLength + patchLength) + first;
      for (int at = 0; at < count; at += CHUNK) {
        int n = Math.min(CHUNK, count - at);
        staging.load(dOut, from + at, values, 0, n);
        reductions.add(values, 0, sums, at, n);
        if (copy.count() > 0) {
          staging.store(values, 0, copy, image * patchLength + copyFirst + at, n);
        }
      }
    }
  }

  private void copy(long first, int count, Scratch scratch) {
    float[] values = scratch.floats(0, RANGE);
    DType dtype = dOut.dtype();
    for (int image = 0; image < batch; image++) {
      long from = image * (prefixLength + patchLength) + prefixLength + first;
      long to = image * patchLength + first;
      if (dtype == dPatches.dtype()) {
        Spans.copy(dOut, from, dPatches, to, count);
      } else {
        staging.load(dOut, from, values, 0, count);
        staging.store(values, 0, dPatches, to, count);
      }
    }
  }

  private void put(Sums to, long first, float[] sums, int count, Scratch scratch) {
    float[] values = sums;
    if (to.add()) {
      values = scratch.floats(0, RANGE);
      staging.load(to.span(), first, values, 0, count);
      reductions.add(sums, 0, values, 0, count);
    }
    staging.store(values, 0, to.span(), first, count);
  }
}
