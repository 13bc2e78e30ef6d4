package dev.fovea.tensor.ops;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.Input;
import dev.fovea.tensor.Operation;
import dev.fovea.tensor.Output;
import dev.fovea.tensor.Tensor;

/** The same values in another floating-point dtype. */
final class Cast extends Operation {
  private final Input x;
  private final Output y;

  Cast(Tensor value, DType dtype) {
    super(value);
    if (!value.dtype().isFloating() || !dtype.isFloating()) {
      throw new IllegalArgumentException(
          "cast: got %s to %s, expected floating-point dtypes".formatted(value.dtype(), dtype));
    }
    x = input(value);
    y = output(value.shape(), dtype);
  }

  Tensor apply() {
    run();
    return y.result();
  }

  @Override
  protected void forward() {
    kernels().elementwise().cast(x.span(), y.span());
  }

  @Override
  protected void backward() {
    x.add(y.gradient().to(x.dtype()));
  }
}
