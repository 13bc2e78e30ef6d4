package dev.fovea.kernels;

/** {@link RandomKernels} that check their arguments first. */
record CheckedRandom(RandomKernels kernels) implements RandomKernels {
  @Override
  public void bits(Span out, long seed, long step) {
    Check.typed("out", out, DType.I32, 0);
    kernels.bits(out, seed, step);
  }

  @Override
  public void uniform(Span out, float low, float high, long seed, long step) {
    Check.real("out", out);
    if (!(low < high && Float.isFinite(high - low))) {
      throw new IllegalArgumentException(
          "low, high: got %s, %s, expected low < high and a finite distance".formatted(low, high));
    }
    kernels.uniform(out, low, high, seed, step);
  }

  @Override
  public void normal(Span out, float mean, float deviation, long seed, long step) {
    Check.real("out", out);
    Check.range("mean", mean, -Float.MAX_VALUE, Float.MAX_VALUE);
    Check.range("deviation", deviation, 0, Float.MAX_VALUE);
    kernels.normal(out, mean, deviation, seed, step);
  }

  @Override
  public void keep(Span out, float keep, long seed, long step) {
    Check.typed("out", out, DType.F32, 0);
    if (!(keep > 0 && keep <= 1)) {
      throw new IllegalArgumentException("keep: got %s, expected above 0 and at most 1".formatted(keep));
    }
    kernels.keep(out, keep, seed, step);
  }
}
