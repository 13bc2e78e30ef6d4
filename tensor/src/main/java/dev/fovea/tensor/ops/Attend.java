package dev.fovea.tensor.ops;

import dev.fovea.kernels.Attention;
import dev.fovea.tensor.Input;
import dev.fovea.tensor.Operation;
import dev.fovea.tensor.Output;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/** Multi-head attention of queries, keys and values that lie in one, two or three tensors. */
final class Attend extends Operation {
  private final Attention call;
  private final int width;
  private final Part q;
  private final Part k;
  private final Part v;
  private final @Nullable Input lengths;
  private final Output o;
  private final @Nullable Output lse;

  /** Columns of an operand, from {@code column} on. */
  private record Part(Input in, int column) {
    long ld() {
      return in.shape().dim(-1);
    }
  }

  /** {@code tensors} is {qkv}, {q, kv} or {q, k, v}, each [batch, tokens, columns]. */
  Attend(int heads, @Nullable Tensor lengths, Tensor... tensors) {
    super(tensors[0]);
    Tensor first = Dims.rank(tensors.length == 1 ? "qkv" : "q", tensors[0], 3, "[batch, tokens, width]");
    width = Dims.last("q", first) / (tensors.length == 1 ? 3 : 1);
    if (heads < 1 || width % heads != 0 || tensors.length == 1 && first.shape().dim(-1) % 3 != 0) {
      throw new IllegalArgumentException(
          "heads: got %d, expected a divisor of the width of %s".formatted(heads, first.shape()));
    }
    Tensor last = tensors[tensors.length - 1];
    long batch = first.shape().dim(0);
    for (int i = 1; i < tensors.length; i++) {
      Dims.same(
          tensors.length == 2 ? "kv" : i == 1 ? "k" : "v",
          tensors[i],
          Shape.of(batch, last.shape().dim(1), (tensors.length == 2 ? 2L : 1L) * width));
    }
    call = new Attention(
        Math.toIntExact(batch),
        heads,
        Math.toIntExact(first.shape().dim(1)),
        Math.toIntExact(last.shape().dim(1)),
        width / heads);
    q = new Part(input(first).keep(), 0);
    k = tensors.length == 1 ? new Part(q.in, width) : new Part(input(tensors[1]).keep(), 0);
    v = tensors.length == 3 ? new Part(input(tensors[2]).keep(), 0) : new Part(k.in, k.column + width);
    this.lengths =
        lengths == null ? null : input(Dims.vector("lengths", lengths, batch)).keep();
    o = output(Shape.of(batch, call.queries, width), first.dtype()).keep();
    lse = recording()
        ? output(Shape.of(batch, heads, call.queries), first.dtype().accumulator())
            .keep()
        : null;
  }

  Tensor apply() {
    run();
    return o.result();
  }

  private Attention operands() {
    return call.q(q.in.span().from(q.column), q.ld())
        .k(k.in.span().from(k.column), k.ld())
        .v(v.in.span().from(v.column), v.ld())
        .lengths(Dims.span(lengths))
        .o(o.span(), width)
        .lse(lse == null ? null : lse.span());
  }

  @Override
  protected void forward() {
    kernels().attention().forward(operands());
  }

  @Override
  protected void backward() {
    Tensor dq = Tensor.empty(q.in.shape(), q.in.dtype());
    Tensor dk = k.in == q.in ? dq : Tensor.empty(k.in.shape(), k.in.dtype());
    Tensor dv = v.in == k.in ? dk : Tensor.empty(v.in.shape(), v.in.dtype());
    kernels()
        .attention()
        .backward(operands()
            .dO(o.gradient().span(), width)
            .dq(dq.span().from(q.column), q.ld())
            .dk(dk.span().from(k.column), k.ld())
            .dv(dv.span().from(v.column), v.ld()));
    q.in.add(dq);
    if (dk != dq) {
      k.in.add(dk);
    }
    if (dv != dk) {
      v.in.add(dv);
    }
  }
}
