package dev.fovea.kernels.cpu;

import static dev.fovea.kernels.cpu.HeadStage.roundUp;

import dev.fovea.kernels.Attention;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.simd.Columns;
import dev.fovea.kernels.cpu.simd.Simd;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Attention forward as in FlashAttention, transposed: {@code S^T = K Q^T} and {@code O^T = V^T P^T}, so that each query
 * is a vector lane and softmax runs down the columns of S^T without a reduction across lanes. After exp, S^T already is
 * the B operand of the second product. Blocks of keys outside, strips of queries inside: packed keys and values and one
 * strip of S^T stay in cache, and queries with their running maximum, sum and output stay for all blocks of keys.
 */
final class AttentionForward implements HeadKernel {
  /** Floats of the queries of one part. */
  private static final int PART = 1 << 16;

  private static final int MIN_PART_QUERIES = 256;
  private static final int KEY_BLOCK = 256;

  private static final int QUERIES = 1;
  private static final int OUTPUTS = 2;
  private static final int KEYS = 3;
  private static final int VALUES = 4;
  private static final int SCORES = 5;
  private static final int MAXIMA = 6;
  private static final int SUMS = 7;
  private static final int FACTORS = 8;
  private static final int UNUSED = 9;

  private final HeadStage stage;
  private final Columns loops;
  private final int columns;

  private int headDim;
  private int outputStride;
  private float[] q = {};
  private float[] o = {};
  private float[] k = {};
  private float[] v = {};
  private float[] s = {};
  private float[] max = {};
  private float[] sum = {};
  private float[] factor = {};
  private float[] unused = {};

  AttentionForward(Simd simd) {
    stage = new HeadStage(simd);
    loops = simd.columns();
    columns = stage.columns;
  }

  @Override
  public int parts(Attention call) {
    return Math.ceilDiv(call.queries, Math.max(MIN_PART_QUERIES, PART / call.headDim));
  }

  @Override
  public void run(Attention call, @Nullable Span weights, int image, int head, int part, Scratch scratch) {
    int perPart = roundUp(Math.ceilDiv(call.queries, parts(call)), columns);
    int first = part * perPart;
    int count = Math.min(perPart, call.queries - first);
    if (count <= 0) {
      return;
    }
    int keys = HeadStage.validKeys(call.lengths(), image, call.keys);
    int block = roundUp(Math.ceilDiv(keys, Math.ceilDiv(keys, KEY_BLOCK)), stage.rows);
    begin(call.headDim, count, block, scratch);
    long row = (long) image * call.queries + first;
    long column = (long) head * headDim;
    loadQueries(call, row, column, count);
    for (int key = 0; key < keys; key += block) {
      int n = Math.min(block, keys - key);
      loadKeys(call, (long) image * call.keys + key, column, n);
      for (int i = 0; i < count; i += columns) {
        attend(i, stage.width(count - i), n, key == 0);
      }
    }
    store(call, row, column, count);
    if (call.lse() != null) {
      logSums(count);
      stage.storeFloats(sum, 0, call.lse(), ((long) image * call.heads + head) * call.queries + first, count);
    }
  }

  private void begin(int headDim, int queries, int keys, Scratch scratch) {
    this.headDim = headDim;
    stage.begin(headDim, scratch);
    outputStride = roundUp(headDim, stage.rows);
    int padded = roundUp(queries, columns);
    q = scratch.floats(QUERIES, padded * headDim);
    o = scratch.floats(OUTPUTS, padded * outputStride);
    k = scratch.floats(KEYS, keys * headDim);
    v = scratch.floats(VALUES, keys * outputStride);
    s = scratch.floats(SCORES, keys * columns);
    max = scratch.floats(MAXIMA, padded);
    sum = scratch.zeros(SUMS, padded);
    factor = scratch.floats(FACTORS, columns);
    unused = scratch.zeros(UNUSED, columns);
    Arrays.fill(max, 0, padded, Float.NEGATIVE_INFINITY);
  }

  private void loadQueries(Attention call, long row, long column, int count) {
    for (int i = 0; i < count; i += columns) {
      stage.strip(call.q(), row + i, column, Math.min(columns, count - i), call.scale(), q, i * headDim);
    }
  }

  private void loadKeys(Attention call, long row, long column, int count) {
    stage.panels(call.k(), row, column, count, k, 0);
    stage.transposedPanels(call.v(), row, column, count, v, 0);
  }

  /** One strip of queries meets one block of keys: an online softmax step. */
  private void attend(int query, int width, int keys, boolean first) {
    stage.multiply(keys, headDim, k, stage.rows * headDim, q, query * headDim, s, 0, width, false);
    System.arraycopy(max, query, factor, 0, width);
    loops.max(s, 0, keys, width, max, query);
    if (!first) {
      loops.exp(factor, 0, 1, width, max, query, unused, 0);
      loops.scale(sum, query, 1, width, factor, 0);
      loops.scale(o, query * outputStride, headDim, width, factor, 0);
    }
    loops.exp(s, 0, keys, width, max, query, sum, query);
    stage.multiply(headDim, keys, v, keys * stage.rows, s, 0, o, query * outputStride, width, !first);
  }

  private void store(Attention call, long row, long column, int count) {
    for (int i = 0; i < count; i += columns) {
      int n = Math.min(columns, count - i);
      for (int j = 0; j < columns; j++) {
        factor[j] = 1 / sum[i + j];
      }
      loops.scale(o, i * outputStride, headDim, stage.width(n), factor, 0);
      stage.storeStrip(o, i * outputStride, call.o(), row + i, column, n);
    }
  }

  private void logSums(int count) {
    for (int i = 0; i < count; i++) {
      sum[i] = (float) (max[i] + Math.log(sum[i]));
    }
  }
}
