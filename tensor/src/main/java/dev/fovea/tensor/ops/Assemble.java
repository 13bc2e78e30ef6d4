package dev.fovea.tensor.ops;

import dev.fovea.kernels.Sums;
import dev.fovea.tensor.Input;
import dev.fovea.tensor.Operation;
import dev.fovea.tensor.Output;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/** Prefix tokens, patches and positions become a sequence. */
final class Assemble extends Operation {
  private final Input patches;
  private final @Nullable Input prefix;
  private final @Nullable Input positions;
  private final Output y;
  private final int batch;
  private final int count;
  private final int prefixes;
  private final int width;

  Assemble(Tensor patchValues, @Nullable Tensor prefixValues, @Nullable Tensor positionValues) {
    super(patchValues);
    Dims.rank("patches", patchValues, 3, "[batch, patches, width]");
    batch = Math.toIntExact(patchValues.shape().dim(0));
    count = Math.toIntExact(patchValues.shape().dim(1));
    width = Dims.last("patches", patchValues);
    prefixes = prefixValues == null ? 0 : Math.toIntExact(prefixValues.shape().count() / width);
    if (prefixValues != null) {
      Dims.same("prefix", prefixValues, Shape.of(prefixes, width));
    }
    if (positionValues != null && positionValues.shape().count() != (long) count * width) {
      Dims.same("positions", positionValues, Shape.of(prefixes + count, width));
    }
    patches = input(patchValues);
    prefix = prefixValues == null ? null : input(prefixValues);
    positions = positionValues == null ? null : input(positionValues);
    y = output(Shape.of(batch, prefixes + count, width), patchValues.dtype());
  }

  Tensor apply() {
    run();
    return y.result();
  }

  @Override
  protected void forward() {
    kernels()
        .token()
        .assemble(batch, prefixes, count, width, patches.span(), Dims.span(prefix), Dims.span(positions), y.span());
  }

  @Override
  protected void backward() {
    Tensor d = patches.wantsGradient() ? Tensor.empty(patches.shape(), patches.dtype()) : null;
    Sums dPrefix = Dims.sums(prefix);
    Sums dPositions = Dims.sums(positions);
    kernels()
        .token()
        .assembleGradient(batch, prefixes, count, width, y.gradient().span(), Dims.span(d), dPrefix, dPositions);
    if (d != null) {
      patches.add(d);
    }
  }
}
