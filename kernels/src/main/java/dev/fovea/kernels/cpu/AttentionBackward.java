package dev.fovea.kernels.cpu;

import static dev.fovea.kernels.cpu.HeadStage.roundUp;
import static java.util.Objects.requireNonNull;

import dev.fovea.kernels.Attention;
import dev.fovea.kernels.Attention.Operand;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.simd.Columns;
import dev.fovea.kernels.cpu.simd.Simd;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Attention backward as in FlashAttention, transposed like {@link AttentionForward}: blocks of keys outside, strips of
 * queries inside; S^T and its gradient exist for one strip and block at a time. {@code dK} and {@code dV} of a block
 * add up over the strips, {@code dQ^T} of all strips over the blocks, always in the order of the indices: one head is
 * one thread's work, so the result does not depend on how many there are.
 */
final class AttentionBackward implements HeadKernel {
  private static final int KEY_BLOCK = 256;

  private static final int QUERY_STRIP = 1;
  private static final int QUERY_PANELS = 2;
  private static final int OUTPUT_STRIP = 3;
  private static final int OUTPUT_PANELS = 4;
  private static final int KEYS = 5;
  private static final int KEYS_TRANSPOSED = 6;
  private static final int VALUES = 7;
  private static final int SCORES = 8;
  private static final int SCORE_GRADIENTS = 9;
  private static final int QUERY_GRADIENTS = 10;
  private static final int KEY_GRADIENTS = 11;
  private static final int VALUE_GRADIENTS = 12;
  private static final int LOG_SUMS = 13;
  private static final int DOTS = 14;

  private final HeadStage stage;
  private final Columns loops;
  private final int columns;

  private int headDim;
  private int gradientStride;
  private int gradientLd;
  private float[] qStrip = {};
  private float[] qPanels = {};
  private float[] dOStrip = {};
  private float[] dOPanels = {};
  private float[] k = {};
  private float[] kT = {};
  private float[] v = {};
  private float[] s = {};
  private float[] dS = {};
  private float[] dq = {};
  private float[] dk = {};
  private float[] dv = {};
  private float[] lse = {};
  private float[] dots = {};

  AttentionBackward(Simd simd) {
    stage = new HeadStage(simd);
    loops = simd.columns();
    columns = stage.columns;
  }

  /** Heads are not split: that would need the gradients of the parts added up afterwards. */
  @Override
  public int parts(Attention call) {
    return 1;
  }

  @Override
  public void run(Attention call, @Nullable Span weights, int image, int head, int part, Scratch scratch) {
    int keys = HeadStage.validKeys(call.lengths(), image, call.keys);
    int block = roundUp(Math.ceilDiv(keys, Math.ceilDiv(keys, KEY_BLOCK)), stage.rows);
    begin(call.headDim, call.queries, block, scratch);
    long queryRow = (long) image * call.queries;
    long keyRow = (long) image * call.keys;
    long column = (long) head * headDim;
    long statistics = ((long) image * call.heads + head) * call.queries;
    stage.loadFloats(requireNonNull(call.lse()), statistics, lse, 0, call.queries);
    for (int key = 0; key < keys; key += block) {
      int n = Math.min(block, keys - key);
      loadKeys(call, keyRow + key, column, n);
      for (int i = 0; i < call.queries; i += columns) {
        loadQueries(call, queryRow + i, column, Math.min(columns, call.queries - i), i, key == 0);
        differentiate(i, Math.min(columns, call.queries - i), n, key == 0);
      }
      stage.storeRows(dk, 0, gradientLd, call.dk(), keyRow + key, column, n);
      stage.storeRows(dv, 0, gradientLd, call.dv(), keyRow + key, column, n);
    }
    storeQueryGradients(call, queryRow, column);
    clear(call.dk(), keyRow + keys, column, call.keys - keys);
    clear(call.dv(), keyRow + keys, column, call.keys - keys);
  }

