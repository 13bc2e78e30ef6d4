package dev.fovea.tensor;

import dev.fovea.kernels.cuda.Driver;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * A GPU's memory, in the order of one stream. Copies from and to the host go through two pieces of pinned memory that
 * take turns: the GPU copies one while the host copies the other.
 */
final class CudaMemory implements RawMemory {
  private static final long STAGE = 4 << 20;

  private final Driver driver;
  private final long stream;

  /** Where memory comes from while the other stream is recorded; 0 if it is not. */
  private volatile long aside;

  // Guarded by this; made when first needed.
  private @Nullable Stage[] stages = {null, null};

  /** Pinned memory, and what happens when the GPU is done with it. */
  private static final class Stage {
    final MemorySegment memory;
    final long event;
    boolean used;

    Stage(Driver driver) {
      memory = driver.allocatePinned(STAGE);
      event = driver.createEvent();
    }
  }

  CudaMemory(Driver driver, long stream) {
    this.driver = driver;
    this.stream = stream;
  }

  @Override
  public long take(long bytes, boolean zeroed) {
    long address = aside == 0 ? takeFrom(bytes, stream) : takeFrom(bytes, aside);
    if (address != 0 && zeroed) {
      driver.fill(address, (byte) 0, bytes, stream);
    }
    return address;
  }

  private long takeFrom(long bytes, long from) {
    long address = driver.allocate(bytes, from);
    if (address == 0 && aside == 0) {
      driver.trim();
      address = driver.allocate(bytes, from);
    }
    if (aside != 0) {
      driver.synchronize(from); // so that the recorded stream may use it
    }
    return address;
  }

  /** From now on the stream is recorded: what is queued runs at every replay and not now. */
  void beginRecording() {
    long other = driver.createStream();
    try {
      driver.beginCapture(stream);
    } catch (RuntimeException e) {
      driver.destroyStream(other);
      throw e;
    }
    aside = other;
  }

  /** Ends that, and returns the graph. */
  long endRecording() {
    try {
      return driver.endCapture(stream, 0);
    } finally {
      long other = aside;
      aside = 0;
      driver.destroyStream(other);
    }
  }

  /** A replay would copy what the pinned memory holds then. */
  private void checkNotRecording() {
    if (aside != 0) {
      throw new IllegalStateException(
          "values are copied between host and GPU while a graph is recorded: do so before or after");
    }
  }

  @Override
  public void give(long address) {
    driver.free(address, stream);
  }

  @Override
  public void trim() {
    driver.trim();
  }

  @Override
  public synchronized void write(MemorySegment from, long address) {
    checkNotRecording();
    long bytes = from.byteSize();
    for (long at = 0, turn = 0; at < bytes; at += STAGE, turn++) {
      long part = Math.min(STAGE, bytes - at);
      Stage stage = free((int) (turn & 1));
      MemorySegment.copy(from, at, stage.memory, 0, part);
      driver.copyToDevice(address + at, stage.memory.asSlice(0, part), stream);
      driver.record(stage.event, stream);
      stage.used = true;
    }
  }

  @Override
  public synchronized void read(long address, MemorySegment to) {
    checkNotRecording();
    long bytes = to.byteSize();
    for (long at = 0, turn = 0; at < bytes + STAGE; at += STAGE, turn++) {
      if (at < bytes) {
        long part = Math.min(STAGE, bytes - at);
        Stage stage = free((int) (turn & 1));
        driver.copyToHost(stage.memory.asSlice(0, part), address + at, stream);
        driver.record(stage.event, stream);
        stage.used = true;
      }
      if (at >= STAGE) {
        long before = at - STAGE;
        Stage arrived = free((int) (turn - 1 & 1));
        MemorySegment.copy(arrived.memory, 0, to, before, Math.min(STAGE, bytes - before));
      }
    }
  }

  /** A stage that the GPU does not use any more. */
  private Stage free(int index) {
    Stage stage = stages[index];
    if (stage == null) {
      stage = new Stage(driver);
      stages[index] = stage;
    } else if (stage.used) {
      driver.synchronizeEvent(stage.event);
      stage.used = false;
    }
    return stage;
  }

  @Override
  public void copy(long from, long to, long bytes) {
    if (bytes > 0) {
      driver.copy(to, from, bytes, stream);
    }
  }

  @Override
  public void fill(long address, long bytes, byte value) {
    if (bytes > 0) {
      driver.fill(address, value, bytes, stream);
    }
  }

  /** Gives the pinned memory back. */
  synchronized void close() {
    for (Stage stage : stages) {
      if (stage != null) {
        driver.destroyEvent(stage.event);
        driver.freePinned(stage.memory);
      }
    }
    stages = new Stage[] {null, null};
  }
}
