package dev.fovea.vit.train;

import dev.fovea.kernels.DType;
import dev.fovea.vit.data.RandomStream;
import java.util.List;

/** Makes the optimizers of configurations. */
final class Optimizers {
  private Optimizers() {}

  /** A new one, for what a run trains. */
  static Optimizer of(TrainConfig config, MixedPrecision trained) {
    TrainConfig.Optimization o = config.optimizer();
    Objective working = trained.working();
    List<Parameter> parameters = config.tuning().parameters(working, o.weightDecay(), o.headWeightDecay()).stream()
        .map(parameter -> parameter.ofHead() ? parameter.faster(o.headLr()) : parameter)
        .map(parameter -> parameter.of(trained.master(parameter.name())))
        .toList();
    DType moment = o.bf16Momentum() ? DType.BF16 : DType.F32;
    long seed = RandomStream.seed(config.run().seed(), "rounding");
    return switch (o.method()) {
      case ADAMW -> new AdamW(parameters, new AdamW.Settings(o.beta1(), o.beta2(), o.eps(), moment), seed);
      case ADAFACTOR -> {
        var d = Adafactor.Settings.DEFAULT;
        var settings = new Adafactor.Settings(o.beta1(), d.decayRate(), d.beta2Cap(), d.eps(), moment);
        yield new Adafactor(parameters, settings, working.factoring(), seed);
      }
      case SGD -> new Sgd(parameters, new Sgd.Settings(o.beta1(), false, moment), seed);
    };
  }
}
