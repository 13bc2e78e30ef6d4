package dev.fovea.vit.train;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.ElementwiseKernels;
import dev.fovea.kernels.OptimizerKernels;
import dev.fovea.kernels.OptimizerKernels.Rounding;
import dev.fovea.tensor.Tensor;
import java.util.List;

/** SGD with momentum and decoupled weight decay, as the papers fine-tune (Scaling ViT, appendix D). */
public final class Sgd extends Optimizer {
  private final Settings settings;

  /**
   * Hyper-parameters beside rate and decay.
   *
   * @param moment dtype of the momentum, F32 or BF16
   */
  public record Settings(double momentum, boolean nesterov, DType moment) {
    /** 0.9 in bfloat16. */
    public static final Settings DEFAULT = new Settings(0.9, false, DType.BF16);
  }

  public Sgd(List<Parameter> parameters, Settings settings) {
    super(parameters);
    this.settings = settings;
    begin();
  }

  @Override
  Rule rule(Parameter parameter) {
    Tensor value = parameter.value();
    Tensor m = zeros("m", parameter, settings.moment, value.shape());
    OptimizerKernels kernels = device().kernels().optimizer();
    ElementwiseKernels elementwise = device().kernels().elementwise();
    return (gradient, scale, rate, step) -> {
      if (parameter.decay() != 0) {
        float kept = (float) (1 - rate * parameter.decay());
        elementwise.combine(kept, value.span(), 0, null, value.span());
      }
      var h = new OptimizerKernels.Sgd((float) rate, (float) settings.momentum, 0, settings.nesterov);
      kernels.sgd(h, value.span(), gradient, scale, m.span(), Rounding.NEAREST);
    };
  }
}
