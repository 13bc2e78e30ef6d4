package dev.fovea.kernels.cpu;

import static dev.fovea.kernels.cpu.HeadStage.roundUp;
import static java.util.Objects.requireNonNull;

import dev.fovea.kernels.Attention;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.simd.Columns;
import dev.fovea.kernels.cpu.simd.Packing;
import dev.fovea.kernels.cpu.simd.Simd;
import org.jspecify.annotations.Nullable;

/** The attention weights themselves, {@code exp(S - lse)}, a strip of queries and a block of keys at a time. */
final class AttentionMap implements HeadKernel {
  private static final int KEY_BLOCK = 256;

  private static final int QUERIES = 1;
  private static final int KEYS = 2;
  private static final int SCORES = 3;
  private static final int LOG_SUMS = 4;
  private static final int UNUSED = 5;
  private static final int ROWS = 6;

  private final HeadStage stage;
  private final Columns loops;
  private final Packing packing;
  private final int columns;

  AttentionMap(Simd simd) {
    stage = new HeadStage(simd);
    loops = simd.columns();
    packing = simd.packing();
    columns = stage.columns;
  }

  @Override
  public int parts(Attention call) {
    return 1;
  }

  @Override
  public void run(Attention call, @Nullable Span weights, int image, int head, int part, Scratch scratch) {
    int keys = HeadStage.validKeys(call.lengths(), image, call.keys);
    int headDim = call.headDim;
    long column = (long) head * headDim;
    stage.begin(headDim, scratch);
    float[] k = scratch.floats(KEYS, roundUp(KEY_BLOCK, stage.rows) * headDim);
    for (int key = 0; key < call.keys; key += KEY_BLOCK) {
      int n = Math.min(KEY_BLOCK, call.keys - key);
      int valid = Math.clamp(keys - key, 0, n);
      for (int i = 0; i < valid; i += stage.chunk) {
        int count = Math.min(stage.chunk, valid - i);
        stage.load(call.k(), (long) image * call.keys + key + i, column, count);
        stage.toPanels(count, k, i * headDim);
      }
      for (int i = 0; i < call.queries; i += columns) {
        int count = Math.min(columns, call.queries - i);
        float[] rows = weigh(call, image, head, i, count, k, valid, n, scratch);
        long at = ((long) image * call.heads + head) * call.queries + i;
        for (int j = 0; j < count; j++) {
          stage.storeFloats(rows, j * KEY_BLOCK, requireNonNull(weights), (at + j) * call.keys + key, n);
        }
      }
    }
  }

  /** One strip against one block: rows of {@code KEY_BLOCK} weights, zero past the valid keys. */
  private float[] weigh(
      Attention call, int image, int head, int query, int count, float[] k, int valid, int keys, Scratch scratch) {
    float[] q = scratch.floats(QUERIES, call.headDim * columns);
    float[] s = scratch.floats(SCORES, roundUp(KEY_BLOCK, stage.rows) * columns);
    float[] lse = scratch.zeros(LOG_SUMS, columns);
    float[] unused = scratch.zeros(UNUSED, columns);
    float[] rows = scratch.floats(ROWS, columns * KEY_BLOCK);
    int width = stage.width(count);
    stage.load(call.q(), (long) image * call.queries + query, (long) head * call.headDim, count);
    stage.scale(count, call.scale());
    stage.toStrip(count, q, 0);
    long statistics = ((long) image * call.heads + head) * call.queries + query;
    stage.loadFloats(requireNonNull(call.lse()), statistics, lse, 0, count);
    stage.multiply(valid, call.headDim, k, stage.rows * call.headDim, q, 0, s, 0, width, false);
    loops.exp(s, 0, valid, width, lse, 0, unused, 0);
    for (int i = valid * columns; i < keys * columns; i++) {
      s[i] = 0;
    }
    packing.transpose(s, 0, columns, roundUp(keys, 4), count, rows, 0, KEY_BLOCK);
    return rows;
  }
}
