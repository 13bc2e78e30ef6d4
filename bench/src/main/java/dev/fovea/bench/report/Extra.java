package dev.fovea.bench.report;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What is known of a call beside its time. A benchmark puts what it knows from its setup or its calls, in the process
 * that measures; {@link ExtraProfiler} carries it to the results.
 */
public final class Extra {
  /** Floating-point operations of a call, two for each multiply-add. */
  public static final String FLOPS = "flops";

  /** Bytes that a call must at least read and write. */
  public static final String BYTES = "bytes";

  /** Bytes of Java heap that a call allocates. */
  public static final String ALLOCATED = "allocatedBytes";

  /** The most bytes of device memory, or off-heap memory, that were in use at once. */
  public static final String PEAK_BYTES = "peakBytes";

  /** Images that a call works through. */
  public static final String IMAGES = "images";

  /** Microseconds that the host spends on a call, where the time is that of a GPU's events. */
  public static final String HOST_MICROS = "hostMicros";

  /** The time as a part of the device's limit, where whoever measured it knows the limit. */
  public static final String OF_LIMIT = "ofLimit";

  /** Collections of garbage while measuring. */
  public static final String COLLECTIONS = "gcCount";

  /** Milliseconds that they took. */
  public static final String COLLECTION_MILLIS = "gcMillis";

  private static final Map<String, Double> VALUES = new ConcurrentHashMap<>();

  private Extra() {}

  /** Notes a value for the subject that this process measures; the last one of a name counts. */
  public static void put(String name, double value) {
    VALUES.put(name, value);
  }

  /** Notes what a call computes and moves. */
  public static void work(double flops, double bytes) {
    put(FLOPS, flops);
    put(BYTES, bytes);
  }

  static Map<String, Double> values() {
    return Map.copyOf(VALUES);
  }
}
