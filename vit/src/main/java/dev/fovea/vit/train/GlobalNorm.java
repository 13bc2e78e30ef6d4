package dev.fovea.vit.train;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.Span;
import dev.fovea.tensor.Gradients;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/** The norm of all gradients together. */
public final class GlobalNorm {
  private GlobalNorm() {}

  /** The sum of squares over the gradients of these parameters, in their order; F32 [1], in the current scope. */
  public static Tensor sumOfSquares(List<Parameter> parameters, Gradients gradients) {
    Tensor sum = Tensor.zeros(Shape.of(1), DType.F32);
    List<Span> all = new ArrayList<>();
    for (Parameter parameter : parameters) {
      Tensor gradient = gradients.of(parameter.value());
      if (gradient != null) {
        all.add(gradient.span());
      }
    }
    sum.device().kernels().reduce().sumOfSquares(all, sum.span());
    return sum;
  }

  /** The factor that brings the norm down to {@code maxNorm} where it is above; F32 [1], in the current scope. */
  public static Tensor clipFactor(Tensor sumOfSquares, double maxNorm) {
    Tensor factor = Tensor.empty(Shape.of(1), DType.F32);
    factor.device().kernels().reduce().clipFactor(sumOfSquares.span(), (float) maxNorm, factor.span());
    return factor;
  }
}
