package dev.fovea.tensor.ops;

import dev.fovea.tensor.Input;
import dev.fovea.tensor.Operation;
import dev.fovea.tensor.Output;
import dev.fovea.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/** {@code z = alpha x + beta y}. */
final class Combine extends Operation {
  private final float alpha;
  private final float beta;
  private final Input x;
  private final @Nullable Input y;
  private final Output z;

  Combine(float alpha, Tensor left, float beta, @Nullable Tensor right) {
    super(left);
    this.alpha = alpha;
    this.beta = beta;
    if (right != null) {
      Dims.same("y", right, left.shape());
    }
    x = input(left);
    y = right == null ? null : input(right);
    z = output(left.shape(), left.dtype());
  }

  Tensor apply() {
    run();
    return z.result();
  }

  @Override
  protected void forward() {
    kernels().elementwise().combine(alpha, x.span(), beta, Dims.span(y), z.span());
  }

  @Override
  protected void backward() {
    send(x, alpha);
    if (y != null) {
      send(y, beta);
    }
  }

  private void send(Input to, float factor) {
    if (!to.wantsGradient()) {
      return;
    }
    Tensor dz = z.gradient();
    if (factor == 1) {
      to.add(dz);
      return;
    }
    Tensor d = Tensor.empty(to.shape(), to.dtype());
    kernels().elementwise().combine(factor, dz.span(), 0, null, d.span());
    to.add(d);
  }
}
