package dev.fovea.bench.peer;

import dev.fovea.bench.peer.Work.Operand;
import dev.fovea.bench.report.Unavailable;
import java.nio.file.Path;

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

  /**
   * A model that {@code bench/peers/export.py} wrote, ready to work through pictures.
   *
   * @param folder of the model
   * @param pixels [batch, channels, height, width]
   * @throws Unavailable if it runs no models, or the folder has none that it reads
   */
  default Call model(Path folder, Operand pixels) {
    throw new Unavailable("it is not asked for models");
  }
}
