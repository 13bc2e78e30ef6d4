package dev.fovea.tensor;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.Sums;
import org.jspecify.annotations.Nullable;

/** A value on a tape as gradients see it: who made it, how many operations read it, and the gradient so far. */
final class Variable {
  final Tape tape;

  /** The output that this is, or null for a leaf. */
  final @Nullable Output producer;

  /** The leaf that this is, or null for a result. */
  final @Nullable Leaf leaf;

  /** How many recorded operations will still send a gradient. */
  int uses;

  /** Whether what has arrived is the gradient before the producer's activation. */
  boolean beforeActivation;

  /** What has arrived, in the value's dtype or its accumulator's; a handle of its own. */
  @Nullable
  Tensor gradient;

  /** The identity of a trainable tensor, shared by its views. */
  static final class Leaf {
    final Tensor tensor;

    Leaf(Tensor tensor) {
      this.tensor = tensor;
    }
  }

  Variable(Tape tape, @Nullable Output producer, @Nullable Leaf leaf) {
    this.tape = tape;
    this.producer = producer;
    this.leaf = leaf;
  }

  /** Whether the gradient's memory belongs to nobody else, so that it may be written to. */
  boolean ownsGradient() {
    return gradient != null && gradient.memory().exclusive();
  }

  /** Takes the tensor's memory as the gradient so far. */
  void set(Tensor value) {
    Tensor old = gradient;
    gradient = value.alias(value.shape());
    if (old != null) {
      old.close();
    }
  }

  /** Adds a share; it may live on as part of the gradient. */
  void add(Tensor share) {
    Tensor sum = gradient;
    if (sum == null) {
      replace(share);
      return;
    }
    Tensor to = ownsGradient() ? sum : Tensor.empty(sum.shape(), sum.dtype());
    sum.device().kernels().elementwise().combine(1, sum.span(), 1, share.span(), to.span());
    set(to);
  }

  /** Makes this the gradient; that of a leaf is kept in the wide dtype of sums. */
  void replace(Tensor total) {
    set(leaf == null ? total : total.to(total.dtype().accumulator()));
  }

  /** The gradient so far as a value of this shape and dtype, and where to write its sum with another share. */
  Gathered gathered(Shape shape, DType dtype) {
    Tensor sum = gradient;
    if (sum == null) {
      return new Gathered(null, Tensor.empty(shape, dtype));
    }
    boolean inPlace = ownsGradient() && sum.dtype() == dtype;
    Tensor before = sum.to(dtype).reshape(shape);
    return new Gathered(before, inPlace ? before : Tensor.empty(shape, dtype));
  }

  /**
   * The gradient in memory of its own and in the wide dtype, for a kernel that adds to it, or that writes it if nothing
   * has arrived.
   */
  Sums sums(Shape shape, DType wide) {
    Tensor sum = gradient;
    if (sum != null && sum.dtype() == wide && ownsGradient()) {
      return Sums.addedTo(sum.span());
    }
    Tensor made = Tensor.empty(shape, wide);
    if (sum != null) {
      made.copyFrom(sum.reshape(shape));
    }
    // One handle only: whoever asks again finds memory of its own, and not a reason for a copy.
    gradient = made.alias(shape);
    made.close();
    if (sum != null) {
      sum.close();
    }
    return new Sums(gradient.span(), sum != null);
  }

  void clear() {
    if (gradient != null) {
      gradient.close();
      gradient = null;
    }
  }
}
