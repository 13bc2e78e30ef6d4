package dev.fovea.tensor.ops;

import dev.fovea.kernels.Norm;
import dev.fovea.kernels.Span;
import dev.fovea.tensor.Gathered;
import dev.fovea.tensor.Input;
import dev.fovea.tensor.Operation;
import dev.fovea.tensor.Output;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/** LayerNorm or RMSNorm over the last axis. */
final class Normalize extends Operation {
  private final Norm norm;
  private final Input x;
  private final @Nullable Input weight;
  private final @Nullable Input bias;
  private final Output y;
  private final @Nullable Output stats;

  Normalize(Tensor value, @Nullable Tensor w, @Nullable Tensor b, float eps, boolean centered) {
    super(value);
    int width = Dims.last("x", value);
    norm = new Norm(Dims.rows(value), 1, width, eps, centered);
    x = input(value).keep();
    weight = w == null ? null : input(Dims.vector("weight", w, width)).keep();
    bias = b == null ? null : input(Dims.vector("bias", b, width)).keep();
    y = output(value.shape(), value.dtype());
    stats = recording()
        ? output(Shape.of(norm.statsCount()), value.dtype().accumulator()).keep()
        : null;
  }

  Tensor apply() {
    run();
    return y.result();
  }

  @Override
  protected void forward() {
    compute(y.value(), Dims.span(stats));
  }

  @Override
  protected boolean recomputes(Output output) {
    return output == y;
  }

  @Override
  protected void recompute(Output output, Tensor into) {
    compute(into, null);
  }

  private void compute(Tensor into, @Nullable Span statistics) {
    kernels()
        .norm()
        .forward(
            norm, x.span(), norm.width(), Dims.span(weight), Dims.span(bias), into.span(), norm.width(), statistics);
  }

  @Override
  protected void backward() {
    Gathered dx = x.gathered();
    kernels()
        .norm()
        .backward(
            norm,
            x.span(),
            norm.width(),
            Dims.span(weight),
            Dims.given(stats).span(),
            y.gradient().span(),
            norm.width(),
            Dims.span(dx.before()),
            dx.total().span(),
            norm.width(),
            Dims.sums(weight),
            Dims.sums(bias));
    x.replace(dx.total());
  }
}
