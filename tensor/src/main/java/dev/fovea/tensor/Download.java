package dev.fovea.tensor;

import dev.fovea.kernels.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Values of a tensor on their way to the host: those that it has once everything queued before is done, whatever is
 * computed afterwards. Nobody waits until somebody asks for them.
 */
public final class Download implements AutoCloseable {
  private final CudaCopies copies;
  private final MemorySegment pinned;
  private final int count;
  private long event;
  private boolean closed;

  private Download(CudaCopies copies, Tensor source) {
    Check.dtype("download", source.dtype(), DType.F32);
    this.copies = copies;
    count = Math.toIntExact(source.shape().count());
    long bytes = source.span().bytes();
    pinned = copies.pin(bytes);
    event = copies.read(source.span().address(), bytes, pinned);
  }

  /**
   * Begins to copy an F32 tensor of a GPU.
   *
   * @throws IllegalArgumentException if it is none
   */
  public static Download of(Tensor source) {
    if (!(source.device() instanceof CudaDevice gpu)) {
      throw Check.bad("download", "a tensor on " + source.device().name(), "one on a GPU");
    }
    return new Download(gpu.uploads(), source);
  }

  /** The values; waits until they are there. */
  public float[] values() {
    arrive();
    return pinned.asSlice(0, (long) count * Float.BYTES).toArray(ValueLayout.JAVA_FLOAT);
  }

  private void arrive() {
    if (event != 0) {
      copies.finish(event);
      event = 0;
    }
  }

  /** Gives the host's memory back. */
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      arrive();
      copies.unpin(pinned);
    }
  }
}
