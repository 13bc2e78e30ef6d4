package dev.fovea.kernels;

import org.jspecify.annotations.Nullable;

/** {@link TokenKernels} that check their arguments first. */
record CheckedToken(TokenKernels kernels) implements TokenKernels {
  @Override
  public void assemble(
      int batch,
      int prefixes,
      int patchCount,
      int width,
      Span patches,
      @Nullable Span prefix,
      @Nullable Span positions,
      Span out) {
    checkAssembly(batch, prefixes, patchCount, width);
    Check.vector("patches", patches, elements(batch, patchCount, width));
    if (prefixes > 0 && prefix == null) {
      throw new IllegalArgumentException("prefix: got null, expected %d tokens".formatted(prefixes));
    }
    Check.optional("prefix", prefix, (long) prefixes * width);
    if (positions != null) {
      Check.real("positions", positions);
      checkPositions("positions", positions, prefixes, patchCount, width);
    }
    Check.vector("out", out, elements(batch, prefixes + patchCount, width));
    Check.apart("out", out, "patches", patches);
    Check.apart("out", out, "prefix", prefix);
    Check.apart("out", out, "positions", positions);
    kernels.assemble(batch, prefixes, patchCount, width, patches, prefix, positions, out);
  }

  @Override
  public void assembleGradient(
      int batch,
      int prefixes,
      int patchCount,
      int width,
      Span dOut,
      @Nullable Span dPatches,
      @Nullable Sums dPrefix,
      @Nullable Sums dPositions) {
    checkAssembly(batch, prefixes, patchCount, width);
    Check.vector("dOut", dOut, elements(batch, prefixes + patchCount, width));
    Check.optional("dPatches", dPatches, elements(batch, patchCount, width));
    Check.sums("dPrefix", dPrefix, (long) prefixes * width);
    if (dPositions != null) {
      Check.sums("dPositions", dPositions, 0);
      checkPositions("dPositions", dPositions.span(), prefixes, patchCount, width);
    }
    Check.apart("dPatches", dPatches, "dOut", dOut);
    Check.apart("dPrefix", Sums.spanOf(dPrefix), "dOut", dOut);
    Check.apart("dPositions", Sums.spanOf(dPositions), "dOut", dOut);
    kernels.assembleGradient(batch, prefixes, patchCount, width, dOut, dPatches, dPrefix, dPositions);
  }

  private static void checkAssembly(int batch, int prefixes, int patchCount, int width) {
    Check.positive("batch", batch);
    if (prefixes < 0) {
      throw new IllegalArgumentException("prefixes: got %d, expected at least 0".formatted(prefixes));
    }
    Check.positive("patchCount", patchCount);
    Check.positive("width", width);
  }

  /** The number of positions says which tokens they are for, so it must be exact. */
  private static void checkPositions(String name, Span span, int prefixes, int patchCount, int width) {
    long patchesOnly = (long) patchCount * width;
    long all = ((long) prefixes + patchCount) * width;
    if (span.count() != patchesOnly && span.count() != all) {
      throw new IllegalArgumentException(
          "%s: got %d elements, expected %d or %d".formatted(name, span.count(), patchesOnly, all));
    }
  }

  @Override
  public void gather(long rows, int width, Span x, Span index, Span out) {
    checkRows(rows, width, index);
    if (out.dtype() != x.dtype()) {
      throw new IllegalArgumentException("out: got %s, expected %s as x".formatted(out.dtype(), x.dtype()));
    }
    Check.holds("out", out, Math.multiplyExact(rows, width));
    Check.apart("out", out, "x", x);
    Check.apart("out", out, "index", index);
    kernels.gather(rows, width, x, index, out);
  }

  @Override
  public void scatterAdd(long rows, int width, Span x, Span index, Span out) {
    checkRows(rows, width, index);
    Check.vector("x", x, Math.multiplyExact(rows, width));
    Check.real("out", out);
    Check.apart("out", out, "x", x);
    Check.apart("out", out, "index", index);
    kernels.scatterAdd(rows, width, x, index, out);
  }

  private static void checkRows(long rows, int width, Span index) {
    if (rows < 0) {
      throw new IllegalArgumentException("rows: got %d, expected at least 0".formatted(rows));
    }
    Check.positive("width", width);
    Check.typed("index", index, DType.I32, rows);
  }

  @Override
  public void meanPool(int batch, int tokens, int width, int first, Span x, @Nullable Span lengths, Span out) {
    checkPool(batch, tokens, width, first, lengths);
    Check.vector("x", x, elements(batch, tokens, width));
    Check.vector("out", out, (long) batch * width);
    Check.apart("out", out, "x", x);
    kernels.meanPool(batch, tokens, width, first, x, lengths, out);
  }

  @Override
  public void meanPoolGradient(
      int batch, int tokens, int width, int first, Span dOut, @Nullable Span lengths, Span dx) {
    checkPool(batch, tokens, width, first, lengths);
    Check.vector("dOut", dOut, (long) batch * width);
    Check.vector("dx", dx, elements(batch, tokens, width));
    Check.apart("dx", dx, "dOut", dOut);
    kernels.meanPoolGradient(batch, tokens, width, first, dOut, lengths, dx);
  }

  private static void checkPool(int batch, int tokens, int width, int first, @Nullable Span lengths) {
    Check.positive("batch", batch);
    Check.positive("tokens", tokens);
    Check.positive("width", width);
    Check.range("first", first, 0, tokens - 1);
    Check.optionalTyped("lengths", lengths, DType.I32, batch);
  }

  private static long elements(int batch, int tokens, int width) {
    return Math.multiplyExact((long) batch * tokens, (long) width);
  }
}
