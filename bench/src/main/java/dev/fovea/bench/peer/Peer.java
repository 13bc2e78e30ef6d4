package dev.fovea.bench.peer;

import dev.fovea.bench.report.Unavailable;

/** A library that computes what our kernels compute. */
public interface Peer {
  /** Finds a library by its name; what implements it is found as a service. */
  interface Provider {
    /** As in the benchmarks' parameter {@code by}. */
    String name();

    /**
     * Loads the library, which happens once in a process.
     *
     * @param option what stands behind the name and a colon, or the empty text
     * @param threads to compute with
     * @throws Unavailable if it is not on this machine
     */
    Peer open(String option, int threads);
  }

  /** Work that is ready to be done again and again, on operands of its own. */
  interface Call {
    /** Does it once. */
    void run();

    /** What the last run came to, in the layout of {@link Work#output}. */
    float[] answer();
  }

  /**
   * Copies the operands and makes everything ready.
   *
   * @throws Unavailable if it has no such operation
   */
  Call prepare(Work work);
}
