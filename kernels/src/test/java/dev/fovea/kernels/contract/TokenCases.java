package dev.fovea.kernels.contract;

import static dev.fovea.kernels.DType.BF16;
import static dev.fovea.kernels.DType.F32;
import static dev.fovea.kernels.DType.I32;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.Sums;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Cases of {@link dev.fovea.kernels.TokenKernels}. */
public final class TokenCases {
  private static final double U = Tolerance.U;
  /** Batch, prefixes, patches, width. */
  private static final int[][] SEQUENCES = {
    {1, 0, 1, 1}, {1, 1, 7, 7}, {2, 1, 196, 64}, {2, 5, 257, 13}, {17, 1, 16, 80}, {33, 0, 7, 72}, {2, 3, 4, 2051}
  };
  /** Rows, rows picked from or added to, width. */
  private static final int[][] ROWS = {
    {0, 3, 5}, {1, 1, 1}, {7, 196, 64}, {196, 7, 13}, {157, 257, 97}, {700, 50, 24}, {2, 3, 5000}
  };
  /** Batch, tokens, width, first. */
  private static final int[][] POOLS = {
    {1, 1, 1, 0}, {3, 197, 64, 1}, {2, 7, 7, 6}, {5, 257, 13, 5}, {2, 19, 1408, 0}, {2, 30, 1025, 1}
  };

  private enum Positions {
    NONE,
    PATCHES,
    ALL
  }

  private TokenCases() {}

  public static Stream<KernelCase> all() {
    List<KernelCase> cases = new ArrayList<>();
    for (int[] s : SEQUENCES) {
      for (Positions positions : Positions.values()) {
        cases.add(assemble(s, positions, F32, F32, F32));
        cases.add(assemble(s, positions, BF16, F32, BF16));
        cases.add(assemble(s, positions, F32, BF16, BF16));
        cases.add(assemble(s, positions, BF16, BF16, F32));
        cases.add(assembleGradient(s, positions, F32, F32, true));
        cases.add(assembleGradient(s, positions, BF16, F32, true));
        cases.add(assembleGradient(s, positions, F32, BF16, false));
        cases.add(assembleGradient(s, positions, BF16, null, true));
        cases.add(assembleGradient(s, positions, BF16, BF16, false));
      }
    }
    for (int[] r : ROWS) {
      for (DType dtype : DType.values()) {
        cases.add(gather(r[0], r[1], r[2], dtype));
      }
      for (DType x : new DType[] {F32, BF16}) {
        cases.add(scatterAdd(r[0], r[1], r[2], x, F32));
        cases.add(scatterAdd(r[0], r[1], r[2], x, BF16));
      }
    }
    for (int[] p : POOLS) {
      for (boolean lengths : new boolean[] {false, true}) {
        for (DType x : new DType[] {F32, BF16}) {
          for (DType out : new DType[] {F32, BF16}) {
            cases.add(meanPool(p, lengths, x, out));
            cases.add(meanPoolGradient(p, lengths, x, out));
          }
        }
      }
    }
    return cases.stream();
  }

  /** ViT-B/16 and SoViT-400m at a batch of 64. */
  public static Stream<KernelCase> timed() {
    int[] base = {64, 1, 196, 768};
    int[] so400m = {64, 0, 256, 1152};
    return Stream.of(
        assemble(base, Positions.ALL, F32, F32, F32),
        assemble(so400m, Positions.PATCHES, BF16, BF16, BF16),
        assembleGradient(base, Positions.ALL, F32, F32, true),
        gather(12_544 / 4, 12_544, 768, F32),
        gather(12_544, 12_544, 768, BF16),
        scatterAdd(12_544 / 4, 12_544, 768, F32, F32),
        meanPool(new int[] {64, 196, 768, 0}, false, F32, F32),
        meanPoolGradient(new int[] {64, 196, 768, 0}, false, F32, F32));
  }

  private static KernelCase assemble(int[] s, Positions kind, DType patchType, DType parameter, DType outType) {
    int batch = s[0];
    int prefixes = s[1];
    int patchCount = s[2];
    int width = s[3];
    long out = (long) batch * (prefixes + patchCount) * width;
    double bytes = out * (double) (patchType.bytes() + outType.bytes());
    String shape = "%s positions %s, %s + %s to %s".formatted(sequence(s), kind, patchType, parameter, outType);
    return new KernelCase("token.assemble", shape, 0, bytes, memory -> {
      Span patches = memory.normal(patchType, (long) batch * patchCount * width, 1);
      Span prefix = prefixes == 0 ? null : memory.normal(parameter, (long) prefixes * width, 1);
      Span positions = kind == Positions.NONE ? null : memory.normal(parameter, positions(s, kind), 1);
      Span result = memory.output("out", outType, out, Tolerance.relative(U).rounded(outType));
      return kernels ->
          kernels.token().assemble(batch, prefixes, patchCount, width, patches, prefix, positions, result);
    });
  }

