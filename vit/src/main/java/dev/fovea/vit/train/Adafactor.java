package dev.fovea.vit.train;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.OptimizerKernels;
import dev.fovea.kernels.OptimizerKernels.Rounding;
import dev.fovea.kernels.Span;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Adafactor as Scaling ViT modifies it (section 3.3): a first moment in bfloat16 without bias correction, no learning
 * rate relative to the parameter's norm, a decay of the factored second moment that is capped. Half as much memory as
 * the parameters, beside them, where Adam needs twice as much.
 */
public final class Adafactor extends Optimizer {
  private final Settings settings;
  private final Factoring factoring;

  /**
   * Hyper-parameters beside rate and decay.
   *
   * @param decayRate exponent of the second moment's decay {@code 1 - step^-decayRate}
   * @param beta2Cap its upper bound
   * @param eps added to squared gradients
   * @param moment dtype of the first moment, F32 or BF16
   */
  public record Settings(double momentum, double decayRate, double beta2Cap, double eps, DType moment) {
    /** As in the paper. */
    public static final Settings DEFAULT = new Settings(0.9, 0.8, 0.999, 1e-30, DType.BF16);
  }

  /**
   * Adafactor for these parameters.
   *
   * @param factoring which matrices of a parameter have factored second moments
   */
  public Adafactor(List<Parameter> parameters, Settings settings, Factoring factoring) {
    super(parameters);
    this.settings = settings;
    this.factoring = factoring;
    begin();
  }

  @Override
  Rule rule(Parameter parameter) {
    Tensor m = zeros("m", parameter, settings.moment, parameter.value().shape());
    List<Piece> pieces = new ArrayList<>();
    List<Factoring.Part> parts =
        factoring.parts(parameter.name(), parameter.value().shape());
    for (int i = 0; i < parts.size(); i++) {
      pieces.add(new Piece(parameter, parts.get(i), parts.size() == 1 ? "" : i + ".", m));
    }
    return (gradient, scale, rate, step) -> {
      var h = new OptimizerKernels.Adafactor(
          (float) rate,
          (float) (rate * parameter.decay()),
          (float) settings.momentum,
          (float) settings.decayRate,
          (float) settings.beta2Cap,
          (float) settings.eps,
          step);
      for (Piece piece : pieces) {
        piece.update(h, gradient, scale);
      }
    };
  }

  /** The step of one part of a parameter. */
  private final class Piece {
    private final OptimizerKernels kernels = device().kernels().optimizer();
    private final Factoring.Part part;
    private final Tensor value;
    private final Tensor m;
    private final Tensor v;
    private final @Nullable Tensor column;

    Piece(Parameter parameter, Factoring.Part part, String number, Tensor m) {
      this.part = part;
      this.value = parameter.value();
      this.m = m;
      OptimizerKernels.Factors f = part.factors();
      if (f == null) {
        v = zeros("v" + number, parameter, DType.F32, Shape.of(part.count()));
        column = null;
      } else {
        v = zeros("row" + number, parameter, DType.F32, Shape.of(f.batch(), f.rows()));
        column = zeros("column" + number, parameter, DType.F32, Shape.of(f.batch(), f.columns()));
      }
    }

    void update(OptimizerKernels.Adafactor h, Span gradient, @Nullable Span scale) {
      Span p = value.span().slice(part.first(), part.count());
      Span g = gradient.slice(part.first(), part.count());
      Span moment = m.span().slice(part.first(), part.count());
      OptimizerKernels.Factors f = part.factors();
      if (f == null || column == null) {
        kernels.adafactorUnfactored(h, p, g, scale, v.span(), moment, Rounding.NEAREST);
      } else {
        kernels.adafactor(h, f, p, g, scale, v.span(), column.span(), moment, Rounding.NEAREST);
      }
    }
  }
}
