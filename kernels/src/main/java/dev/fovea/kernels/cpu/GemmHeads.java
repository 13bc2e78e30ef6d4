package dev.fovea.kernels.cpu;

import static dev.fovea.kernels.cpu.simd.Memory.ALL;

import dev.fovea.kernels.Gemm.QkNorm;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.simd.Arithmetic;
import dev.fovea.kernels.cpu.simd.Simd;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** QK-norm of the heads that lie in one block of a product; a block holds whole heads only. */
final class GemmHeads {
  private static final int WEIGHTS = 5;

  private final Staging staging;
  private final Arithmetic arithmetic;

  GemmHeads(Simd simd, Staging staging) {
    this.staging = staging;
    arithmetic = simd.arithmetic();
  }

  /** Loads query weight, query bias, key weight and key bias into scratch; no bias is 0. */
  void prepare(QkNorm norm, Scratch scratch) {
    int d = norm.headDim();
    float[] weights = scratch.floats(WEIGHTS, 4 * d);
    load(norm.queryWeight(), weights, 0, d);
    load(norm.queryBias(), weights, d, d);
    load(norm.keyWeight(), weights, 2 * d, d);
    load(norm.keyBias(), weights, 3 * d, d);
  }

  private void load(@Nullable Span span, float[] to, int at, int count) {
    if (span != null) {
      staging.load(span, 0, to, at, count);
    } else {
      Arrays.fill(to, at, at + count, 0f);
    }
  }

  /** Heads are numbered through: queries, then keys. */
  private static int firstHead(QkNorm norm, int first) {
    return Math.max(0, Math.ceilDiv(first - norm.begin(), norm.headDim()));
  }

  private static int endHead(QkNorm norm, int first, int count) {
    return Math.min(2 * norm.heads(), Math.floorDiv(first + count - norm.begin(), norm.headDim()));
  }

  void normalize(QkNorm norm, int row, int m, int first, int count, float[] c, int at, Scratch scratch) {
    float[] weights = scratch.floats(WEIGHTS, 4 * norm.headDim());
    int end = endHead(norm, first, count);
    for (int head = firstHead(norm, first); head < end; head++) {
      int headAt = at + norm.begin() + head * norm.headDim() - first;
      if (head < norm.heads()) {
        normalizeHead(norm, norm.queryStats(), row, head, m, c, headAt, weights, 0);
      } else {
        int key = head - norm.heads();
        normalizeHead(norm, norm.keyStats(), row, key, m, c, headAt, weights, 2 * norm.headDim());
      }
    }
  }

  private void normalizeHead(
      QkNorm norm, @Nullable Span stats, int row, int head, int m, float[] c, int at, float[] weights, int weightAt) {
    int d = norm.headDim();
    float mean = norm.centered() ? arithmetic.sum(c, at, d) / d : 0;
    float variance = arithmetic.squaredDeviations(mean, c, at, d) / d;
    float factor = (float) (1 / Math.sqrt(variance + norm.eps()));
    arithmetic.normalize(mean, factor, c, at, weights, weightAt, weights, weightAt + d, c, at, d);
    if (stats != null) {
      long i = (long) row * norm.heads() + head;
      ALL.set(ValueLayout.JAVA_FLOAT, stats.address() + 4 * i, mean);
      ALL.set(ValueLayout.JAVA_FLOAT, stats.address() + 4 * (i + (long) m * norm.heads()), factor);
    }
  }
}