  private void begin(int headDim, int queries, int keys, Scratch scratch) {
    this.headDim = headDim;
    stage.begin(headDim, scratch);
    gradientStride = roundUp(headDim, stage.rows);
    gradientLd = stage.paddedHeadDim();
    int panelsOfRows = roundUp(headDim, columns) * columns;
    qStrip = scratch.floats(QUERY_STRIP, headDim * columns);
    qPanels = scratch.floats(QUERY_PANELS, panelsOfRows);
    dOStrip = scratch.floats(OUTPUT_STRIP, headDim * columns);
    dOPanels = scratch.floats(OUTPUT_PANELS, panelsOfRows);
    k = scratch.floats(KEYS, keys * headDim);
    kT = scratch.floats(KEYS_TRANSPOSED, keys * gradientStride);
    v = scratch.floats(VALUES, keys * headDim);
    s = scratch.floats(SCORES, keys * columns);
    dS = scratch.floats(SCORE_GRADIENTS, keys * columns);
    dk = scratch.floats(KEY_GRADIENTS, keys * gradientLd);
    dv = scratch.floats(VALUE_GRADIENTS, keys * gradientLd);
    int padded = roundUp(queries, columns);
    dq = scratch.floats(QUERY_GRADIENTS, Math.multiplyExact(padded, gradientStride));
    lse = scratch.zeros(LOG_SUMS, padded);
    dots = scratch.floats(DOTS, padded);
  }

  private void loadKeys(Attention call, long row, long column, int count) {
    for (int i = 0; i < count; i += stage.chunk) {
      int n = Math.min(stage.chunk, count - i);
      stage.load(call.k(), row + i, column, n);
      stage.toPanels(n, k, i * headDim);
      stage.toTransposedPanels(n, kT, i * stage.rows, count * stage.rows);
      stage.load(call.v(), row + i, column, n);
      stage.toPanels(n, v, i * headDim);
    }
  }

  /** One strip of queries and output gradients, and the dot products of outputs with their gradients if not known. */
  private void loadQueries(Attention call, long row, long column, int count, int query, boolean first) {
    stage.load(call.dO(), row, column, count);
    stage.toStrip(count, dOStrip, 0);
    stage.toRowPanels(count, dOPanels, 0);
    if (first) {
      stage.load(call.o(), row, column, count);
      stage.toStrip(count, qStrip, 0);
      loops.dot(qStrip, 0, dOStrip, 0, headDim, stage.width(count), dots, query);
    }
    stage.load(call.q(), row, column, count);
    stage.scale(count, call.scale());
    stage.toStrip(count, qStrip, 0);
    stage.toRowPanels(count, qPanels, 0);
  }

  /** One strip of queries meets one block of keys. */
  private void differentiate(int query, int count, int keys, boolean firstBlock) {
    int width = stage.width(count);
    boolean firstStrip = query == 0;
    int panel = stage.rows * headDim;
    stage.multiply(keys, headDim, k, panel, qStrip, 0, s, 0, width, false);
    stage.multiply(keys, headDim, v, panel, dOStrip, 0, dS, 0, width, false);
    loops.softmaxGradient(s, 0, dS, 0, keys, width, lse, query, dots, query);
    stage.multiply(headDim, keys, kT, keys * stage.rows, dS, 0, dq, query * gradientStride, width, !firstBlock);
    stage.multiplyRows(keys, count, s, dOPanels, dv, gradientLd, !firstStrip);
    stage.multiplyRows(keys, count, dS, qPanels, dk, gradientLd, !firstStrip);
  }

  private void storeQueryGradients(Attention call, long row, long column) {
    Arrays.fill(dots, 0, columns, call.scale());
    for (int i = 0; i < call.queries; i += columns) {
      int n = Math.min(columns, call.queries - i);
      loops.scale(dq, i * gradientStride, headDim, stage.width(n), dots, 0);
      stage.storeStrip(dq, i * gradientStride, call.dq(), row + i, column, n);
    }
  }

  private void clear(Operand gradient, long row, long column, int count) {
    if (count > 0) {
      Arrays.fill(dk, 0, headDim, 0f);
      stage.storeRows(dk, 0, 0, gradient, row, column, count);
    }
  }
}
