package dev.fovea.tensor;

import java.util.IdentityHashMap;
import java.util.Map;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The gradients of trainable tensors, as F32. Passing the same object to several {@link Tape#backward} calls adds them
 * up. Owns its tensors until closed.
 */
public final class Gradients implements AutoCloseable {
  private final Map<Variable.Leaf, Tensor> gradients = new IdentityHashMap<>();

  /**
   * The gradient of a trainable tensor, in its shape; null if none reached it. Valid until this is closed.
   *
   * @throws IllegalArgumentException if {@code parameter} is not trainable
   */
  public @Nullable Tensor of(Tensor parameter) {
    Variable.Leaf leaf = parameter.leaf();
    if (leaf == null) {
      throw new IllegalArgumentException("parameter: got a tensor that is not trainable, expected a trainable one");
    }
    return gradients.get(leaf);
  }

  /** Every trainable tensor that got a gradient, with it. */
  public void forEach(BiConsumer<Tensor, Tensor> action) {
    gradients.forEach((leaf, gradient) -> action.accept(leaf.tensor, gradient));
  }

  public int size() {
    return gradients.size();
  }

  @Nullable
  Tensor take(Variable.Leaf leaf) {
    return gradients.remove(leaf);
  }

  void put(Variable.Leaf leaf, Tensor gradient) {
    gradients.put(leaf, gradient.alias(leaf.tensor.shape()));
    gradient.close();
  }

  @Override
  public void close() {
    gradients.values().forEach(Tensor::close);
    gradients.clear();
  }
}
