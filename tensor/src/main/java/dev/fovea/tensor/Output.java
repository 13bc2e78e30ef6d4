package dev.fovea.tensor;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.Span;
import org.jspecify.annotations.Nullable;

/** A result of an {@link Operation}. */
public final class Output {
  private final Operation operation;
  private final Shape shape;
  private final DType dtype;
  private final Tensor made;
  private @Nullable Tensor kept;
  private @Nullable Variable variable;
  private @Nullable Tensor rebuilt;
  int rebuilders;
  private boolean keep;

  Output(Operation operation, Tensor made) {
    this.operation = operation;
    this.made = made;
    this.shape = made.shape();
    this.dtype = made.dtype();
  }

  /** Marks the value as one that the backward pass reads. */
  public Output keep() {
    keep = true;
    return this;
  }

  public Shape shape() {
    return shape;
  }

  public DType dtype() {
    return dtype;
  }

  /** The tensor to return to the caller, owned by the scope it was made in. */
  public Tensor result() {
    return made;
  }

  /** The value: during the forward pass, and in the backward pass if kept. */
  public Tensor value() {
    return kept != null ? kept : made;
  }

  public Span span() {
    return value().span();
  }

  /** As {@link Input#done}. */
  public void done() {
    if (kept != null) {
      kept.close();
      kept = null;
    }
  }

  /** Whether the gradient that arrived is that of {@link PreActivation#pre}. */
  public boolean gradientIsPre() {
    return variable != null && variable.beforeActivation;
  }

  /** Whether any operation sent this output a gradient. */
  public boolean hasGradient() {
    return variable != null && variable.gradient != null;
  }

  /** The gradient that arrived, in this output's shape and dtype; zeros if none did. */
  public Tensor gradient() {
    if (variable == null || variable.gradient == null) {
      Tensor zeros = Tensor.empty(shape, dtype);
      operation.kernels().elementwise().fill(zeros.span(), 0);
      return zeros;
    }
    return variable.gradient.to(dtype).reshape(shape);
  }

  /** As {@link #gradient}, in memory that may be overwritten. */
  public Tensor ownGradient() {
    boolean shared =
        variable != null && variable.gradient != null && variable.gradient.dtype() == dtype && !variable.ownsGradient();
    Tensor gradient = gradient();
    if (!shared) {
      return gradient;
    }
    Tensor copy = Tensor.empty(shape, dtype);
    copy.copyFrom(gradient);
    return copy;
  }

  /** Lets go of the gradient. */
  void drop() {
    if (variable != null) {
      variable.clear();
    }
  }

  /** Gives a replayed output the gradient that its first life received. */
  void seed(Tensor gradient) {
    if (variable != null) {
      variable.set(gradient);
    }
  }

  Operation operation() {
    return operation;
  }

  boolean recomputes() {
    return operation.recomputes(this);
  }

  void record(Tape tape) {
    variable = new Variable(tape, this, null);
    made.track(variable);
    if (keep || tape.replays()) {
      kept = made.alias(shape);
    }
  }

  Tensor rebuild() {
    if (rebuilt == null) {
      Tensor again = Tensor.empty(shape, dtype);
      operation.recompute(this, again);
      // One handle only, or the scope of this backward pass would hold on to what is done with.
      rebuilt = again.alias(shape);
      again.close();
    }
    return rebuilt;
  }

  void rebuildDone() {
    if (--rebuilders == 0 && rebuilt != null) {
      rebuilt.close();
      rebuilt = null;
    }
  }

  void release() {
    if (variable != null) {
      variable.clear();
    }
    done();
  }
}
