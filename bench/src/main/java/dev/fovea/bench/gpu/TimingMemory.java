package dev.fovea.bench.gpu;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.contract.CaseMemory;
import dev.fovea.kernels.contract.HostCaseMemory;
import dev.fovea.kernels.contract.Tolerance;
import dev.fovea.kernels.cuda.Driver;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.LongToDoubleFunction;

/** Operands of what is only timed: a short piece is drawn, and repeated on the device until the span is full. */
final class TimingMemory implements CaseMemory, AutoCloseable {
  private static final long PIECE = 1 << 16;

  private final Driver driver;
  private final long stream;
  private final SplittableRandom random = new SplittableRandom(1);
  private final List<Long> addresses = new ArrayList<>();

  TimingMemory(Driver driver, long stream) {
    this.driver = driver;
    this.stream = stream;
  }

  @Override
  public Span normal(DType dtype, long count, double deviation) {
    return fill(dtype, count, PIECE, i -> random.nextGaussian() * deviation);
  }

  @Override
  public Span values(DType dtype, double... values) {
    return fill(dtype, values.length, values.length, i -> values[(int) i]);
  }

  @Override
  public Span integers(DType dtype, long count, long low, long high) {
    return fill(dtype, count, PIECE, i -> random.nextLong(low, high));
  }

  @Override
  public Span output(String name, DType dtype, long count, Tolerance tolerance) {
    return workspace(dtype, count);
  }

  @Override
  public Span inout(String name, Span span, Tolerance tolerance) {
    return span;
  }

  @Override
  public Span workspace(DType dtype, long count) {
    Span span = allocate(dtype, count);
    driver.fill(span.address(), (byte) 0, Math.max(1, span.bytes()), stream);
    return span;
  }

  private Span fill(DType dtype, long count, long piece, LongToDoubleFunction values) {
    Span span = allocate(dtype, count);
    long drawn = Math.min(count, piece);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment host = arena.allocate(Math.max(1, drawn * dtype.bytes()), 64);
      Span hostSpan = new Span(host.address(), drawn * dtype.bytes(), dtype);
      for (long i = 0; i < drawn; i++) {
        HostCaseMemory.set(hostSpan, i, values.applyAsDouble(i));
      }
      driver.copyToDevice(span.address(), host, stream);
      driver.synchronize(stream);
    }
    for (long done = drawn; done < count; done *= 2) {
      long more = Math.min(done, count - done);
      driver.copy(span.address() + done * dtype.bytes(), span.address(), more * dtype.bytes(), stream);
    }
    return span;
  }

  private Span allocate(DType dtype, long count) {
    long bytes = count * dtype.bytes();
    long address = driver.allocate(Math.max(1, bytes), stream);
    if (address == 0) {
      throw new IllegalStateException("the GPU has no room for %,d bytes".formatted(bytes));
    }
    addresses.add(address);
    return new Span(address, bytes, dtype);
  }

  @Override
  public void close() {
    addresses.forEach(address -> driver.free(address, stream));
    driver.synchronize(stream);
  }
}
