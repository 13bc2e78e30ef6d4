package dev.fovea.kernels;

import dev.fovea.kernels.Attention.Operand;

/** Checks an attention call before a device runs it. */
final class CheckedAttention implements AttentionKernels {
  private final AttentionKernels kernels;

  CheckedAttention(AttentionKernels kernels) {
    this.kernels = kernels;
  }

  @Override
  public void forward(Attention call) {
    inputs(call);
    queries(call, call.o());
    apart(call, call.o(), call.queries, call.q(), call.queries);
    apart(call, call.o(), call.queries, call.k(), call.keys);
    apart(call, call.o(), call.queries, call.v(), call.keys);
    Span lse = call.lse();
    if (lse != null) {
      Check.typed("lse", lse, DType.F32, statistics(call));
      apart(call, "lse", lse, statistics(call), call.q(), call.queries);
      apart(call, "lse", lse, statistics(call), call.k(), call.keys);
      apart(call, "lse", lse, statistics(call), call.v(), call.keys);
      apart(call, "lse", lse, statistics(call), call.o(), call.queries);
    }
    kernels.forward(call);
  }

  @Override
  public void backward(Attention call) {
    inputs(call);
    queries(call, call.o());
    queries(call, call.dO());
    lse(call);
    queries(call, call.dq());
    keys(call, call.dk());
    keys(call, call.dv());
    gradient(call, call.dq(), call.queries);
    gradient(call, call.dk(), call.keys);
    gradient(call, call.dv(), call.keys);
    apart(call, call.dq(), call.queries, call.dk(), call.keys);
    apart(call, call.dq(), call.queries, call.dv(), call.keys);
    apart(call, call.dk(), call.keys, call.dv(), call.keys);
    kernels.backward(call);
  }

  @Override
  public void weights(Attention call, Span p) {
    queries(call, call.q());
    keys(call, call.k());
    Check.optionalTyped("lengths", call.lengths(), DType.I32, call.batch);
    Span lse = lse(call);
    long count = Math.multiplyExact(statistics(call), call.keys);
    Check.typed("p", p, DType.F32, count);
    apart(call, "p", p, count, call.q(), call.queries);
    apart(call, "p", p, count, call.k(), call.keys);
    Check.apart("p", p, "lse", lse);
    kernels.weights(call, p);
  }

  private static void inputs(Attention call) {
    queries(call, call.q());
    keys(call, call.k());
    keys(call, call.v());
    Check.optionalTyped("lengths", call.lengths(), DType.I32, call.batch);
  }

  private static void queries(Attention call, Operand operand) {
    Check.matrix(operand.name(), operand.span(), (long) call.batch * call.queries, width(call), operand.ld());
  }

  private static void keys(Attention call, Operand operand) {
    Check.matrix(operand.name(), operand.span(), (long) call.batch * call.keys, width(call), operand.ld());
  }

  private static Span lse(Attention call) {
    Span lse = call.lse();
    if (lse == null) {
      throw new IllegalArgumentException("lse: not set, expected what forward wrote");
    }
    Check.typed("lse", lse, DType.F32, statistics(call));
    return lse;
  }

  private static void gradient(Attention call, Operand gradient, int rows) {
    apart(call, gradient, rows, call.q(), call.queries);
    apart(call, gradient, rows, call.k(), call.keys);
    apart(call, gradient, rows, call.v(), call.keys);
    apart(call, gradient, rows, call.o(), call.queries);
    apart(call, gradient, rows, call.dO(), call.queries);
    apart(call, "lse", lse(call), statistics(call), gradient, rows);
  }

  private static long width(Attention call) {
    return (long) call.heads * call.headDim;
  }

  private static long statistics(Attention call) {
    return (long) call.batch * call.heads * call.queries;
  }

  /**
   * No element in common. Matrices of the same leading dimension may interleave: columns of one buffer, like the thirds
   * of a fused projection.
   */
  private static void apart(Attention call, Operand a, int aRows, Operand b, int bRows) {
    if (meets(a.span(), extent(call, a, aRows), b.span(), extent(call, b, bRows)) && !interleaved(a, b, width(call))) {
      overlap(a.name(), b.name());
    }
  }

  private static void apart(Attention call, String name, Span vector, long count, Operand b, int bRows) {
    if (meets(vector, count * vector.dtype().bytes(), b.span(), extent(call, b, bRows))) {
      overlap(name, b.name());
    }
  }

  private static boolean meets(Span a, long aBytes, Span b, long bBytes) {
    return a.address() < b.address() + bBytes && b.address() < a.address() + aBytes;
  }

  /** Bytes from the first element to the last. */
  private static long extent(Attention call, Operand operand, int rows) {
    return (((long) call.batch * rows - 1) * operand.ld() + width(call))
        * operand.span().dtype().bytes();
  }

  private static boolean interleaved(Operand a, Operand b, long width) {
    int bytes = a.span().dtype().bytes();
    if (a.span().dtype() != b.span().dtype() || a.ld() != b.ld()) {
      return false;
    }
    long distance = Math.floorMod(b.span().address() - a.span().address(), a.ld() * bytes);
    return distance >= width * bytes && distance + width * bytes <= a.ld() * bytes;
  }

  private static void overlap(String name, String other) {
    throw new IllegalArgumentException("%s: overlaps %s, expected its own memory".formatted(name, other));
  }
}
