package dev.fovea.tensor;

import java.util.Map;
import java.util.stream.Collectors;

/** There is not enough memory on a device. Everything that was allocated before is still there and usable. */
public final class OutOfDeviceMemoryException extends RuntimeException {
  private static final long serialVersionUID = 1;
  private static final int LARGEST = 10;

  private final long requested;
  private final long inUse;
  private final long cached;

  OutOfDeviceMemoryException(
      String device, long requested, long inUse, long cached, long limit, Map<String, Long> byLabel) {
    super(Check.text(
        "out of memory on %s: %,d bytes requested, %,d in use%s, %,d cached%s%s",
        device,
        requested,
        inUse,
        limit == Long.MAX_VALUE ? "" : Check.text(" of at most %,d", limit),
        cached,
        byLabel.isEmpty() ? "" : "; largest: " + largest(byLabel),
        "; a smaller batch, shorter scopes or recomputing activations need less"));
    this.requested = requested;
    this.inUse = inUse;
    this.cached = cached;
  }

  private static String largest(Map<String, Long> byLabel) {
    return byLabel.entrySet().stream()
        .limit(LARGEST)
        .map(entry -> Check.text("%s %,d", entry.getKey(), entry.getValue()))
        .collect(Collectors.joining(", "));
  }

  /** Bytes asked for. */
  public long requested() {
    return requested;
  }

  /** Bytes in use then. */
  public long inUse() {
    return inUse;
  }

  /** Bytes kept for reuse then, of no use for this request. */
  public long cached() {
    return cached;
  }
}
