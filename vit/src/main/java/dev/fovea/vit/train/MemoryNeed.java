package dev.fovea.vit.train;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.CudaDevice;
import dev.fovea.tensor.Device;
import dev.fovea.tensor.Recompute;
import dev.fovea.vit.model.Costs;
import dev.fovea.vit.model.ParameterShapes;
import dev.fovea.vit.model.VitConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/**
 * Bytes that a run needs at least, from its configuration alone: known before anything large is made.
 *
 * @param parameters the model, its rounding if it computes in BF16 beside masters, and the average of it if there is
 *     one
 * @param gradients of what is trained; of the largest parameter only where each is freed at once
 * @param optimizer its state
 * @param activations what backward passes hold at most, under the smallest policy that the configuration allows
 */
record MemoryNeed(long parameters, long gradients, long optimizer, long activations) {
  private static final double GIGA = 1e9;

  static MemoryNeed of(TrainConfig config, VitConfig vit, Device device) {
    var o = config.optimizer();
    Predicate<String> trains = config.tuning().trainOnly().names(vit);
    var shapes = ParameterShapes.of(vit);
    long all = 0;
    long trained = 0;
    long largest = 0;
    for (var entry : shapes.entrySet()) {
      long count = entry.getValue().count();
      all += count;
      if (trains.test(entry.getKey())) {
        trained += count;
        largest = Math.max(largest, count);
      }
    }
    boolean released = TrainStep.releases(config.run().accumulate(), o.clip());
    int moment = o.bf16Momentum() ? DType.BF16.bytes() : DType.F32.bytes();
    int state = o.method() == TrainConfig.Method.ADAMW ? moment + DType.F32.bytes() : moment;
    DType dtype = config.run().dtype().dtype();
    int kept = DType.F32.bytes() + (dtype == DType.F32 ? 0 : dtype.bytes());
    int parameter = config.run().masters() ? kept : dtype.bytes();
    return new MemoryNeed(
        all * (parameter + (o.polyak() > 0 ? kept : 0)),
        DType.F32.bytes() * (released ? largest : trained),
        state * trained,
        trained == all ? activations(config, vit, device instanceof CudaDevice) : 0);
  }

  private static long activations(TrainConfig config, VitConfig vit, boolean gpu) {
    long pictures = Math.ceilDiv(config.data().batch(), Math.max(1, config.run().accumulate()));
    Costs costs = Costs.of(vit);
    DType dtype = config.run().dtype().dtype();
    return pictures
        * switch (config.run().recompute()) {
          case NONE -> costs.peakBytes(Recompute.NONE, dtype);
          case SELECTIVE -> costs.peakBytes(Recompute.SELECTIVE, dtype);
          case BLOCK -> costs.peakBytes(Recompute.BLOCK, dtype);
          case OFFLOAD, AUTO ->
            // What is saved may be in the host's memory.
            costs.peakBytes(Recompute.BLOCK, dtype) - (gpu ? costs.savedBytes(Recompute.BLOCK, dtype) : 0);
        };
  }

  long bytes() {
    return parameters + gradients + optimizer + activations;
  }

  /**
   * Ends a run that cannot fit.
   *
   * @throws IllegalArgumentException with what needs how much, and what would need less
   */
  static void check(TrainConfig config, VitConfig vit, Device device) {
    long available = config.run().memory() > 0 ? config.run().memory() : RecomputePlan.available(device);
    MemoryNeed need = of(config, vit, device);
    if (need.bytes() > available) {
      throw new IllegalArgumentException(
          "memory: the run needs at least %.1f GB (parameters %.1f, gradients %.1f, optimizer %.1f, activations %.1f), there are %.1f GB; less is needed with %s"
              .formatted(
                  need.bytes() / GIGA,
                  need.parameters / GIGA,
                  need.gradients / GIGA,
                  need.optimizer / GIGA,
                  need.activations / GIGA,
                  available / GIGA,
                  String.join(", ", need.advice(config))));
    }
  }

  private List<String> advice(TrainConfig config) {
    var o = config.optimizer();
    List<String> advice = new ArrayList<>();
    if (config.data().batch() > config.run().accumulate()) {
      advice.add("--accumulate or a smaller --batch");
    }
    if (config.run().recompute() == TrainConfig.Recomputation.NONE
        || config.run().recompute() == TrainConfig.Recomputation.SELECTIVE) {
      advice.add("--recompute block");
    }
    if (o.method() == TrainConfig.Method.ADAMW) {
      advice.add("--optimizer adafactor");
    }
    boolean halves = config.run().dtype() == Numbers.F32 && activations > parameters;
    if (halves) {
      advice.add("--dtype bf16");
    }
    if (config.run().dtype() == Numbers.BF16 && config.run().masters()) {
      advice.add("--no-masters");
    }
    if (!o.bf16Momentum()) {
      advice.add("--bf16-momentum");
    }
    if (o.clip() > 0) {
      advice.add("--clip 0 without --accumulate (gradients are then freed one by one)");
    }
    advice.add("a smaller model");
    return advice;
  }
}
