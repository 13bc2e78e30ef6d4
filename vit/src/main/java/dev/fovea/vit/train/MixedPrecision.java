package dev.fovea.vit.train;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a run trains, as it is kept and as it computes. In F32 the two are one. In BF16 the parameters that are moved,
 * averaged and saved are F32 masters, so that steps smaller than BF16 can tell add up; the model computes with their
 * rounding to nearest and nothing else, which is why no checkpoint holds it. Without masters the two are one in BF16 as
 * well, and such steps add up on average, since the optimizer rounds at random. Owns both.
 */
final class MixedPrecision implements AutoCloseable {
  private final Objective kept;
  private final Objective working;

  private MixedPrecision(Objective kept, Objective working) {
    this.kept = kept;
    this.working = working;
  }

  /**
   * An objective that computes in a dtype.
   *
   * @param kept with F32 parameters; taken over
   * @param masters whether these stay where they are not what computes
   */
  static MixedPrecision of(Objective kept, DType dtype, boolean masters) {
    if (dtype == DType.F32) {
      return new MixedPrecision(kept, kept);
    }
    Objective working;
    try {
      working = copy(kept, dtype, masters ? dtype.name().toLowerCase(Locale.ROOT) : "model");
    } catch (RuntimeException e) {
      kept.close();
      throw e;
    }
    if (masters) {
      return new MixedPrecision(kept, working);
    }
    kept.close();
    return new MixedPrecision(working, working);
  }

  private static Objective copy(Objective from, DType dtype, String label) {
    Map<String, Tensor> copies = new LinkedHashMap<>();
    try (Scope scope = Scope.open(Evaluation.device(from.model())).label(label)) {
      from.parameters()
          .forEach((name, tensor) ->
              copies.put(name, Tensor.empty(tensor.shape(), dtype).copyFrom(tensor)));
      return from.with(copies);
    }
  }

  /**
   * The same once more, on parameters of its own that are equal now and kept in F32 in any case.
   *
   * @param label of the F32 ones' memory
   */
  MixedPrecision copy(String label) {
    return of(copy(kept, DType.F32, label), dtype(), true);
  }

  private DType dtype() {
    return working.parameters().values().iterator().next().dtype();
  }

  /** What is moved and saved: with F32 parameters, unless there are no masters. */
  Objective kept() {
    return kept;
  }

  /** What computes. */
  Objective working() {
    return working;
  }

  /** The F32 parameter behind one that computes, or null where that is moved itself. */
  @Nullable
  Tensor master(String name) {
    return kept == working ? null : kept.parameters().get(name);
  }

  /** Makes what computes the rounding of what is kept again, which has been written to. */
  void round() {
    if (kept != working) {
      working.parameters().forEach((name, tensor) -> {
        Tensor master = kept.parameters().get(name);
        if (master != null) {
          tensor.device().kernels().elementwise().cast(master.span(), tensor.span());
        }
      });
    }
  }

  @Override
  public void close() {
    if (kept != working) {
      working.close();
    }
    kept.close();
  }
}
