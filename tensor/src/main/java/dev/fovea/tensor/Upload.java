package dev.fovea.tensor;

import dev.fovea.kernels.DType;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * Values that go to a GPU again and again while it computes: written to pinned memory, copied beside the computations,
 * and then, in the order of the computations, into the tensor that reads them. There are two of everything, so that the
 * next values are on their way while the present ones are read. Confined to one thread at a time.
 */
public final class Upload implements AutoCloseable {
  private static final int SLOTS = 2;

  private final CudaDevice device;
  private final CudaCopies copies;
  private final DType dtype;
  private final long count;
  private final @Nullable Slot[] slots = new Slot[SLOTS];
  private final Queue<Slot> sent = new ArrayDeque<>();
  private int next;

  /** One of the two. */
  private static final class Slot {
    final MemorySegment pinned;
    final Memory memory;

    /** Of the copy to the device; 0 before the first. */
    long arrived;

    /** Of the device memory having been read; 0 before that. */
    long read;

    Slot(MemorySegment pinned, Memory memory) {
      this.pinned = pinned;
      this.memory = memory;
    }
  }

  /**
   * For {@code count} values at a time, of a dtype of 4 bytes.
   *
   * @throws IllegalArgumentException if it is another
   */
  public Upload(CudaDevice device, DType dtype, long count) {
    Check.dtype("upload", dtype, DType.F32, DType.I32);
    this.device = device;
    this.dtype = dtype;
    this.count = count;
    copies = device.uploads();
  }

  /** Sends values; the array may be changed afterwards. */
  public void send(float[] values) {
    send(MemorySegment.ofArray(values), values.length);
  }

  /** As {@link #send(float[])}. */
  public void send(int[] values) {
    send(MemorySegment.ofArray(values), values.length);
  }

  private void send(MemorySegment values, long length) {
    Check.values("values", length, Shape.of(count));
    if (sent.size() == SLOTS) {
      throw new IllegalStateException("upload: got a third send, expected one of the two before to be received first");
    }
    Slot slot = slot();
    if (slot.arrived != 0) {
      copies.finish(slot.arrived); // the pinned memory is free again
    }
    MemorySegment.copy(values, 0, slot.pinned, 0, values.byteSize());
    if (slot.read == 0) {
      slot.read = copies.mark();
    }
    slot.arrived = copies.toDevice(slot.pinned, values.byteSize(), slot.memory.address(), slot.read);
    copies.forget(slot.read);
    slot.read = 0;
    sent.add(slot);
  }

  private Slot slot() {
    int index = next++ % SLOTS;
    Slot slot = slots[index];
    if (slot == null) {
      long bytes = count * dtype.bytes();
      slot = new Slot(copies.pin(bytes), device.allocate(bytes, "input"));
      slots[index] = slot;
    }
    return slot;
  }

  /**
   * Has the values that were sent first arrive in a tensor: what is queued from now on finds them there.
   *
   * @throws IllegalStateException if none were sent
   */
  public void receive(Tensor into) {
    Slot slot = sent.poll();
    if (slot == null) {
      throw new IllegalStateException("upload: got nothing to receive, expected values to be sent first");
    }
    copies.await(slot.arrived);
    MemoryPool.of(device).raw().copy(slot.memory.address(), into.span().address(), count * dtype.bytes());
    slot.read = copies.mark();
  }

  /** Waits for what is on its way, and gives the memory back. */
  @Override
  public void close() {
    for (Slot slot : slots) {
      if (slot != null) {
        if (slot.arrived != 0) {
          copies.finish(slot.arrived);
        }
        if (slot.read != 0) {
          copies.forget(slot.read);
        }
        copies.unpin(slot.pinned);
        slot.memory.close();
      }
    }
    Arrays.fill(slots, null);
    sent.clear();
  }
}
