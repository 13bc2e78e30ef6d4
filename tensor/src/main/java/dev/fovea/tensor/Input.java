package dev.fovea.tensor;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.Sums;
import org.jspecify.annotations.Nullable;

/** An operand of an {@link Operation}. */
public final class Input {
  private final Shape shape;
  private final DType dtype;
  final @Nullable Variable variable;
  private @Nullable Tensor value;
  private @Nullable Output rebuilt;
  private boolean kept;

  Input(Tensor value, @Nullable Variable variable) {
    this.value = value;
    this.variable = variable;
    this.shape = value.shape();
    this.dtype = value.dtype();
  }

  /** Marks the value as one that the backward pass reads. */
  public Input keep() {
    kept = true;
    return this;
  }

  public Shape shape() {
    return shape;
  }

  public DType dtype() {
    return dtype;
  }

  /** The value: always during the forward pass, and in the backward pass if kept. */
  public Tensor value() {
    if (rebuilt != null) {
      return rebuilt.rebuild();
    }
    if (value == null) {
      throw new IllegalStateException("this operand was not kept for the backward pass");
    }
    return value;
  }

  /** Hands the value that is kept over to the caller. */
  Tensor take() {
    Tensor taken = value();
    value = null;
    return taken;
  }

  /** Gives the value back that was taken; the handle is taken over. */
  void put(Tensor back) {
    value = back;
  }

  public Span span() {
    return value().span();
  }

  /** Whether a gradient of this operand is of any use. */
  public boolean wantsGradient() {
    return variable != null;
  }

  /** Adds to this operand's gradient; {@code dx} may live on as part of it and must not be written afterwards. */
  public void add(Tensor dx) {
    if (variable != null) {
      variable.add(dx);
    }
  }

  /** For a kernel that adds to what it finds: the gradient so far, and where to write the sum. */
  public Gathered gathered() {
    return variable == null ? new Gathered(null, Tensor.empty(shape, dtype)) : variable.gathered(shape, dtype);
  }

  /** Makes {@code total}, which includes what was gathered, this operand's gradient. */
  public void replace(Tensor total) {
    if (variable != null) {
      variable.replace(total);
    }
  }

  /**
   * Where a kernel puts its share of the gradient as F32 sums, in this operand's shape: the first share of all takes
   * the place of what is there, the others are added. The kernel must write every element. Only for an operand that
   * {@link #wantsGradient}.
   */
  public Sums sums() {
    if (variable == null) {
      throw new IllegalStateException("this operand wants no gradient");
    }
    return variable.sums(shape, dtype.accumulator());
  }

  /** What made this operand, if it takes the gradient before its activation and nobody else sends it one; or null. */
  public @Nullable PreActivation preActivation() {
    Output source = variable == null || variable.uses != 1 ? null : variable.producer;
    return source == null ? null : source.operation().preActivation(source);
  }

  /** Sends the gradient before the activation; only after {@link #preActivation} was not null. */
  public void addPre(Tensor dPre) {
    add(dPre);
    if (variable != null) {
      variable.beforeActivation = true;
    }
  }

  /** Keeps what was asked for; a replay keeps all, since it computes when somebody looks. */
  void record(Tape tape) {
    if (!kept && !tape.replays()) {
      value = null;
      return;
    }
    Output source = variable == null ? null : variable.producer;
    if (source != null && tape.policy() == Recompute.SELECTIVE && source.recomputes()) {
      rebuilt = source;
      source.rebuilders++;
      value = null;
    } else {
      value = value().alias(shape);
    }
  }

  /**
   * Says in a backward pass that the value is not read any more, so that its memory may serve what is made next.
   * Everything is let go of at the end of the pass anyhow.
   */
  public void done() {
    release();
  }

  void release() {
    if (rebuilt != null) {
      rebuilt.rebuildDone();
      rebuilt = null;
    } else if (value != null) {
      value.close();
      value = null;
    }
  }
}
