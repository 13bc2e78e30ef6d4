package dev.fovea.vit.model;

import dev.fovea.kernels.ImageKernels.Patches;
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

  /**
   * As {@link #on(Tensor)} for pictures of which some patches are hidden: the stem sees the others only.
   *
   * @param maskToken [1, width], in the place of each hidden patch: [batch, tokens, width]; null to leave these out:
   *     [batch, prefixes + visible, width]
   */
  Tensor on(Tensor pixels, PatchMask mask, @Nullable Tensor maskToken) {
    Patches cut = patches(config, pixels);
    if (mask.pictures() != cut.batch() || mask.patches() != cut.rows() * cut.columns()) {
      throw new IllegalArgumentException("mask: got one for %d pictures of %d patches, expected %d of %d"
          .formatted(mask.pictures(), mask.patches(), cut.batch(), cut.rows() * cut.columns()));
    }
    // Each visible patch is a picture of its own to the stem.
    Tensor visible = Ops.gather(Ops.patchify(cut, pixels, null, null, pixels.dtype()), mask.visibleRows())
        .reshape(-1, config.channels(), config.patchHeight(), config.patchWidth());
    Tensor tokens = stem.on(visible).reshape(1, -1, config.width());
    Tensor all = positionsOf(new Grid(cut.rows(), cut.columns()), tokens);
    Tensor x;
    if (maskToken == null) {
      x = dropped(tokens, mask, all);
    } else {
      x = Ops.assemble(Decoder.withMaskTokens(tokens, maskToken, mask), prefix, all);
    }
    return preNorm == null ? x : preNorm.on(x);
  }

  /** Visible tokens alone, each with the position of its place. */
  private Tensor dropped(Tensor tokens, PatchMask mask, @Nullable Tensor all) {
    Tensor first = prefix;
    Tensor x = tokens;
    if (all != null) {
      int prefixes = config.prefixPositions() ? config.prefixTokens() : 0;
      x = Ops.add(tokens, Ops.gather(all, mask.visiblePositions(prefixes)).reshape(tokens.shape()));
      first = first == null || prefixes == 0 ? first : Ops.add(first, Ops.slice(all, 0, 0, prefixes));
    }
    return Ops.assemble(x.reshape(mask.pictures(), -1, config.width()), first, null);
  }

  /** Whole patches of pictures. */
  static Patches patches(VitConfig config, Tensor pixels) {
    return new Patches(
        Math.toIntExact(pixels.shape().dim(0)),
        config.channels(),
        Math.toIntExact(pixels.shape().dim(2)),
        Math.toIntExact(pixels.shape().dim(3)),
        config.patchHeight(),
        config.patchWidth(),
        false);
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
