package dev.fovea.kernels.ptx;

/**
 * What kind of device the machine is.
 *
 * @param threads Java threads that run blocks
 * @param multiprocessors what the device says it has, which kernels choose their grids by
 * @param memoryBytes memory of the device
 * @param sharedBytes most shared memory of a block
 * @param major compute capability before the point; what lies behind it is 0
 * @param checks what is checked beyond bounds and alignment
 * @param deferred whether a stream's work waits until somebody waits for it, so that a missing synchronization is seen
 */
public record PtxOptions(
    int threads, int multiprocessors, long memoryBytes, int sharedBytes, int major, Checks checks, boolean deferred) {
  /** A small device like an A100, with every check, that does what it is asked at once. */
  public static PtxOptions standard() {
    return new PtxOptions(processors(), 4, 4L << 30, 163 << 10, 8, Checks.ALL, false);
  }

  /** The same like an H100. */
  public static PtxOptions hopper() {
    return new PtxOptions(processors(), 4, 4L << 30, 227 << 10, 9, Checks.ALL, false);
  }

  private static int processors() {
    return Integer.getInteger(
        "fovea.ptx.threads", Math.min(4, Runtime.getRuntime().availableProcessors()));
  }

  /** The same with so many Java threads. */
  public PtxOptions withThreads(int threads) {
    return new PtxOptions(threads, multiprocessors, memoryBytes, sharedBytes, major, checks, deferred);
  }

  /** The same with so many multiprocessors. */
  public PtxOptions withMultiprocessors(int multiprocessors) {
    return new PtxOptions(threads, multiprocessors, memoryBytes, sharedBytes, major, checks, deferred);
  }

  /** The same with so much memory. */
  public PtxOptions withMemory(long memoryBytes) {
    return new PtxOptions(threads, multiprocessors, memoryBytes, sharedBytes, major, checks, deferred);
  }

  /** The same with these checks. */
  public PtxOptions withChecks(Checks checks) {
    return new PtxOptions(threads, multiprocessors, memoryBytes, sharedBytes, major, checks, deferred);
  }

  /** The same, its work done late or at once. */
  public PtxOptions withDeferred(boolean deferred) {
    return new PtxOptions(threads, multiprocessors, memoryBytes, sharedBytes, major, checks, deferred);
  }
}
