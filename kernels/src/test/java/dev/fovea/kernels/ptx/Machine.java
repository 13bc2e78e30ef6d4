package dev.fovea.kernels.ptx;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** A small device for tests of the machine itself: memory and launches without a driver. */
final class Machine implements AutoCloseable {
  final GlobalMemory memory = new GlobalMemory();
  private final int threads;
  private final ExecutorService pool;
  private final Checks checks;

  Machine(int threads, Checks checks) {
    this.threads = threads;
    this.checks = checks;
    pool = Executors.newFixedThreadPool(Math.max(1, threads - 1));
  }

  Machine() {
    this(1, Checks.ALL);
  }

  Image load(String name, String ptx) {
    return new Image(PtxModule.parse(name, ptx), memory);
  }

  /** Memory that was not written yet. */
  long allocate(long bytes) {
    return memory.allocate(bytes, "allocation").base;
  }

  long upload(int... values) {
    long address = allocate(4L * values.length);
    memory.copyIn(address, MemorySegment.ofArray(values));
    return address;
  }

  long upload(float... values) {
    long address = allocate(4L * values.length);
    memory.copyIn(address, MemorySegment.ofArray(values));
    return address;
  }

  long upload(long... values) {
    long address = allocate(8L * values.length);
    memory.copyIn(address, MemorySegment.ofArray(values));
    return address;
  }

  int[] ints(long address, int count) {
    int[] values = new int[count];
    memory.copyOut(MemorySegment.ofArray(values), address);
    return values;
  }

  long[] longs(long address, int count) {
    long[] values = new long[count];
    memory.copyOut(MemorySegment.ofArray(values), address);
    return values;
  }

  float[] floats(long address, int count) {
    float[] values = new float[count];
    memory.copyOut(MemorySegment.ofArray(values), address);
    return values;
  }

  /** Runs a kernel whose parameters are 64-bit and 32-bit numbers; gives the instructions executed. */
  long launch(Kernel kernel, int blocks, int threadsPerBlock, int shared, Number... arguments) {
    return launch(kernel, new int[] {blocks, 1, 1}, threadsPerBlock, shared, arguments);
  }

  long launch(Kernel kernel, int[] grid, int threadsPerBlock, int shared, Number... arguments) {
    ByteBuffer buffer = ByteBuffer.allocate(4096).order(ByteOrder.LITTLE_ENDIAN);
    for (Number argument : arguments) {
      switch (argument) {
        case Long value -> buffer.position(buffer.position() + 7 & ~7).putLong(value);
        case Integer value -> buffer.putInt(value);
        case Float value -> buffer.putFloat(value);
        default -> throw new IllegalArgumentException("an argument of " + argument.getClass());
      }
    }
    int[] parameters = new int[1024];
    buffer.rewind().asIntBuffer().get(parameters);
    Block.Launch launch =
        new Block.Launch(grid[0], grid[1], grid[2], threadsPerBlock, 1, 1, shared, parameters, memory, checks);
    return Grid.run(kernel, launch, pool, threads);
  }

  @Override
  public void close() {
    pool.shutdownNow();
  }
}
