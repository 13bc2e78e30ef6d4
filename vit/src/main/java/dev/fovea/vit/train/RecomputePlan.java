package dev.fovea.vit.train;

import dev.fovea.tensor.CpuDevice;
import dev.fovea.tensor.CudaDevice;
import dev.fovea.tensor.Device;
import dev.fovea.tensor.MemoryStats;
import dev.fovea.tensor.OutOfDeviceMemoryException;
import dev.fovea.tensor.Recompute;
import dev.fovea.vit.data.Batch;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Finds the fastest recomputation policy that fits into memory: gradients of a few pictures are computed under each,
 * and what the whole micro-batch needs follows, since activations grow by the picture.
 *
 * @param policy the choice
 * @param limit bytes that may be in use
 * @param needs bytes that were measured and extrapolated, from the fastest policy to the choice
 */
record RecomputePlan(Recompute policy, long limit, Map<Recompute, Double> needs) {
  /** Of the memory there is: what is left is for whatever else runs. */
  private static final double SHARE = 0.9;

  /** Batches of so few pictures are tried as a whole: memory grows in proportion only where activations outweigh. */
  private static final int FEW = 8;

  private static final double MEGA = 1e6;

  /**
   * The policy for a batch.
   *
   * @param trial computes gradients, without an update, of a batch under a policy
   * @param most bytes that may be in use, 0 for what there is
   * @param beside bytes that steps need beside what a trial does
   */
  static RecomputePlan choose(
      Device device, Batch batch, int micro, long most, long beside, Function<Recompute, Consumer<Batch>> trial) {
    long limit = most > 0 ? most : (long) (SHARE * available(device));
    int pictures = Math.ceilDiv(batch.size(), micro);
    Map<Recompute, Double> needs = new EnumMap<>(Recompute.class);
    List<Recompute> policies = policies(device);
    for (Recompute policy : policies) {
      double bytes = beside + needs(device, batch, pictures, limit, trial.apply(policy));
      needs.put(policy, bytes);
      if (bytes <= limit) {
        return new RecomputePlan(policy, limit, needs);
      }
    }
    return new RecomputePlan(policies.getLast(), limit, needs);
  }

  /** From the fastest to the smallest. */
  private static List<Recompute> policies(Device device) {
    return device instanceof CpuDevice
        ? List.of(Recompute.NONE, Recompute.SELECTIVE, Recompute.BLOCK)
        : List.of(Recompute.NONE, Recompute.SELECTIVE, Recompute.BLOCK, Recompute.OFFLOAD);
  }

  /** Whether the choice fits. */
  boolean fits() {
    return Objects.requireNonNull(needs.get(policy)) <= limit;
  }

  /** The choice in a sentence, or null if nothing has to be computed again. */
  @Nullable
  String description() {
    if (policy == Recompute.NONE) {
      return null;
    }
    String all = needs.entrySet().stream()
        .map(need -> "%s needs %s".formatted(word(need.getKey()), megabytes(need.getValue())))
        .collect(Collectors.joining(", "));
    return "recomputation: %s (%s; %s may be in use)%s"
        .formatted(
            word(policy),
            all,
            megabytes((double) limit),
            fits() ? "" : "; that is more than there is, a smaller batch or more micro-batches would need less");
  }

  private static String word(Recompute policy) {
    return policy.name().toLowerCase(Locale.ROOT);
  }

  private static String megabytes(double bytes) {
    return Double.isInfinite(bytes) ? "more than there is" : String.format(Locale.ROOT, "%.0f MB", bytes / MEGA);
  }

  /** What {@code pictures} of a batch need: of many, 2 are tried and then, if these leave room, half of them. */
  private static double needs(Device device, Batch batch, int pictures, long limit, Consumer<Batch> trial) {
    try {
      if (pictures <= FEW) {
        return peakOf(device.memory(), first(batch, pictures), trial);
      }
      double bytes = extrapolated(device.memory(), batch, 1, pictures, trial);
      return bytes > limit
          ? bytes
          : Math.max(bytes, extrapolated(device.memory(), batch, pictures / 4, pictures, trial));
    } catch (OutOfDeviceMemoryException e) {
      return Double.POSITIVE_INFINITY;
    } finally {
      device.memory().resetPeak();
    }
  }

  private static double extrapolated(MemoryStats memory, Batch batch, int few, int pictures, Consumer<Batch> trial) {
    double small = peakOf(memory, first(batch, few), trial);
    double large = peakOf(memory, first(batch, 2 * few), trial);
    return small + (large - small) / few * (pictures - few);
  }

  private static double peakOf(MemoryStats memory, Batch batch, Consumer<Batch> trial) {
    memory.resetPeak();
    trial.accept(batch);
    return memory.peakBlocks();
  }

  private static Batch first(Batch batch, int count) {
    int size = batch.pixels().length / batch.size();
    return new Batch(Arrays.copyOf(batch.pixels(), count * size), Arrays.copyOf(batch.labels(), count), null);
  }

  /** The device's limit, or what is free where it takes its memory from, beside what it has in use already. */
  static long available(Device device) {
    MemoryStats memory = device.memory();
    if (memory.limit() != Long.MAX_VALUE) {
      return memory.limit();
    }
    if (device instanceof CudaDevice gpu) {
      return gpu.freeBytes() + memory.reserved();
    }
    return HostMemory.available() + memory.current();
  }
}