  private static KernelCase assembleGradient(
      int[] s, Positions kind, DType outType, @Nullable DType patchType, boolean wantPrefix) {
    int batch = s[0];
    int prefixes = s[1];
    int patchCount = s[2];
    int width = s[3];
    long out = (long) batch * (prefixes + patchCount) * width;
    double bytes = out * (double) (outType.bytes() + (patchType == null ? 0 : patchType.bytes()));
    String shape =
        "%s positions %s, %s to %s%s".formatted(sequence(s), kind, outType, patchType, wantPrefix ? " and prefix" : "");
    return new KernelCase("token.assembleGradient", shape, 0, bytes, memory -> {
      Tolerance sums = Tolerance.absolute((batch + 2) * U * (batch + 4));
      Span dOut = memory.normal(outType, out, 1);
      long patches = (long) batch * patchCount * width;
      Span dPatches = patchType == null ? null : memory.output("dPatches", patchType, patches, Tolerance.EXACT);
      boolean add = outType == BF16;
      Sums dPrefix = wantPrefix && prefixes > 0 ? memory.sums("dPrefix", (long) prefixes * width, add, sums) : null;
      Sums dPositions = kind == Positions.NONE
          ? null
          : memory.sums("dPositions", positions(s, kind), add != (patchType == BF16), sums);
      return kernels ->
          kernels.token().assembleGradient(batch, prefixes, patchCount, width, dOut, dPatches, dPrefix, dPositions);
    });
  }

  private static long positions(int[] s, Positions kind) {
    return (long) (kind == Positions.ALL ? s[1] + s[2] : s[2]) * s[3];
  }

  private static String sequence(int[] s) {
    return "%dx(%d+%d)x%d".formatted(s[0], s[1], s[2], s[3]);
  }

  private static KernelCase gather(int rows, int from, int width, DType dtype) {
    String shape = "%d of %d x %d %s".formatted(rows, from, width, dtype);
    return new KernelCase("token.gather", shape, 0, 2.0 * rows * width * dtype.bytes(), memory -> {
      long count = (long) from * width;
      Span x = dtype.isFloating() ? memory.normal(dtype, count, 1) : memory.integers(dtype, count, 0, 256);
      Span index = memory.integers(I32, rows, 0, from);
      Span out = memory.output("out", dtype, (long) rows * width, Tolerance.EXACT);
      return kernels -> kernels.token().gather(rows, width, x, index, out);
    });
  }

  private static KernelCase scatterAdd(int rows, int to, int width, DType xType, DType outType) {
    String shape = "%d to %d x %d, %s to %s".formatted(rows, to, width, xType, outType);
    double bytes = (double) rows * width * (xType.bytes() + 2 * outType.bytes());
    return new KernelCase("token.scatterAdd", shape, 0, bytes, memory -> {
      Span x = memory.normal(xType, (long) rows * width, 1);
      Span index = memory.integers(I32, rows, 0, to);
      // About rows / to additions meet in one row, each rounded to the row's dtype.
      double additions = 4 + 4.0 * rows / to;
      double rounding = outType == BF16 ? 0x1p-8 : U;
      Span out = memory.inout(
          "out", memory.normal(outType, (long) to * width, 1), Tolerance.absolute(additions * additions * rounding));
      return kernels -> kernels.token().scatterAdd(rows, width, x, index, out);
    });
  }

  private static KernelCase meanPool(int[] p, boolean valid, DType xType, DType outType) {
    int batch = p[0];
    int tokens = p[1];
    int width = p[2];
    int first = p[3];
    double bytes = (double) batch * (tokens - first) * width * xType.bytes();
    return new KernelCase("token.meanPool", pool(p, valid, xType, outType), 0, bytes, memory -> {
      Span x = memory.normal(xType, (long) batch * tokens * width, 1);
      Span lengths = valid ? memory.integers(I32, batch, first + 1L, tokens + 1L) : null;
      Tolerance tolerance = Tolerance.absolute((tokens - first + 2) * U * 1.5).rounded(outType);
      Span out = memory.output("out", outType, (long) batch * width, tolerance);
      return kernels -> kernels.token().meanPool(batch, tokens, width, first, x, lengths, out);
    });
  }

  private static KernelCase meanPoolGradient(int[] p, boolean valid, DType outType, DType xType) {
    int batch = p[0];
    int tokens = p[1];
    int width = p[2];
    int first = p[3];
    long count = (long) batch * tokens * width;
    String shape = pool(p, valid, outType, xType);
    return new KernelCase("token.meanPoolGradient", shape, 0, (double) count * xType.bytes(), memory -> {
      Span dOut = memory.normal(outType, (long) batch * width, 1);
      Span lengths = valid ? memory.integers(I32, batch, first + 1L, tokens + 1L) : null;
      Span dx = memory.output("dx", xType, count, Tolerance.relative(3 * U).rounded(xType));
      return kernels -> kernels.token().meanPoolGradient(batch, tokens, width, first, dOut, lengths, dx);
    });
  }

  private static String pool(int[] p, boolean valid, DType from, DType to) {
    return "%dx%dx%d from %d%s, %s to %s".formatted(p[0], p[1], p[2], p[3], valid ? " valid" : "", from, to);
  }
}
