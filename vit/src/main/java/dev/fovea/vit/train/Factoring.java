package dev.fovea.vit.train;

import dev.fovea.kernels.OptimizerKernels.Factors;
import dev.fovea.tensor.Shape;
import dev.fovea.vit.model.VitConfig;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which matrices Adafactor factors the second moment of. The reference (big_vision on Flax) factors a tensor over its
 * two largest axes if both have 32 elements at least, and holds queries, keys, values and outputs of attention as
 * [width, heads, head width]: so these are factored for each head of its own. Here they are parts of fused weights.
 */
public interface Factoring {
  /** The least size of an axis that is factored. */
  int LEAST = 32;

  /**
   * A part of a parameter.
   *
   * @param first element of the parameter that it begins at
   * @param count elements from there to its last
   * @param factors the matrices in there, or null if every element has a second moment of its own
   */
  record Part(long first, long count, @Nullable Factors factors) {}

  /** The parts of a parameter: every element is in exactly one. */
  List<Part> parts(String name, Shape shape);

  /** Of the last two axes if both are long enough, else not at all. */
  static List<Part> plain(Shape shape) {
    int rank = shape.rank();
    if (rank < 2 || shape.dim(rank - 1) < LEAST || shape.dim(rank - 2) < LEAST) {
      return List.of(new Part(0, shape.count(), null));
    }
    int rows = Math.toIntExact(shape.dim(rank - 2));
    int columns = Math.toIntExact(shape.dim(rank - 1));
    long matrix = (long) rows * columns;
    int batch = Math.toIntExact(shape.count() / matrix);
    return List.of(new Part(0, shape.count(), new Factors(batch, rows, columns, matrix, columns)));
  }

  /** As the reference factors the parameters of a model. */
  static Factoring of(VitConfig config) {
    return (name, shape) -> new ModelFactoring(config, shape).parts(name);
  }

  /** Finds the parts of one parameter. */
  final class ModelFactoring {
    private final VitConfig config;
    private final Shape shape;
    private final int width;
    private final List<Part> parts = new ArrayList<>();

    private ModelFactoring(VitConfig config, Shape shape) {
      this.config = config;
      this.shape = shape;
      this.width = config.width();
    }

    private List<Part> parts(String name) {
      int heads = name.startsWith("pool.") ? config.poolHeads() : config.heads();
      if (name.equals("patch_embed.weight")) {
        patches();
      } else if (name.endsWith(".qkv.weight") || name.equals("pool.q.weight") || name.equals("pool.kv.weight")) {
        intoHeads(0, heads);
      } else if (name.endsWith(".qkv.bias") || name.equals("pool.q.bias") || name.equals("pool.kv.bias")) {
        headBiases(0, heads);
      } else if (name.endsWith(".attn.proj.weight") || name.equals("pool.proj.weight")) {
        outOfHeads(0, heads);
      } else if (name.endsWith("in_proj.weight")) {
        matrix(0, config.mlp(), width, width);
        intoHeads((long) config.mlp() * width, heads);
      } else if (name.endsWith("in_proj.bias")) {
        parts.add(new Part(0, config.mlp(), null));
        headBiases(config.mlp(), heads);
      } else if (name.endsWith("out_proj.weight")) {
        matrix(0, width, config.mlpInner(), config.mlpInner() + width);
        outOfHeads(config.mlpInner(), heads);
      } else {
        parts.addAll(plain(shape));
      }
      return parts;
    }

    /** The reference's kernel is [patch height, patch width, channels, width]: factored only if patches are large. */
    private void patches() {
      int side = config.patchWidth();
      if (side < LEAST || config.patchHeight() > side) {
        parts.add(new Part(0, shape.count(), null));
        return;
      }
      int rows = config.channels() * config.patchHeight();
      parts.add(new Part(0, shape.count(), new Factors(rows, width, side, side, (long) rows * side)));
    }

    /** A matrix [rows, columns] with rows {@code stride} apart. */
    private void matrix(long first, int rows, int columns, int stride) {
      long count = (rows - 1L) * stride + columns;
      if (rows >= LEAST && columns >= LEAST) {
        parts.add(new Part(first, count, new Factors(1, rows, columns, count, stride)));
      } else {
        unfactored(first, rows, columns, stride);
      }
    }

    /** Matrices of one row: the mean over rows is then the square itself. */
    private void unfactored(long first, int rows, int columns, int stride) {
      long count = (rows - 1L) * stride + columns;
      Factors each = stride == columns ? null : new Factors(rows, 1, columns, stride, columns);
      parts.add(new Part(first, count, each));
    }

    /** Rows from here to the end make queries, keys, values: one matrix [head width, width] for each head. */
    private void intoHeads(long first, int heads) {
      int headDim = width / heads;
      int rows = Math.toIntExact((shape.count() - first) / width);
      if (Math.max(heads, headDim) < LEAST) {
        unfactored(first, rows, width, width);
      } else if (heads > headDim) {
        matrix(first, rows, width, width);
      } else {
        long matrix = (long) headDim * width;
        Factors each = new Factors(rows / headDim, headDim, width, matrix, width);
        parts.add(new Part(first, (long) rows * width, each));
      }
    }

    /** The last columns of each row read the heads: one matrix [width, head width] for each. */
    private void outOfHeads(int first, int heads) {
      int headDim = width / heads;
      int stride = first + width;
      long count = (width - 1L) * stride + width;
      if (Math.max(heads, headDim) < LEAST) {
        unfactored(first, width, width, stride);
      } else if (heads > headDim) {
        matrix(first, width, width, stride);
      } else {
        parts.add(new Part(first, count, new Factors(heads, width, headDim, headDim, stride)));
      }
    }

    /** Biases of queries, keys and values: [heads, head width] each. */
    private void headBiases(int first, int heads) {
      int headDim = width / heads;
      long count = shape.count() - first;
      if (count == 0) {
        return;
      }
      boolean factored = Math.min(heads, headDim) >= LEAST;
      int all = Math.toIntExact(count / width);
      parts.add(new Part(first, count, factored ? new Factors(all, heads, headDim, width, headDim) : null));
    }
  }
}
