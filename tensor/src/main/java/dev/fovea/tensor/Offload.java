package dev.fovea.tensor;

import dev.fovea.kernels.DType;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Keeps tensors in pinned memory of the host while the GPU does not need them: a stack, since what was put away last is
 * read first. Copies run beside the computations: a tensor's memory on the GPU is given up {@link #WINDOW} tensors
 * later, and the one below is fetched as soon as one is taken.
 */
final class Offload implements AutoCloseable {
  /** So many tensors are on their way, or were put away so lately that they never left. */
  private static final int WINDOW = 2;

  private final CudaDevice device;
  private final CudaCopies copies;
  private final Deque<Parked> stack = new ArrayDeque<>();

  /** A tensor that was put away. */
  private static final class Parked {
    final Shape shape;
    final DType dtype;
    final MemorySegment pinned;

    /** On the GPU as long as it has not left, and again from when it is fetched. */
    @Nullable
    Tensor tensor;

    /** Of the copy that was begun last; 0 once somebody waits for it. */
    long event;

    Parked(Tensor tensor, MemorySegment pinned, long event) {
      this.tensor = tensor;
      this.shape = tensor.shape();
      this.dtype = tensor.dtype();
      this.pinned = pinned;
      this.event = event;
    }
  }

  Offload(CudaDevice device) {
    this.device = device;
    copies = device.offloads();
  }

  /** Puts a tensor away; the handle is taken over. */
  void push(Tensor tensor) {
    long bytes = tensor.span().bytes();
    MemorySegment pinned = copies.pin(bytes);
    stack.push(new Parked(tensor, pinned, copies.toHost(tensor.span().address(), bytes, pinned)));
    int above = 0;
    for (Parked parked : stack) {
      if (above++ == WINDOW) {
        leave(parked);
        return;
      }
    }
  }

  /** Gives the memory on the GPU up, once it has been copied. */
  private void leave(Parked parked) {
    if (parked.tensor != null) {
      join(parked);
      parked.tensor.close();
      parked.tensor = null;
    }
  }

  private void join(Parked parked) {
    if (parked.event != 0) {
      copies.join(parked.event);
      parked.event = 0;
    }
  }

  /** Takes the tensor that was put away last; the handle is the caller's. */
  Tensor pop() {
    Parked parked = stack.pop();
    Tensor tensor = fetch(parked);
    join(parked);
    copies.unpin(parked.pinned); // whatever reads or writes it next is queued after this copy
    Parked next = stack.peek();
    if (next != null) {
      fetch(next);
    }
    return tensor;
  }

  private Tensor fetch(Parked parked) {
    if (parked.tensor == null) {
      try (Scope scope = Scope.open(device)) {
        parked.tensor = Tensor.empty(parked.shape, parked.dtype).alias(parked.shape);
      }
      var span = parked.tensor.span();
      parked.event = copies.toDevice(parked.pinned, span.bytes(), span.address());
    }
    return Objects.requireNonNull(parked.tensor);
  }

  /** Gives up whatever was not taken. */
  @Override
  public void close() {
    for (Parked parked : stack) {
      leave(parked);
      copies.unpin(parked.pinned);
    }
    stack.clear();
  }
}
