package dev.fovea.kernels.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.contract.HostCaseMemory;
import dev.fovea.kernels.ptx.PtxDriver;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Filling and copying rows on the PTX machine: the whole way from a call to a kernel and back. */
class CudaCopiesTest {
  private Driver driver;
  private CudaQueue queue;
  private CudaCopies copies;

  @BeforeEach
  void open() {
    assumeTrue(new KernelBinary("memory").ptx() != null, "the build found no nvcc, so there is no PTX to execute");
    driver = new PtxDriver();
    queue = new CudaQueue(driver, driver.createStream());
    copies = new CudaCopies(queue);
  }

  @AfterEach
  void close() {
    if (driver != null) {
      queue.close();
      driver.close();
    }
  }

  @Test
  void fillsEveryDtypeAtEveryAlignment() {
    for (DType dtype : DType.values()) {
      for (int first = 0; first < 3; first++) {
        for (int count : new int[] {1, 2, 7, 300, 2048}) {
          check(dtype, first, count);
        }
      }
    }
  }

  private void check(DType dtype, int first, int count) {
    long bytes = (long) (first + count + 3) * dtype.bytes();
    long address = driver.allocate(bytes, queue.stream());
    driver.fill(address, (byte) 0x55, bytes, queue.stream());
    Span whole = new Span(address, bytes, dtype);
    copies.fill(whole.slice(first, count), 201.3);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment got = read(arena, whole);
      MemorySegment expected = arena.allocate(bytes, 8);
      expected.fill((byte) 0x55);
      for (int i = first; i < first + count; i++) {
        HostCaseMemory.set(Span.of(expected, dtype), i, dtype.isFloating() ? 201.3 : 201);
      }
      assertEquals(-1, expected.mismatch(got), "%s %d from %d".formatted(dtype, count, first));
    }
    driver.free(address, queue.stream());
  }

  private MemorySegment read(Arena arena, Span span) {
    MemorySegment host = arena.allocate(span.bytes(), 8);
    driver.copyToHost(host, span.address(), queue.stream());
    driver.synchronize(queue.stream());
    return host;
  }

  @Test
  void copiesRows() {
    for (DType dtype : new DType[] {DType.U8, DType.BF16, DType.F32, DType.F64}) {
      for (int[] shape : new int[][] {{3, 5, 5, 5}, {3, 5, 7, 9}, {2, 8, 16, 8}, {5, 1, 1, 4}, {4, 272, 288, 304}}) {
        copy(dtype, shape[0], shape[1], shape[2], shape[3]);
      }
    }
  }

  private void copy(DType dtype, int rows, int columns, int ldx, int ldy) {
    int width = dtype.bytes();
    byte[] from = new byte[rows * ldx * width];
    for (int i = 0; i < from.length; i++) {
      from[i] = (byte) (i * 31 + i / 256);
    }
    byte[] to = new byte[rows * ldy * width];
    Span x = upload(from, dtype);
    Span y = upload(to, dtype);
    copies.copy(rows, columns, x, ldx, y, ldy);
    for (int row = 0; row < rows; row++) {
      System.arraycopy(from, row * ldx * width, to, row * ldy * width, columns * width);
    }
    try (Arena arena = Arena.ofConfined()) {
      assertArrayEquals(to, read(arena, y).toArray(ValueLayout.JAVA_BYTE), dtype + " " + columns + " of " + ldx);
    }
    driver.free(x.address(), queue.stream());
    driver.free(y.address(), queue.stream());
  }

  private Span upload(byte[] bytes, DType dtype) {
    long address = driver.allocate(bytes.length, queue.stream());
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment host = arena.allocate(bytes.length, 8);
      MemorySegment.copy(bytes, 0, host, ValueLayout.JAVA_BYTE, 0, bytes.length);
      driver.copyToDevice(address, host, queue.stream());
    }
    return new Span(address, bytes.length, dtype);
  }
}
