package dev.fovea.tensor.ops;

import dev.fovea.kernels.Gemm;
import dev.fovea.kernels.Layout;
import dev.fovea.kernels.Sums;
import dev.fovea.tensor.Input;
import dev.fovea.tensor.Operation;
import dev.fovea.tensor.Output;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;

/** {@code y = M x}: rows that are weighted sums of other rows, with weights that are constants. */
final class MixRows extends Operation {
  private final Input mix;
  private final Input x;
  private final Output y;
  private final int to;
  private final int from;
  private final int width;

  MixRows(Tensor weights, Tensor value) {
    super(value);
    Dims.rank("x", value, 2, "[rows, width]");
    from = Math.toIntExact(value.shape().dim(0));
    width = Dims.last("x", value);
    Dims.rank("mix", weights, 2, "[rows of the result, rows of x]");
    to = Math.toIntExact(weights.shape().dim(0));
    Dims.same("mix", weights, Shape.of(to, from));
    mix = input(weights).keep();
    x = input(value);
    if (mix.wantsGradient()) {
      throw new IllegalArgumentException("mix: got a tensor that wants a gradient, expected a constant");
    }
    y = output(Shape.of(to, width), value.dtype());
  }

  Tensor apply() {
    run();
    return y.result();
  }

  @Override
  protected void forward() {
    Gemm gemm = new Gemm(Layout.NN, to, width, from);
    kernels().gemm().run(gemm.a(mix.span(), from).b(x.span(), width).c(y.span(), width));
  }

  @Override
  protected void backward() {
    Sums sums = x.sums();
    Gemm gemm = new Gemm(Layout.TN, from, width, to).accumulate(sums.add());
    kernels().gemm().run(gemm.a(mix.span(), from).b(y.gradient().span(), width).c(sums.span(), width));
  }
}
