package dev.fovea.tensor.ops;

import dev.fovea.tensor.Input;
import dev.fovea.tensor.Operation;
import dev.fovea.tensor.Output;
import dev.fovea.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/** {@code y = x + drop scale branch}: a residual branch that no product could carry. */
final class Branch extends Operation {
  private final Input x;
  private final Input branch;
  private final @Nullable Input scale;
  private final @Nullable Input drop;
  private final Output y;
  private final long rows;
  private final int columns;
  private final int rowsPerDrop;

  Branch(Tensor value, Tensor branchValue, @Nullable Tensor gamma, @Nullable Tensor factors) {
    super(value);
    Dims.same("branch", branchValue, value.shape());
    rows = Dims.rows(value);
    columns = Dims.last("x", value);
    x = input(value);
    branch = input(branchValue);
    scale = gamma == null ? null : input(Dims.vector("scale", gamma, columns)).keep();
    drop = factors == null ? null : input(factors).keep();
    if (factors != null && rows % factors.shape().count() != 0) {
      throw new IllegalArgumentException(
          "drop: got %s for %d rows, expected one factor per image".formatted(factors.shape(), rows));
    }
    rowsPerDrop = factors == null ? 1 : Math.toIntExact(rows / factors.shape().count());
    if (scale != null && scale.wantsGradient()) {
      branch.keep();
    }
    y = output(value.shape(), value.dtype());
  }

  Tensor apply() {
    run();
    return y.result();
  }

  @Override
  protected void forward() {
    kernels()
        .elementwise()
        .residual(rows, columns, x.span(), branch.span(), Dims.span(scale), Dims.span(drop), rowsPerDrop, y.span());
  }

  @Override
  protected void backward() {
    Tensor dy = y.gradient();
    x.add(dy);
    if (scale == null && drop == null) {
      branch.add(dy);
      return;
    }
    boolean scaleLearns = scale != null && scale.wantsGradient();
    Tensor d = Tensor.empty(branch.shape(), branch.dtype());
    kernels()
        .elementwise()
        .residualGradient(
            rows,
            columns,
            dy.span(),
            scaleLearns ? branch.span() : null,
            Dims.span(scale),
            Dims.span(drop),
            rowsPerDrop,
            d.span(),
            Dims.sums(scale));
    branch.add(d);
  }
}
