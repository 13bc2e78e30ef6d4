package dev.fovea.tensor;

/**
 * How a {@link CpuDevice} is set up.
 *
 * @param threads threads that compute, the caller's counted in
 * @param memoryLimit most bytes of memory in use, {@link Long#MAX_VALUE} for as much as there is
 * @param poison whether new memory is filled with NaN (every byte 0xFF), so that reading what was never written shows
 */
public record CpuOptions(int threads, long memoryLimit, boolean poison) {
  public CpuOptions {
    if (threads < 1) {
      throw Check.bad("threads", threads, "at least 1");
    }
    Check.notNegative("memoryLimit", memoryLimit);
  }

  /** All processors, no limit, poison as the system property {@code fovea.poison} says. */
  public static CpuOptions defaults() {
    return new CpuOptions(
        Runtime.getRuntime().availableProcessors(), Long.MAX_VALUE, Boolean.getBoolean("fovea.poison"));
  }

  /** The same with so many threads. */
  public CpuOptions withThreads(int threads) {
    return new CpuOptions(threads, memoryLimit, poison);
  }

  /** The same with this limit. */
  public CpuOptions withMemoryLimit(long bytes) {
    return new CpuOptions(threads, bytes, poison);
  }

  /** The same with or without poison. */
  public CpuOptions withPoison(boolean poison) {
    return new CpuOptions(threads, memoryLimit, poison);
  }
}
