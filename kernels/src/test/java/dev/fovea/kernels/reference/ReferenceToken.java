package dev.fovea.kernels.reference;

import dev.fovea.kernels.Span;
import dev.fovea.kernels.Sums;
import dev.fovea.kernels.TokenKernels;
import org.jspecify.annotations.Nullable;

/** {@link TokenKernels} in double precision. */
final class ReferenceToken implements TokenKernels {
  @Override
  public void assemble(
      int batch,
      int prefixes,
      int patchCount,
      int width,
      Span patches,
      @Nullable Span prefix,
      @Nullable Span positions,
      Span out) {
    int tokens = prefixes + patchCount;
    boolean all = positions != null && positions.count() == (long) tokens * width;
    for (int b = 0; b < batch; b++) {
      for (int t = 0; t < tokens; t++) {
        for (int c = 0; c < width; c++) {
          double v = prefix != null && t < prefixes
              ? Mat.get(prefix, (long) t * width + c)
              : Mat.get(patches, ((long) b * patchCount + t - prefixes) * width + c);
          int position = all ? t : t - prefixes;
          if (positions != null && position >= 0) {
            v += Mat.get(positions, (long) position * width + c);
          }
          Mat.set(out, ((long) b * tokens + t) * width + c, v);
        }
      }
    }
  }

  @Override
  public void assembleGradient(
      int batch,
      int prefixes,
      int patchCount,
      int width,
      Span dOut,
      @Nullable Span dPatches,
      @Nullable Sums dPrefix,
      @Nullable Sums dPositions) {
    int tokens = prefixes + patchCount;
    boolean all = dPositions != null && dPositions.span().count() == (long) tokens * width;
    for (int t = 0; t < tokens; t++) {
      for (int c = 0; c < width; c++) {
        double sum = 0;
        for (int b = 0; b < batch; b++) {
          double d = Mat.get(dOut, ((long) b * tokens + t) * width + c);
          sum += d;
          if (dPatches != null && t >= prefixes) {
            Mat.set(dPatches, ((long) b * patchCount + t - prefixes) * width + c, d);
          }
        }
        if (dPrefix != null && t < prefixes) {
          Mat.put(dPrefix, (long) t * width + c, sum);
        }
        int position = all ? t : t - prefixes;
        if (dPositions != null && position >= 0) {
          Mat.put(dPositions, (long) position * width + c, sum);
        }
      }
    }
  }

  @Override
  public void gather(long rows, int width, Span x, Span index, Span out) {
    for (long r = 0; r < rows; r++) {
      for (int c = 0; c < width; c++) {
        Mat.set(out, r * width + c, Mat.get(x, (long) Mat.get(index, r) * width + c));
      }
    }
  }

  @Override
  public void scatterAdd(long rows, int width, Span x, Span index, Span out) {
    for (long r = 0; r < rows; r++) {
      for (int c = 0; c < width; c++) {
        Mat.add(out, (long) Mat.get(index, r) * width + c, Mat.get(x, r * width + c));
      }
    }
  }

  @Override
  public void meanPool(int batch, int tokens, int width, int first, Span x, @Nullable Span lengths, Span out) {
    for (int b = 0; b < batch; b++) {
      int end = lengths == null ? tokens : (int) Mat.get(lengths, b);
      for (int c = 0; c < width; c++) {
        double sum = 0;
        for (int t = first; t < end; t++) {
          sum += Mat.get(x, ((long) b * tokens + t) * width + c);
        }
        Mat.set(out, (long) b * width + c, sum / (end - first));
      }
    }
  }

  @Override
  public void meanPoolGradient(
      int batch, int tokens, int width, int first, Span dOut, @Nullable Span lengths, Span dx) {
    for (int b = 0; b < batch; b++) {
      int end = lengths == null ? tokens : (int) Mat.get(lengths, b);
      for (int t = 0; t < tokens; t++) {
        for (int c = 0; c < width; c++) {
          double d = t >= first && t < end ? Mat.get(dOut, (long) b * width + c) / (end - first) : 0;
          Mat.set(dx, ((long) b * tokens + t) * width + c, d);
        }
      }
    }
  }
}
