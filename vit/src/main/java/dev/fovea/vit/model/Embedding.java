package dev.fovea.vit.model;

import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.ops.Ops;
import dev.fovea.vit.model.Parameters.NormLayer;
import org.jspecify.annotations.Nullable;

/** The first part of a model: patches, prefix tokens and positions. */
record Embedding(
    VitConfig config,
    Stems.Stem stem,
    @Nullable Tensor prefix,
    @Nullable Tensor positions,
    @Nullable NormLayer preNorm) {
  static Embedding of(Parameters p, VitConfig config) {
    return new Embedding(
        config,
        Stems.of(p, config),
        p.optional("prefix"),
        config.positions() == VitConfig.Positions.SINCOS
            ? SinCos.positions(config.grid(), config.width(), p.dtype())
            : p.optional("positions"),
        p.optionalNorm("norm_pre.", config.preNorm()));
  }

  /** [batch, channels, height, width] to [batch, tokens, width]. */
  Tensor on(Tensor pixels) {
    var grid = new Grid(
        Math.toIntExact(pixels.shape().dim(2) / config.patchHeight()),
        Math.toIntExact(pixels.shape().dim(3) / config.patchWidth()));
    Tensor patches = stem.on(pixels);
    Tensor x = Ops.assemble(patches, prefix, positionsOf(grid, patches));
    return preNorm == null ? x : preNorm.on(x);
  }

  private @Nullable Tensor positionsOf(Grid grid, Tensor patches) {
    if (positions == null || grid.equals(config.grid())) {
      return positions;
    }
    return config.positions() == VitConfig.Positions.SINCOS
        ? SinCos.positions(grid, config.width(), patches.dtype())
        : resampled(positions, config, grid);
  }

  /** Learned positions of the configured grid, resampled to another one; those of prefix tokens stay. */
  static Tensor resampled(Tensor positions, VitConfig config, Grid grid) {
    int prefixes = config.prefixPositions() ? config.prefixTokens() : 0;
    return Ops.mixRows(config.resampling().matrix(config.grid(), grid, prefixes), positions);
  }
}
