package dev.fovea.tensor.ops;

import dev.fovea.kernels.Span;
import dev.fovea.tensor.Input;
import dev.fovea.tensor.Operation;
import dev.fovea.tensor.Output;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;

/** A range of one axis, copied. */
final class Slice extends Operation {
  private final Input x;
  private final Output y;
  private final long outer;
  private final int run;
  private final long ld;
  private final long begin;

  Slice(Tensor value, int axis, long first, long count) {
    super(value);
    Shape shape = value.shape();
    int at = axis < 0 ? axis + shape.rank() : axis;
    if (at < 0 || at >= shape.rank() || first < 0 || count < 1 || first + count > shape.dim(at)) {
      throw new IllegalArgumentException(
          "slice: got [%d, %d) of axis %d, expected a part of %s".formatted(first, first + count, axis, shape));
    }
    long inner = 1;
    long before = 1;
    long[] dims = new long[shape.rank()];
    for (int i = 0; i < dims.length; i++) {
      dims[i] = i == at ? count : shape.dim(i);
      before *= i < at ? shape.dim(i) : 1;
      inner *= i > at ? shape.dim(i) : 1;
    }
    outer = before;
    run = Math.toIntExact(count * inner);
    ld = shape.dim(at) * inner;
    begin = first * inner;
    x = input(value);
    y = output(Shape.of(dims), value.dtype());
  }

  Tensor apply() {
    run();
    return y.result();
  }

  private Span part(Tensor whole) {
    return whole.span().from(begin);
  }

  @Override
  protected void forward() {
    kernels().elementwise().copy(outer, run, part(x.value()), ld, y.span(), run);
  }

  @Override
  protected void backward() {
    Tensor dx = Tensor.empty(x.shape(), x.dtype());
    kernels().elementwise().fill(dx.span(), 0);
    kernels().elementwise().copy(outer, run, y.gradient().span(), run, part(dx), ld);
    x.add(dx);
  }
}
