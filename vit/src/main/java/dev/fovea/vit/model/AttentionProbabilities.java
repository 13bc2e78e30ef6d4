package dev.fovea.vit.model;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.ops.Ops;

/**
 * The matrix {@code softmax(q k^T / sqrt(headDim))} that the fused attention kernel never writes down. It is had from
 * that kernel all the same: attention to the rows of a unit matrix is the matrix itself, as many columns at a time as a
 * head is wide.
 */
final class AttentionProbabilities {
  private AttentionProbabilities() {}

  /**
   * The probabilities of each head.
   *
   * @param q [1, queries, width]
   * @param k [1, keys, width]
   * @return for each head [queries, keys]
   */
  static float[][] of(Tensor q, Tensor k, int heads) {
    int queries = Math.toIntExact(q.shape().dim(1));
    int keys = Math.toIntExact(k.shape().dim(1));
    int width = Math.toIntExact(k.shape().dim(2));
    int headDim = width / heads;
    float[][] probabilities = new float[heads][queries * keys];
    for (int first = 0; first < keys; first += headDim) {
      int count = Math.min(headDim, keys - first);
      float[] rows;
      try (Scope scope = Scope.open(q.device())) {
        Tensor units = units(keys, width, headDim, first, count).to(k.dtype());
        rows = Ops.crossAttention(q, k, units, heads, null).to(DType.F32).toFloats();
      }
      for (int h = 0; h < heads; h++) {
        for (int i = 0; i < queries; i++) {
          System.arraycopy(rows, i * width + h * headDim, probabilities[h], i * keys + first, count);
        }
      }
    }
    return probabilities;
  }

  /** In every head, columns {@code [first, first + count)} of a unit matrix: [1, keys, width]. */
  private static Tensor units(int keys, int width, int headDim, int first, int count) {
    float[] values = new float[keys * width];
    for (int column = 0; column < width; column++) {
      if (column % headDim < count) {
        values[(first + column % headDim) * width + column] = 1;
      }
    }
    return Tensor.of(values, Shape.of(1, keys, width).dims());
  }
}
