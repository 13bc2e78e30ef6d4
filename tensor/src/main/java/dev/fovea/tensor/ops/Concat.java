package dev.fovea.tensor.ops;

import dev.fovea.tensor.Input;
import dev.fovea.tensor.Operation;
import dev.fovea.tensor.Output;
import dev.fovea.tensor.Tensor;

/** The columns of one tensor, then those of another. */
final class Concat extends Operation {
  private final Input left;
  private final Input right;
  private final Output y;
  private final long rows;
  private final int leftWidth;
  private final int rightWidth;

  Concat(Tensor leftValue, Tensor rightValue) {
    super(leftValue);
    leftWidth = Dims.last("left", leftValue);
    rightWidth = Dims.last("right", rightValue);
    Dims.same("right", rightValue, Dims.withLast(leftValue.shape(), rightWidth));
    rows = Dims.rows(leftValue);
    left = input(leftValue);
    right = input(rightValue);
    y = output(Dims.withLast(leftValue.shape(), leftWidth + rightWidth), leftValue.dtype());
  }

  Tensor apply() {
    run();
    return y.result();
  }

  @Override
  protected void forward() {
    int width = leftWidth + rightWidth;
    kernels().elementwise().copy(rows, leftWidth, left.span(), leftWidth, y.span(), width);
    kernels()
        .elementwise()
        .copy(rows, rightWidth, right.span(), rightWidth, y.span().from(leftWidth), width);
  }

  @Override
  protected void backward() {
    send(left, 0, leftWidth);
    send(right, leftWidth, rightWidth);
  }

  private void send(Input to, int first, int width) {
    if (to.wantsGradient()) {
      Tensor d = Tensor.empty(to.shape(), to.dtype());
      kernels()
          .elementwise()
          .copy(rows, width, y.gradient().span().from(first), leftWidth + rightWidth, d.span(), width);
      to.add(d);
    }
  }
}
