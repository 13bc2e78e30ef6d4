package dev.fovea.kernels.cpu;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.simd.Reductions;
import org.jspecify.annotations.Nullable;

/**
 * {@link dev.fovea.kernels.TokenKernels#assemble}. Prefix and patches are each one run of elements in an image's
 * output; a block takes a range of one of the two through a group of images, so that its positions are loaded once.
 */
final class TokenAssembly implements Grid {
  /** Elements that a block takes of each image: the run of memory it streams through. */
  static final int RANGE = 8192;

  /** Elements staged at a time. */
  static final int CHUNK = 1024;

  private static final int IMAGES = 16;

  private final Staging staging;
  private final Reductions reductions;
  private int batch;
  private long prefixLength;
  private long patchLength;
  private int prefixRanges;
  private int ranges;
  private Span patches = Spans.NONE;
  private Span prefix = Spans.NONE;
  private Span positions = Spans.NONE;
  private Span out = Spans.NONE;

  TokenAssembly(Staging staging, Reductions reductions) {
    this.staging = staging;
    this.reductions = reductions;
  }

  void run(
      WorkerPool pool,
      int batch,
      int prefixes,
      int patchCount,
      int width,
      Span patches,
      @Nullable Span prefix,
      @Nullable Span positions,
      Span out) {
    this.batch = batch;
    prefixLength = (long) prefixes * width;
    patchLength = (long) patchCount * width;
    this.patches = patches;
    this.prefix = Spans.orNone(prefix);
    this.positions = Spans.orNone(positions);
    this.out = out;
    prefixRanges = ranges(prefixLength);
    ranges = prefixRanges + ranges(patchLength);
    pool.run(this, Math.multiplyExact(ranges, (batch + IMAGES - 1) / IMAGES));
  }

  static int ranges(long length) {
    return Math.toIntExact((length + RANGE - 1) / RANGE);
  }

  @Override
  public void block(int index, Scratch scratch) {
    int range = index % ranges;
    int firstImage = index / ranges * IMAGES;
    int lastImage = Math.min(batch, firstImage + IMAGES);
    if (range < prefixRanges) {
      prefixRange((long) range * RANGE, firstImage, lastImage, scratch);
    } else {
      patchRange((long) (range - prefixRanges) * RANGE, firstImage, lastImage, scratch);
    }
  }

  private void prefixRange(long first, int firstImage, int lastImage, Scratch scratch) {
    int count = (int) Math.min(RANGE, prefixLength - first);
    float[] values = scratch.floats(0, RANGE);
    staging.load(prefix, first, values, 0, count);
    if (positions.count() > patchLength) {
      float[] position = scratch.floats(1, RANGE);
      staging.load(positions, first, position, 0, count);
      reductions.add(position, 0, values, 0, count);
    }
    for (int image = firstImage; image < lastImage; image++) {
      staging.store(values, 0, out, image * (prefixLength + patchLength) + first, count);
    }
  }

  private void patchRange(long first, int firstImage, int lastImage, Scratch scratch) {
    int count = (int) Math.min(RANGE, patchLength - first);
    float[] position = scratch.floats(1, RANGE);
    boolean positioned = positions.count() > 0;
    if (positioned) {
      staging.load(positions, positions.count() - patchLength + first, position, 0, count);
    }
    for (int image = firstImage; image < lastImage; image++) {
      long from = image * patchLength + first;
      long to = image * (prefixLength + patchLength) + prefixLength + first;
      if (!positioned && patches.dtype() == out.dtype()) {
        Spans.copy(patches, from, out, to, count);
      } else if (positioned && patches.dtype() == DType.F32 && out.dtype() == DType.F32) {
        reductions.addF32(patches.address() + 4 * from, position, 0, out.address() + 4 * to, count);
      } else {
        patchRun(from, to, count, position, positioned, scratch);
      }
    }
  }

  private void patchRun(long from, long to, int count, float[] position, boolean positioned, Scratch scratch) {
    float[] values = scratch.floats(0, RANGE);
    for (int at = 0; at < count; at += CHUNK) {
      int n = Math.min(CHUNK, count - at);
      staging.load(patches, from + at, values, 0, n);
      if (positioned) {
        reductions.add(position, at, values, 0, n);
      }
      staging.store(values, 0, out, to + at, n);
    }
  }
}
