package dev.fovea.vit.train;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.OptimizerKernels;
import dev.fovea.kernels.OptimizerKernels.Rounding;
import dev.fovea.tensor.Tensor;
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

  public AdamW(List<Parameter> parameters, Settings settings) {
    super(parameters);
    this.settings = settings;
    begin();
  }

  @Override
  Rule rule(Parameter parameter) {
    Tensor value = parameter.value();
    Tensor m = zeros("m", parameter, settings.moment, value.shape());
    Tensor v = zeros("v", parameter, DType.F32, value.shape());
    OptimizerKernels kernels = device().kernels().optimizer();
    return (gradient, scale, rate, step) -> {
      var h = new OptimizerKernels.AdamW(
          (float) rate,
          (float) settings.beta1,
          (float) settings.beta2,
          (float) settings.eps,
          (float) parameter.decay(),
          step);
      kernels.adamW(h, value.span(), gradient, scale, m.span(), v.span(), Rounding.NEAREST);
    };
  }
}
