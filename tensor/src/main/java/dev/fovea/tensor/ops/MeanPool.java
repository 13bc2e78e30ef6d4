package dev.fovea.tensor.ops;

import dev.fovea.tensor.Input;
import dev.fovea.tensor.Operation;
import dev.fovea.tensor.Output;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/** The mean over an image's tokens. */
final class MeanPool extends Operation {
  private final Input x;
  private final @Nullable Input lengths;
  private final Output y;
  private final int batch;
  private final int tokens;
  private final int width;
  private final int first;

  MeanPool(Tensor value, int first, @Nullable Tensor lengthValues) {
    super(value);
    Dims.rank("x", value, 3, "[batch, tokens, width]");
    this.first = first;
    batch = Math.toIntExact(value.shape().dim(0));
    tokens = Math.toIntExact(value.shape().dim(1));
    width = Dims.last("x", value);
    x = input(value);
    lengths = lengthValues == null
        ? null
        : input(Dims.vector("lengths", lengthValues, batch)).keep();
    y = output(Shape.of(batch, width), value.dtype());
  }

  Tensor apply() {
    run();
    return y.result();
  }

  @Override
  protected void forward() {
    kernels().token().meanPool(batch, tokens, width, first, x.span(), Dims.span(lengths), y.span());
  }

  @Override
  protected void backward() {
    Tensor dx = Tensor.empty(x.shape(), x.dtype());
    kernels().token().meanPoolGradient(batch, tokens, width, first, y.gradient().span(), Dims.span(lengths), dx.span());
    x.add(dx);
  }
}
