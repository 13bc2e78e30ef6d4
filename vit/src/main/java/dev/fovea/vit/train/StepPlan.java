package dev.fovea.vit.train;

import dev.fovea.tensor.CudaDevice;
import dev.fovea.tensor.Device;
import dev.fovea.tensor.Recompute;
import dev.fovea.vit.data.Batches;

/**
 * How a run makes its steps: what they recompute, in how many parts they take a batch, and whether they are recorded.
 */
record StepPlan(TrainConfig config, Objective objective, Optimizer optimizer, Batches batches, Listener listener) {
  /** What makes the steps; the caller closes it. */
  Updates updates() {
    TrainStep.Settings settings = settings(policy());
    var data = config.data();
    boolean mixed = data.mixup() > 0 || data.cutmix() > 0;
    return device() instanceof CudaDevice gpu
            && RecordedStep.suits(objective, settings, config.run().onNonFinite())
        ? new RecordedStep(gpu, objective, optimizer, settings, data.batch(), mixed)
        : new TrainStep(objective, optimizer, settings);
  }

  private Device device() {
    return optimizer.device();
  }

  private Recompute policy() {
    return switch (config.run().recompute()) {
      case NONE -> Recompute.NONE;
      case SELECTIVE -> Recompute.SELECTIVE;
      case BLOCK -> Recompute.BLOCK;
      case OFFLOAD -> Recompute.OFFLOAD;
      case AUTO -> chosen();
    };
  }

  private Recompute chosen() {
    TrainConfig.Run run = config.run();
    RecomputePlan plan = RecomputePlan.choose(
        device(),
        batches.batch(0),
        run.accumulate(),
        run.memory(),
        device() instanceof CudaDevice
            ? RecordedStep.inputBytes(
                objective.model().config(), batches.batch(0).size())
            : 0,
        policy -> new TrainStep(objective, optimizer, settings(policy))::rehearse);
    String description = plan.description();
    if (description != null) {
      listener.message(description);
    }
    return plan.policy();
  }

  private TrainStep.Settings settings(Recompute policy) {
    int accumulate = config.run().accumulate();
    int batch = config.data().batch();
    if (accumulate < 1 || batch % accumulate != 0) {
      throw new IllegalArgumentException(
          "accumulate: got %d, expected a divisor of the batch, %d".formatted(accumulate, batch));
    }
    return new TrainStep.Settings(policy, accumulate, config.optimizer().clip());
  }
}
