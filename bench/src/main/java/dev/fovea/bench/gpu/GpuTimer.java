package dev.fovea.bench.gpu;

import dev.fovea.kernels.cuda.Driver;
import java.util.Arrays;

/**
 * Times work on a stream with the GPU's own events. The second-level cache is overwritten before each repetition, as
 * Triton's {@code do_bench} and {@code bench/peers/gpu.py} do, which also gives the host time to submit what is timed.
 */
final class GpuTimer implements AutoCloseable {
  private static final int WARM_UP = 5;
  private static final int FEWEST = 10;
  private static final int MOST = 100;
  private static final double SECONDS = 0.25;
  private static final long LEAST_FLUSH = 64L << 20;

  private final Driver driver;
  private final long stream;
  private final long flush;
  private final long flushBytes;
  private final long[] begins = new long[MOST];
  private final long[] ends = new long[MOST];

  /**
   * Times of one piece of work in microseconds.
   *
   * @param median of all repetitions
   * @param low a tenth of them was below
   * @param high a tenth of them was above
   * @param host median of what the host spent on calling it, most of which passes while the GPU still works
   * @param repetitions how many
   */
  record Times(double median, double low, double high, double host, int repetitions) {}

  GpuTimer(Driver driver, long stream) {
    this.driver = driver;
    this.stream = stream;
    flushBytes = Math.max(LEAST_FLUSH, 2 * driver.info().l2Bytes());
    flush = driver.allocate(flushBytes, stream);
    if (flush == 0) {
      throw new IllegalStateException("the GPU has no room for %,d bytes".formatted(flushBytes));
    }
    for (int i = 0; i < MOST; i++) {
      begins[i] = driver.createEvent();
      ends[i] = driver.createEvent();
    }
  }

  Times time(Runnable work) {
    work.run();
    driver.synchronize(stream);
    double estimate = run(work, WARM_UP).median;
    int repetitions = (int) Math.clamp(SECONDS * 1e6 / Math.max(1, estimate), FEWEST, MOST);
    return run(work, repetitions);
  }

  private Times run(Runnable work, int repetitions) {
    double[] host = new double[repetitions];
    for (int i = 0; i < repetitions; i++) {
      driver.fill(flush, (byte) 0, flushBytes, stream);
      driver.record(begins[i], stream);
      long begin = System.nanoTime();
      work.run();
      host[i] = 1e-3 * (System.nanoTime() - begin);
      driver.record(ends[i], stream);
    }
    driver.synchronize(stream);
    double[] micros = new double[repetitions];
    for (int i = 0; i < repetitions; i++) {
      micros[i] = 1e3 * driver.millis(begins[i], ends[i]);
    }
    Arrays.sort(micros);
    Arrays.sort(host);
    return new Times(
        micros[repetitions / 2],
        micros[repetitions / 10],
        micros[repetitions - 1 - repetitions / 10],
        host[repetitions / 2],
        repetitions);
  }

  @Override
  public void close() {
    for (int i = 0; i < MOST; i++) {
      driver.destroyEvent(begins[i]);
      driver.destroyEvent(ends[i]);
    }
    driver.free(flush, stream);
  }
}
