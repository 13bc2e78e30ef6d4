package dev.fovea.tensor.ops;

import dev.fovea.kernels.Sums;
import dev.fovea.tensor.Input;
import dev.fovea.tensor.Operation;
import dev.fovea.tensor.Output;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;

/** Rows picked by index. */
final class Gather extends Operation {
  private final Input x;
  private final Input index;
  private final Output y;
  private final int width;

  Gather(Tensor value, Tensor rows) {
    super(value);
    width = Dims.last("x", value);
    x = input(value);
    index = input(Dims.rank("index", rows, 1, "[rows]")).keep();
    y = output(Shape.of(rows.shape().count(), width), value.dtype());
  }

  Tensor apply() {
    run();
    return y.result();
  }

  @Override
  protected void forward() {
    kernels().token().gather(index.shape().count(), width, x.span(), index.span(), y.span());
  }

  @Override
  protected void backward() {
    Sums sums = x.sums();
    if (!sums.add()) {
      kernels().elementwise().fill(sums.span(), 0);
    }
    kernels().token().scatterAdd(index.shape().count(), width, y.gradient().span(), index.span(), sums.span());
  }
}
