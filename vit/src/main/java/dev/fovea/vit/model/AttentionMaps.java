package dev.fovea.vit.model;

import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.ops.Ops;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Where a model looks in one picture. Every map has a value for each patch, row by row: the share of attention that
 * goes there.
 *
 * <ul>
 *   <li>{@link #head}: of the token that the answer is read from. That is the class token where there is one; a model
 *       that averages or pools over patches has none, and the map is the mean over all patches.
 *   <li>{@link #pool}: of the learned query of MAP pooling.
 *   <li>{@link #rollout}: through all layers (Abnar and Zuidema, "Quantifying Attention Flow in Transformers"): half of
 *       each layer's output counts as coming from the token itself, half from where its heads look on average.
 * </ul>
 *
 * What goes to class and register tokens is left out, so a map sums up to less than 1 where there are some.
 */
public final class AttentionMaps {
  private final VitConfig config;
  private final Grid grid;
  private final int tokens;
  private final List<float[][]> layers = new ArrayList<>();

  /** For each layer the mean over heads, [tokens, tokens]. */
  private final List<float[]> flows = new ArrayList<>();

  private float[][] pool = {};

  /** What the answer reads of each token: while layers are added that of averaging or the class token. */
  private float[] reading;

  AttentionMaps(VitConfig config, Grid grid) {
    this.config = config;
    this.grid = grid;
    tokens = config.prefixTokens() + grid.patches();
    reading = new float[tokens];
    if (config.pool() == VitConfig.Pool.CLASS || config.pool() == VitConfig.Pool.CLASS_AND_MEAN) {
      reading[0] = 1;
    } else {
      Arrays.fill(reading, config.prefixTokens(), tokens, 1f / grid.patches());
    }
  }

  /** Adds a layer of one or more attentions side by side, each [1, tokens, 3 width] of [q | k | v]. */
  void add(List<Tensor> projections, int heads) {
    float[][] maps = new float[projections.size() * heads][];
    float[] flow = new float[tokens * tokens];
    for (int p = 0; p < projections.size(); p++) {
      Tensor qkv = projections.get(p);
      long width = qkv.shape().dim(2) / 3;
      float[][] probabilities =
          AttentionProbabilities.of(Ops.slice(qkv, -1, 0, width), Ops.slice(qkv, -1, width, width), heads);
      for (int h = 0; h < heads; h++) {
        maps[p * heads + h] = patches(through(reading, probabilities[h]));
        for (int i = 0; i < flow.length; i++) {
          flow[i] += probabilities[h][i] / maps.length;
        }
      }
    }
    layers.add(maps);
    flows.add(flow);
  }

  /** Adds MAP pooling of the patches: q is [1, 1, width], kv is [1, patches, 2 width]. */
  void pool(Tensor q, Tensor kv, int heads) {
    pool = AttentionProbabilities.of(q, Ops.slice(kv, -1, 0, kv.shape().dim(2) / 2), heads);
    reading = new float[tokens];
    System.arraycopy(mean(pool), 0, reading, config.prefixTokens(), grid.patches());
  }

  /** {@code weights^T matrix} for a matrix [tokens, tokens]. */
  private float[] through(float[] weights, float[] matrix) {
    float[] result = new float[tokens];
    for (int i = 0; i < tokens; i++) {
      if (weights[i] != 0) {
        for (int j = 0; j < tokens; j++) {
          result[j] += weights[i] * matrix[i * tokens + j];
        }
      }
    }
    return result;
  }

  private float[] patches(float[] ofTokens) {
    return Arrays.copyOfRange(ofTokens, config.prefixTokens(), tokens);
  }

  /** The patches that maps have values for. */
  public Grid grid() {
    return grid;
  }

  /** Number of layers. */
  public int layers() {
    return layers.size();
  }

  /** Heads of each layer, those of all attentions side by side together. */
  public int heads() {
    return layers.getFirst().length;
  }

  /** Heads of MAP pooling, 0 for a model without. */
  public int poolHeads() {
    return pool.length;
  }

  /**
   * The map of one head.
   *
   * @param layer from 0 on
   * @param head from 0 on
   */
  public float[] head(int layer, int head) {
    return layers.get(layer)[head].clone();
  }

  /** The mean of a layer's heads. */
  public float[] layer(int layer) {
    return mean(layers.get(layer));
  }

  /** The map of one head of MAP pooling. */
  public float[] pool(int head) {
    return pool[head].clone();
  }

  /** The mean of the heads of MAP pooling. */
  public float[] pool() {
    if (pool.length == 0) {
      throw new IllegalStateException("pool: got a model without MAP pooling");
    }
    return mean(pool);
  }

  /** Attention through all layers, from what the answer is read from down to the patches. */
  public float[] rollout() {
    float[] flow = reading;
    for (int layer = flows.size() - 1; layer >= 0; layer--) {
      float[] below = through(flow, flows.get(layer));
      for (int i = 0; i < tokens; i++) {
        below[i] = (below[i] + flow[i]) / 2;
      }
      flow = below;
    }
    return patches(flow);
  }

  private static float[] mean(float[][] maps) {
    float[] mean = new float[maps[0].length];
    for (float[] map : maps) {
      for (int i = 0; i < mean.length; i++) {
        mean[i] += map[i] / maps.length;
      }
    }
    return mean;
  }
}
