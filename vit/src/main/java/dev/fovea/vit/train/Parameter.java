package dev.fovea.vit.train;

import dev.fovea.tensor.Tensor;
import dev.fovea.vit.model.VisionTransformer;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A tensor that is trained, and how.
 *
 * @param name by which its state is stored
 * @param value what the model computes with, and gradients are of
 * @param master F32, what is moved in the value's place, which is rounded from it after every step; null where the
 *     value is moved itself
 * @param rate multiplies the learning rate
 * @param decay decoupled weight decay, relative to the learning rate: every step takes {@code learning rate x rate x
 *     decay} of the value away
 */
public record Parameter(String name, Tensor value, @Nullable Tensor master, double rate, double decay) {
  /** A parameter that is moved itself. */
  public Parameter(String name, Tensor value, double rate, double decay) {
    this(name, value, null, rate, decay);
  }

  private static final String HEADS = "head.";

  /** The classifier's weights. */
  private static final String HEAD = "head.weight";

  /**
   * The parameters of a model that decay as in Scaling ViT, section 3.1: weights of linear layers do, the classifier's
   * more than the others'; biases, norms, scales, positions and learned tokens do not.
   *
   * @param trained which names are trained; the others stay as they are and cost no memory
   */
  public static List<Parameter> of(VisionTransformer model, double decay, double headDecay, Predicate<String> trained) {
    return of(model.parameters(), decay, headDecay, trained);
  }

  /** As {@link #of(VisionTransformer, double, double, Predicate)}, of parameters by name. */
  static List<Parameter> of(Map<String, Tensor> parameters, double decay, double headDecay, Predicate<String> trained) {
    return parameters.entrySet().stream()
        .filter(entry -> trained.test(entry.getKey()))
        .map(entry -> {
          boolean decays =
              entry.getKey().endsWith(".weight") && entry.getValue().shape().rank() == 2;
          double its = entry.getKey().equals(HEAD) ? headDecay : decay;
          return new Parameter(entry.getKey(), entry.getValue(), 1, decays ? its : 0);
        })
        .toList();
  }

  /** Whether it is the classifier's. */
  boolean ofHead() {
    return name.startsWith(HEADS);
  }

  /** The same with another rate: {@code factor} times this one. */
  Parameter faster(double factor) {
    return new Parameter(name, value, master, rate * factor, decay);
  }

  /** The same, of which a master is moved. */
  Parameter of(@Nullable Tensor itsMaster) {
    return new Parameter(name, value, itsMaster, rate, decay);
  }

  /** What an optimizer moves. */
  Tensor moved() {
    return master == null ? value : master;
  }
}
