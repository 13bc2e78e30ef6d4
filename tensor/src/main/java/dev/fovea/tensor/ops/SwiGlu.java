package dev.fovea.tensor.ops;

import dev.fovea.tensor.Input;
import dev.fovea.tensor.Operation;
import dev.fovea.tensor.Output;
import dev.fovea.tensor.Tensor;

/** {@code y = silu(left half of x) * right half of x}. */
final class SwiGlu extends Operation {
  private final Input x;
  private final Output y;
  private final int width;
  private final long rows;

  SwiGlu(Tensor value) {
    super(value);
    int columns = Dims.last("x", value);
    if (columns % 2 != 0) {
      throw new IllegalArgumentException("x: got %s, expected an even last dimension".formatted(value.shape()));
    }
    width = columns / 2;
    rows = Dims.rows(value);
    x = input(value).keep();
    y = output(Dims.withLast(value.shape(), width), value.dtype());
  }

  Tensor apply() {
    run();
    return y.result();
  }

  @Override
  protected void forward() {
    recompute(y, y.value());
  }

  @Override
  protected boolean recomputes(Output output) {
    return true;
  }

  @Override
  protected void recompute(Output output, Tensor into) {
    kernels().elementwise().swiglu(rows, width, x.span(), into.span());
  }

  @Override
  protected void backward() {
    Tensor dx = Tensor.empty(x.shape(), x.dtype());
    kernels().elementwise().swigluGradient(rows, width, x.span(), y.gradient().span(), dx.span());
    x.add(dx);
  }
}
