package dev.fovea.tensor;

import dev.fovea.kernels.cuda.Driver;

/**
 * Work that was recorded on a GPU ({@link CudaDevice#record}). All its kernels are queued by one call, which costs
 * about as much as one launch does.
 */
public final class CudaGraph implements AutoCloseable {
  private final CudaDevice device;
  private final Driver driver;
  private final long stream;
  private final long graph;
  private final MemoryPool.Reserve reserve;
  private boolean closed;

  CudaGraph(CudaDevice device, Driver driver, long stream, long graph, MemoryPool.Reserve reserve) {
    this.device = device;
    this.driver = driver;
    this.stream = stream;
    this.graph = graph;
    this.reserve = reserve;
  }

  /** Queues the work once more, in the order of the device's other work. */
  public synchronized void replay() {
    checkOpen();
    driver.launchGraph(graph, stream);
  }

  private void checkOpen() {
    if (closed) {
      throw new IllegalStateException("graph used after close");
    }
  }

  /** Gives the memory that replays work in back. Results stay as they are. */
  @Override
  public synchronized void close() {
    checkOpen();
    closed = true;
    driver.synchronize(stream);
    driver.destroyGraph(graph);
    device.pool().release(reserve);
  }
}
