package dev.fovea.tensor;

import org.jspecify.annotations.Nullable;

/** A value on a tape as gradients see it: who made it, how many operations read it, and the gradient so far. */
final class Variable {
  final Tape tape;

  /** The output that this is, or null for a leaf. */
  final Operation.@Nullable Output producer;

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

  Variable(Tape tape, Operation.@Nullable Output producer, @Nullable Leaf leaf) {
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

  void clear() {
    if (gradient != null) {
      gradient.close();
      gradient = null;
    }
  }
}
