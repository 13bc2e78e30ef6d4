package dev.fovea.vit.train;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.OptimizerKernels;
import dev.fovea.kernels.OptimizerKernels.Piece;
import dev.fovea.kernels.Span;
import dev.fovea.tensor.Tensor;
import java.util.ArrayList;
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

  /** For parameters that are F32 or have masters. */
  public Sgd(List<Parameter> parameters, Settings settings) {
    this(parameters, settings, 0);
  }

  /**
   * For any parameters.
   *
   * @param seed of the rounding of BF16 parameters without master
   */
  public Sgd(List<Parameter> parameters, Settings settings, long seed) {
    super(parameters, seed);
    this.settings = settings;
    begin();
  }

  /** A parameter's momentum. */
  private record Momentum(int number, Tensor m) implements Rule {}

  @Override
  Rule rule(Parameter parameter, int n) {
    return new Momentum(
        n, zeros("m", parameter, settings.moment, parameter.value().shape()));
  }

  private OptimizerKernels.Sgd at(double learningRate) {
    return new OptimizerKernels.Sgd((float) learningRate, (float) settings.momentum, 0, settings.nesterov);
  }

  @Override
  OptimizerKernels.StepValues valuesAt(double learningRate, long step) {
    return at(learningRate).values(rounding(0, step));
  }

  @Override
  void move(List<Moving> moving, When when) {
    List<Piece> pieces = new ArrayList<>(moving.size());
    for (Moving each : moving) {
      Span m = ((Momentum) each.rule()).m.span();
      pieces.add(new Piece(each.value(), each.gradient(), m, null, each.rate(), each.decay(), each.rounded()));
    }
    OptimizerKernels.Sgd h = at(when.learningRate());
    var rounding = rounding(first(moving), when.step());
    device().kernels().optimizer().sgd(h, when.now(), pieces, when.gradientScale(), rounding);
  }
}
