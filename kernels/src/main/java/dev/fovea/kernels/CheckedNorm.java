package dev.fovea.kernels;

import org.jspecify.annotations.Nullable;

/** Checks the arguments of every call, then passes it on. */
record CheckedNorm(NormKernels kernels) implements NormKernels {
  @Override
  public void forward(
      Norm norm, Span x, long ldx, @Nullable Span weight, @Nullable Span bias, Span y, long ldy, @Nullable Span stats) {
    int columns = Math.multiplyExact(norm.groups(), norm.width());
    Check.matrix("x", x, norm.rows(), columns, ldx);
    Check.optional("weight", weight, norm.width());
    Check.optional("bias", bias, norm.width());
    Check.matrix("y", y, norm.rows(), columns, ldy);
    Check.optionalTyped("stats", stats, DType.F32, norm.statsCount());
    kernels.forward(norm, x, ldx, weight, bias, y, ldy, stats);
  }

  @Override
  public void backward(
      Norm norm,
      Span x,
      long ldx,
      @Nullable Span weight,
      Span stats,
      Span dy,
      long lddy,
      @Nullable Span add,
      Span dx,
      long lddx,
      @Nullable Sums dWeight,
      @Nullable Sums dBias) {
    int columns = Math.multiplyExact(norm.groups(), norm.width());
    Check.matrix("x", x, norm.rows(), columns, ldx);
    Check.optional("weight", weight, norm.width());
    Check.typed("stats", stats, DType.F32, norm.statsCount());
    Check.matrix("dy", dy, norm.rows(), columns, lddy);
    if (add != null) {
      Check.matrix("add", add, norm.rows(), columns, lddx);
    }
    Check.matrix("dx", dx, norm.rows(), columns, lddx);
    if (dx.equals(dy) && lddx != lddy) {
      throw new IllegalArgumentException("lddx: got %d, expected %d as lddy because dx is dy".formatted(lddx, lddy));
    }
    Check.sums("dWeight", dWeight, norm.width());
    Check.sums("dBias", dBias, norm.width());
    kernels.backward(norm, x, ldx, weight, stats, dy, lddy, add, dx, lddx, dWeight, dBias);
  }

  @Override
  public void backwardPair(
      Norm norm, Span x, long ldx, Side first, Side second, Span dy, long lddy, Span dx, long lddx) {
    int columns = Math.multiplyExact(2 * norm.groups(), norm.width());
    Check.matrix("x", x, norm.rows(), columns, ldx);
    Check.matrix("dy", dy, norm.rows(), columns, lddy);
    Check.matrix("dx", dx, norm.rows(), columns, lddx);
    if (dx.equals(dy) && lddx != lddy) {
      throw new IllegalArgumentException("lddx: got %d, expected %d as lddy because dx is dy".formatted(lddx, lddy));
    }
    side(norm, first);
    side(norm, second);
    kernels.backwardPair(norm, x, ldx, first, second, dy, lddy, dx, lddx);
  }

  private static void side(Norm norm, Side side) {
    Check.optional("weight", side.weight(), norm.width());
    Check.typed("stats", side.stats(), DType.F32, norm.statsCount());
    Check.sums("dWeight", side.dWeight(), norm.width());
    Check.sums("dBias", side.dBias(), norm.width());
  }
}
