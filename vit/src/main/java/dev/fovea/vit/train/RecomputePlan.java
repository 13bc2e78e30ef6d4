package dev.fovea.vit.train;

import dev.fovea.tensor.CudaDevice;
import dev.fovea.tensor.Device;
import dev.fovea.tensor.MemoryStats;
import dev.fovea.tensor.OutOfDeviceMemoryException;
import dev.fovea.tensor.Recompute;
import dev.fovea.vit.data.Batch;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Finds the fastest recomputation policy that fits into memory: gradients of one and of two pictures are computed under
 * each, and what the whole micro-batch needs follows, since activations grow by the picture.
 */
final class RecomputePlan {
  /** Of the memory there is: what is left is for whatever else runs. */
  private static final double SHARE = 0.9;

  /** From the fastest to the smallest. */
  private static final Recompute[] POLICIES = {Recompute.NONE, Recompute.SELECTIVE, Recompute.BLOCK};

  private RecomputePlan() {}

  /**
   * The policy for a batch.
   *
   * @param trial computes gradients, without an update, of a batch under a policy
   * @param most bytes that may be in use, 0 for what there is
   */
  static Recompute choose(
      Device device, Batch batch, int micro, long most, Function<Recompute, Consumer<Batch>> trial) {
    long limit = most > 0 ? most : (long) (SHARE * available(device));
    int pictures = Math.ceilDiv(batch.size(), micro);
    for (Recompute policy : POLICIES) {
      if (policy == POLICIES[POLICIES.length - 1]
          || needs(device, first(batch, 1), first(batch, 2), pictures, trial.apply(policy)) <= limit) {
        return policy;
      }
    }
    throw new AssertionError("the last policy is returned");
  }

  private static double needs(Device device, Batch one, Batch two, int pictures, Consumer<Batch> trial) {
    MemoryStats memory = device.memory();
    try {
      double small = peakOf(memory, one, trial);
      double large = peakOf(memory, two, trial);
      return small + (pictures - 1) * (large - small);
    } catch (OutOfDeviceMemoryException e) {
      return Double.POSITIVE_INFINITY;
    } finally {
      memory.resetPeak();
    }
  }

  private static double peakOf(MemoryStats memory, Batch batch, Consumer<Batch> trial) {
    memory.resetPeak();
    trial.accept(batch);
    return memory.peak();
  }

  private static Batch first(Batch batch, int count) {
    int n = Math.min(count, batch.size());
    int size = batch.pixels().length / batch.size();
    return new Batch(Arrays.copyOf(batch.pixels(), n * size), Arrays.copyOf(batch.labels(), n), null);
  }

  /** The device's limit, or what is free where it takes its memory from, beside what it has in use already. */
  private static long available(Device device) {
    MemoryStats memory = device.memory();
    if (memory.limit() != Long.MAX_VALUE) {
      return memory.limit();
    }
    if (device instanceof CudaDevice gpu) {
      return gpu.freeBytes() + memory.reserved();
    }
    return ManagementFactory.getOperatingSystemMXBean() instanceof com.sun.management.OperatingSystemMXBean system
        ? system.getFreeMemorySize() + memory.current()
        : memory.limit();
  }
}
