package dev.fovea.kernels.cpu;

import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.simd.Reductions;
import org.jspecify.annotations.Nullable;

/**
 * {@link dev.fovea.kernels.TokenKernels#assemble}. Prefix and patches are each one run of elements in an image's output;
 * a block takes a chunk of one of the two through a group of images, so that its positions are loaded once.
 */
final class TokenAssembly implements Grid {
  static final int CHUNK = 2048;
  private static final int IMAGES = 16;

  private final Staging staging;
  private final Reductions reductions;
  private int batch;
  private long prefixLength;
  private long patchLength;
  private int prefixChunks;
  private int chunks;
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
    prefixChunks = chunks(prefixLength);
    chunks = prefixChunks + chunks(patchLength);
    pool.run(this, Math.multiplyExact(chunks, (batch + IMAGES - 1) / IMAGES));
  }

  static int chunks(long length) {
    return Math.toIntExact((length + CHUNK - 1) / CHUNK);
  }

  @Override
  public void block(int index, Scratch scratch) {
    int chunk = index % chunks;
    int firstImage = index / chunks * IMAGES;
    int lastImage = Math.min(batch, firstImage + IMAGES);
    if (chunk < prefixChunks) {
      prefixChunk((long) chunk * CHUNK, firstImage, lastImage, scratch);
    } else {
      patchChunk((long) (chunk - prefixChunks) * CHUNK, firstImage, lastImage, scratch);
    }
  }

  private void prefixChunk(long first, int firstImage, int lastImage, Scratch scratch) {
    int count = (int) Math.min(CHUNK, prefixLength - first);
    float[] values = scratch.floats(0, CHUNK);
    staging.load(prefix, first, values, 0, count);
    if (positions.count() > patchLength) {
      float[] position = scratch.floats(1, CHUNK);
      staging.load(positions, first, position, 0, count);
      reductions.add(position, 0, values, 0, count);
    }
    for (int image = firstImage; image < lastImage; image++) {
      staging.store(values, 0, out, image * (prefixLength + patchLength) + first, count);
    }
  }

  private void patchChunk(long first, int firstImage, int lastImage, Scratch scratch) {
    int count = (int) Math.min(CHUNK, patchLength - first);
    float[] values = scratch.floats(0, CHUNK);
    float[] position = scratch.floats(1, CHUNK);
    boolean positioned = positions.count() > 0;
    if (positioned) {
      staging.load(positions, positions.count() - patchLength + first, position, 0, count);
    }
    for (int image = firstImage; image < lastImage; image++) {
      long from = image * patchLength + first;
      long to = image * (prefixLength + patchLength) + prefixLength + first;
      if (!positioned && patches.dtype() == out.dtype()) {
        Spans.copy(patches, from, out, to, count);
        continue;
      }
      staging.load(patches, from, values, 0, count);
      if (positioned) {
        reductions.add(position, 0, values, 0, count);
      }
      staging.store(values, 0, out, to, count);
    }
  }
}
