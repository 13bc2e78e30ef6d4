package dev.fovea.kernels.ptx;

/**
 * What the machine checks beyond bounds and alignment, which it always checks.
 *
 * @param memory that nothing is read before it was written
 * @param races that accesses to shared memory by several threads are ordered by a barrier, and accesses to global
 *     memory by several blocks by fences and atomic operations
 * @param longest the instructions of a warp after which a block is said to run for ever
 */
public record Checks(boolean memory, boolean races, long longest) {
  /** Every check. */
  public static final Checks ALL = new Checks(true, true, 2_000_000_000L);

  /** Bounds, alignment and deadlocks only: a third faster. */
  public static final Checks FEW = new Checks(false, false, 2_000_000_000L);
}
