package dev.fovea.tensor.ops;

import dev.fovea.kernels.Activation;
import dev.fovea.tensor.Input;
import dev.fovea.tensor.Operation;
import dev.fovea.tensor.Output;
import dev.fovea.tensor.Tensor;

/** {@code y = f(x)}. */
final class Pointwise extends Operation {
  private final Activation f;
  private final Input x;
  private final Output y;

  Pointwise(Activation f, Tensor value) {
    super(value);
    this.f = f;
    x = input(value).keep();
    y = output(value.shape(), value.dtype());
  }

  Tensor apply() {
    run();
    return y.result();
  }

  @Override
  protected void forward() {
    kernels().elementwise().activation(f, x.span(), y.span());
  }

  @Override
  protected boolean recomputes(Output output) {
    return true;
  }

  @Override
  protected void recompute(Output output, Tensor into) {
    kernels().elementwise().activation(f, x.span(), into.span());
  }

  @Override
  protected void backward() {
    Tensor dx = Tensor.empty(x.shape(), x.dtype());
    kernels().elementwise().activationGradient(f, x.span(), y.gradient().span(), dx.span());
    x.add(dx);
  }
}
