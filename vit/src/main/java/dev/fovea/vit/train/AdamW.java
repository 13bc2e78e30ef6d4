package dev.fovea.vit.train;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.OptimizerKernels;
import dev.fovea.kernels.OptimizerKernels.Piece;
import dev.fovea.kernels.Span;
import dev.fovea.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/** AdamW (Loshchilov and Hutter, 2019), as PyTorch computes it. */
public final class AdamW extends Optimizer {
  private final Settings settings;

  /**
   * Hyper-parameters beside rate and decay.
   *
   * @param moment dtype of the first moment, F32 or BF16; the second is F32
   */
  public record Settings(double beta1, double beta2, double eps, DType moment) {
    /** As most train Vision Transformers: 0.9, 0.999. */
    public static final Settings DEFAULT = new Settings(0.9, 0.999, 1e-8, DType.F32);
  }

  /** For parameters that are F32 or have masters. */
  public AdamW(List<Parameter> parameters, Settings settings) {
    this(parameters, settings, 0);
  }

  /**
   * For any parameters.
   *
   * @param seed of the rounding of BF16 parameters without master
   */
  public AdamW(List<Parameter> parameters, Settings settings, long seed) {
    super(parameters, seed);
    this.settings = settings;
    begin();
  }

  /** A parameter's moments. */
  private record Moments(int number, Tensor m, Tensor v) implements Rule {}

  @Override
  Rule rule(Parameter parameter, int n) {
    Tensor value = parameter.value();
    return new Moments(
        n, zeros("m", parameter, settings.moment, value.shape()), zeros("v", parameter, DType.F32, value.shape()));
  }

  private OptimizerKernels.AdamW at(double learningRate, long step) {
    return new OptimizerKernels.AdamW(
        (float) learningRate, (float) settings.beta1, (float) settings.beta2, (float) settings.eps, 0, step);
  }

  @Override
  OptimizerKernels.StepValues valuesAt(double learningRate, long step) {
    return at(learningRate, step).values(rounding(0, step));
  }

  @Override
  void move(List<Moving> moving, When when) {
    List<Piece> pieces = new ArrayList<>(moving.size());
    for (Moving each : moving) {
      Moments its = (Moments) each.rule();
      Span m = its.m.span();
      Span v = its.v.span();
      pieces.add(new Piece(each.value(), each.gradient(), m, v, each.rate(), each.decay(), each.rounded()));
    }
    OptimizerKernels.AdamW h = at(when.learningRate(), when.step());
    var rounding = rounding(first(moving), when.step());
    device().kernels().optimizer().adamW(h, when.now(), pieces, when.gradientScale(), rounding);
  }
}
