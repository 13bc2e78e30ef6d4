package dev.fovea.tensor.ops;

import dev.fovea.kernels.Span;
import dev.fovea.tensor.Input;
import dev.fovea.tensor.Operation;
import dev.fovea.tensor.Output;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;

/** Squares of differences, averaged over all elements. */
final class SquaredError extends Operation {
  private final Input x;
  private final Input target;
  private final Output loss;
  private final long count;

  SquaredError(Tensor value, Tensor targetValue) {
    super(value);
    Dims.same("target", targetValue, value.shape());
    if (value.shape().rank() == 0) {
      throw new IllegalArgumentException("x: got a scalar, expected at least one axis");
    }
    count = value.shape().count();
    x = input(value).keep();
    target = input(targetValue).keep();
    loss = output(Shape.of(), value.dtype().accumulator());
  }

  Tensor apply() {
    run();
    return loss.result();
  }

  @Override
  protected void forward() {
    Tensor difference = difference();
    kernels().elementwise().fill(loss.span(), 0);
    kernels().reduce().sumOfSquares(difference.span(), loss.span());
    kernels().elementwise().combine(1f / count, loss.span(), 0, null, loss.span());
    difference.close();
  }

  @Override
  protected void backward() {
    Tensor d = difference();
    Span all = d.span();
    int width = Math.toIntExact(x.shape().dim(-1));
    long rows = count / width;
    // The loss's gradient stays on the device, as the one factor of all rows.
    kernels()
        .elementwise()
        .residualGradient(rows, width, all, null, null, loss.gradient().span(), Math.toIntExact(rows), all, null);
    send(x, d, 2f / count);
    send(target, d, -2f / count);
  }

  private void send(Input to, Tensor d, float factor) {
    if (to.wantsGradient()) {
      Tensor its = Tensor.empty(to.shape(), to.dtype());
      kernels().elementwise().combine(factor, d.span(), 0, null, its.span());
      to.add(its);
    }
  }

  private Tensor difference() {
    Tensor difference = Tensor.empty(x.shape(), loss.dtype());
    kernels().elementwise().combine(1, x.span(), -1, target.span(), difference.span());
    return difference;
  }
}
