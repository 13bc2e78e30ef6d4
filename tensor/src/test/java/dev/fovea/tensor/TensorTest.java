package dev.fovea.tensor;

import static dev.fovea.tensor.Messages.assertIllegal;
import static dev.fovea.tensor.Messages.assertState;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.Span;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(NoLeaks.class)
class TensorTest {
  private Scope scope;

  @BeforeEach
  void open() {
    scope = Scope.open();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  @Test
  void holdsValuesOfEveryKind() {
    Tensor floats = Tensor.of(new float[] {1, -2, 0.5f, Float.NaN, 1e30f, 6}, 2, 3);
    assertEquals(DType.F32, floats.dtype());
    assertEquals(Shape.of(2, 3), floats.shape());
    assertSame(Device.cpu(), floats.device());
    assertArrayEquals(new float[] {1, -2, 0.5f, Float.NaN, 1e30f, 6}, floats.toFloats());
    assertArrayEquals(
        new long[] {Long.MIN_VALUE, 7},
        Tensor.of(new long[] {Long.MIN_VALUE, 7}, 2).toLongs());
    assertArrayEquals(
        new long[] {-3, 1 << 30}, Tensor.of(new int[] {-3, 1 << 30}, 2, 1).toLongs());
    assertArrayEquals(new long[] {255, 1}, Tensor.of(new byte[] {-1, 1}, 2).toLongs());
    assertArrayEquals(new float[] {255, 1}, Tensor.of(new byte[] {-1, 1}, 2).toFloats());
    assertArrayEquals(new float[6], Tensor.zeros(Shape.of(2, 3), DType.BF16).toFloats());
    assertEquals(0, Tensor.of(new float[0], 0, 3).toFloats().length);
    assertEquals(2.5, Tensor.scalar(2.5f).item());
    assertEquals(0, Tensor.scalar(2.5f).shape().rank());
    assertEquals(-9, Tensor.of(new long[] {-9}, 1, 1).item());
  }

  @Test
  void saysWhatValuesDoNotFit() {
    assertIllegal("values: got 3 values, expected 4 for shape [2, 2]", () -> Tensor.of(new float[3], 2, 2));
    assertIllegal("values: got 2 values, expected 1 for shape []", () -> Tensor.of(new int[2]));
    Tensor tensor = Tensor.zeros(Shape.of(2, 2), DType.F32);
    Tensor labels = Tensor.zeros(Shape.of(2), DType.I64);
    assertIllegal("values: got 3 values, expected 4 for shape [2, 2]", () -> tensor.copyFrom(new float[3]));
    assertIllegal("copyFrom: got I64, expected a floating-point dtype", () -> labels.copyFrom(new float[2]));
    assertIllegal("toLongs: got F32, expected an integer dtype", tensor::toLongs);
    assertIllegal("item: got a tensor of shape [2, 2], expected exactly one element", tensor::item);
    assertIllegal("source: got [2], expected [2, 2]", () -> tensor.copyFrom(labels));
    assertIllegal(
        "dtype: got I64 to BF16, expected floating to floating, or integer to F32", () -> labels.to(DType.BF16));
    assertIllegal(
        "dtype: got F32 to I32, expected floating to floating, or integer to F32", () -> tensor.to(DType.I32));
    assertIllegal(
        "shape: got [9223372036854775807], expected at most 2^63 - 1 bytes of F32",
        () -> Tensor.empty(Shape.of(Long.MAX_VALUE), DType.F32));
  }

  @Test
  void copiesFloatsToEveryFloatingDtype() {
    float[] values = {1, -0.0f, 1.00390625f, 1.01171875f, 3.4e38f, Float.NaN, Float.NEGATIVE_INFINITY, 1e-40f};
    assertArrayEquals(
        values, Tensor.empty(Shape.of(8), DType.F32).copyFrom(values).toFloats());
    assertArrayEquals(
        values, Tensor.empty(Shape.of(8), DType.F64).copyFrom(values).toFloats());
    // Ties go to the even neighbour; what is past the largest finite number becomes infinite.
    assertArrayEquals(
        new float[] {1, -0.0f, 1, 1.015625f, Float.POSITIVE_INFINITY, Float.NaN, Float.NEGATIVE_INFINITY, 0x1p-133f},
        Tensor.empty(Shape.of(8), DType.BF16).copyFrom(values).toFloats());
    float[] half = Tensor.empty(Shape.of(8), DType.F16).copyFrom(values).toFloats();
    for (int i = 0; i < half.length; i++) {
      assertEquals(Float.float16ToFloat(Float.floatToFloat16(values[i])), half[i]);
    }
  }

  @Test
  void copiesTensors() {
    Tensor source = Tensor.of(new float[] {1, 2, 3, 4}, 2, 2);
    Tensor target = Tensor.zeros(Shape.of(2, 2), DType.F32);
    assertSame(target, target.copyFrom(source));
    source.copyFrom(new float[4]);
    assertArrayEquals(new float[] {1, 2, 3, 4}, target.toFloats());
    try (CpuDevice device = Device.cpu(1);
        Scope _ = Scope.open(device)) {
      Tensor elsewhere = Tensor.empty(Shape.of(2, 2), DType.F32).copyFrom(target);
      assertArrayEquals(new float[] {1, 2, 3, 4}, elsewhere.toFloats());
      Tensor other = Tensor.empty(Shape.of(2, 2), DType.BF16);
      assertIllegal(
          "source: got a tensor on cpu, expected %s as target".formatted(device.name()), () -> other.copyFrom(target));
    }
  }

  @Test
  void viewsShareMemory() {
    Tensor tensor = Tensor.of(new float[] {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, 3, 2, 2);
    Tensor rows = tensor.narrow(1, 2);
    assertEquals(Shape.of(2, 2, 2), rows.shape());
    assertArrayEquals(new float[] {4, 5, 6, 7, 8, 9, 10, 11}, rows.toFloats());
    assertEquals(tensor.span().address() + 16, rows.span().address());
    Tensor wide = rows.reshape(-1, 4).narrow(1, 1);
    wide.copyFrom(new float[] {-1, -2, -3, -4});
    assertArrayEquals(
        new float[] {0, 1, 2, 3, 4, 5, 6, 7, -1, -2, -3, -4}, tensor.flatten().toFloats());
    assertEquals(Shape.of(12), tensor.flatten().shape());
    assertEquals(Shape.of(0, 2, 2), tensor.narrow(3, 0).shape());
    assertEquals(tensor.span(), tensor.to(DType.F32).span());
    assertIllegal("narrow: got 2 from 2 on, expected a part of the first axis of [3, 2, 2]", () -> tensor.narrow(2, 2));
    assertIllegal(
        "narrow: got 1 from -1 on, expected a part of the first axis of [3, 2, 2]", () -> tensor.narrow(-1, 1));
    assertIllegal(
        "narrow: got -1 from 1 on, expected a part of the first axis of [3, 2, 2]", () -> tensor.narrow(1, -1));
    assertIllegal(
        "narrow: got %d from 1 on, expected a part of the first axis of [3, 2, 2]".formatted(Long.MAX_VALUE),
        () -> tensor.narrow(1, Long.MAX_VALUE));
    Tensor number = Tensor.scalar(1);
    assertIllegal("narrow: got a tensor of shape [], expected at least one axis", () -> number.narrow(0, 1));
  }

  @Test
  void memoryLivesUntilTheLastHandleIsClosed() {
    long before = Device.cpu().memory().current();
    Tensor tensor = Tensor.of(new float[] {1, 2, 3, 4}, 4);
    Tensor view = tensor.narrow(2, 2);
    tensor.close();
    assertArrayEquals(new float[] {3, 4}, view.toFloats());
    assertEquals(before + 16, Device.cpu().memory().current());
    view.close();
    assertEquals(before, Device.cpu().memory().current());
  }

  @Test
  void throwsAfterClose() {
    Tensor tensor = Tensor.of(new float[] {1, 2}, 2);
    Tensor open = Tensor.of(new float[] {1, 2}, 2);
    assertEquals("F32 [2] on cpu: 1.0, 2.0", tensor.toString());
    tensor.close();
    String used = "tensor used after close (made SITE)";
    assertState(used, tensor::span);
    assertState(used, tensor::toFloats);
    assertState(used, tensor::flatten);
    assertState(used, tensor::segment);
    assertState(used, () -> tensor.to(DType.F32));
    assertState(used, () -> tensor.to(DType.BF16));
    assertState(used, () -> tensor.narrow(0, 1));
    assertState(used, () -> tensor.copyFrom(new float[2]));
    assertState(used, () -> open.copyFrom(tensor));
    assertState(used, () -> tensor.copyFrom(open));
    assertState("tensor closed twice (made SITE)", tensor::close);
    assertEquals("F32 [2] on cpu (closed)", tensor.toString());
    assertEquals(Shape.of(2), tensor.shape());
  }

  @Test
  void toStringShowsTheFirstValues() {
    assertEquals("I32 [2] on cpu: 3, -1", Tensor.of(new int[] {3, -1}, 2).toString());
    assertEquals("F32 [] on cpu: 0.5", Tensor.scalar(0.5f).toString());
    assertEquals("F32 [0, 3] on cpu: ", Tensor.of(new float[0], 0, 3).toString());
    assertEquals(
        "BF16 [3, 4] on cpu: 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, ...",
        Tensor.zeros(Shape.of(3, 4), DType.BF16).toString());
  }

  @Test
  void wrapsTheCallersMemory() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment segment = arena.allocateFrom(JAVA_FLOAT, 1, 2, 3, 4);
      long before = Device.cpu().memory().current();
      Tensor tensor = Tensor.wrap(segment, DType.F32, Shape.of(2, 2));
      assertEquals(before, Device.cpu().memory().current());
      assertEquals(segment.address(), tensor.span().address());
      tensor.narrow(1, 1).copyFrom(new float[] {7, 8});
      assertEquals(8, segment.getAtIndex(JAVA_FLOAT, 3));
      assertEquals(segment, tensor.segment());
      tensor.close();
      assertEquals(7, segment.getAtIndex(JAVA_FLOAT, 2));

      MemorySegment heap = MemorySegment.ofArray(new float[4]);
      assertIllegal(
          "segment: got memory on the Java heap, expected native memory; Tensor.of copies arrays",
          () -> Tensor.wrap(heap, DType.F32, Shape.of(4)));
      assertIllegal(
          "segment: got 16 bytes, expected 12 for F32 of shape [3]",
          () -> Tensor.wrap(segment, DType.F32, Shape.of(3)));
      MemorySegment odd = segment.asSlice(1, 8);
      assertIllegal(
          "segment: got address 0x%x, expected a multiple of 4 for F32".formatted(odd.address()),
          () -> Tensor.wrap(odd, DType.F32, Shape.of(2)));
      assertEquals(8, Tensor.wrap(odd, DType.U8, Shape.of(8)).toLongs().length);
    }
  }

  @Test
  void noticesThatWrappedMemoryWasClosed() {
    Tensor tensor;
    try (Arena arena = Arena.ofConfined()) {
      tensor = Tensor.wrap(arena.allocateFrom(JAVA_FLOAT, 1, 2), DType.F32, Shape.of(2));
    }
    assertState("tensor used after the memory it wraps was closed (made SITE)", tensor::span);
    assertEquals("F32 [2] on cpu (its memory is closed)", tensor.toString());
    tensor.close();
  }

  @Test
  void doesNotWriteToReadOnlyMemory(@TempDir Path folder) throws IOException {
    Path file = Files.write(folder.resolve("weights"), new byte[] {0, 0, -128, 63, 0, 0, 0, 64});
    try (Arena arena = Arena.ofShared();
        FileChannel channel = FileChannel.open(file)) {
      MemorySegment mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, 8, arena);
      Tensor tensor = Tensor.wrap(mapped, DType.F32, Shape.of(2));
      assertTrue(tensor.isReadOnly());
      assertArrayEquals(new float[] {1, 2}, tensor.toFloats());
      assertState(
          "a read-only tensor is written to (made SITE)", () -> tensor.flatten().copyFrom(new float[2]));
      assertState("a read-only tensor is written to (made SITE)", () -> tensor.copyFrom(Tensor.of(new float[2], 2)));
      assertThrows(IllegalArgumentException.class, () -> tensor.segment().set(JAVA_FLOAT, 0, 1));
      assertFalse(Tensor.scalar(1).isReadOnly());
    }
  }

  @Test
  void givesBoundedSegments() {
    Tensor tensor = Tensor.of(new float[] {1, 2, 3, 4}, 2, 2);
    Tensor row = tensor.narrow(1, 1);
    MemorySegment segment = row.segment();
    assertEquals(8, segment.byteSize());
    assertEquals(3, segment.getAtIndex(JAVA_FLOAT, 0));
    segment.setAtIndex(JAVA_FLOAT, 1, 9);
    assertEquals(9, tensor.toFloats()[3]);
    assertThrows(IndexOutOfBoundsException.class, () -> segment.getAtIndex(JAVA_FLOAT, 2));
    row.close();
    assertEquals(3, segment.getAtIndex(JAVA_FLOAT, 0));
    tensor.close();
    assertThrows(IllegalStateException.class, () -> segment.getAtIndex(JAVA_FLOAT, 0));
  }

  @Test
  void isAlignedAndUndefinedUntilWritten() {
    for (int count : new int[] {0, 1, 3, 16, 17, 1000, 100_000}) {
      Tensor tensor = Tensor.empty(Shape.of(count), DType.F32);
      assertEquals(0, tensor.span().address() % 64);
      for (float value : tensor.toFloats()) {
        assertTrue(Float.isNaN(value), "poison");
      }
      for (float value : Tensor.zeros(Shape.of(count), DType.F32).toFloats()) {
        assertEquals(0, value);
      }
    }
  }

  @Test
  void spansDescribeTheElements() {
    Tensor tensor = Tensor.empty(Shape.of(3, 5), DType.BF16);
    Span span = tensor.span();
    assertSame(span, tensor.span());
    assertEquals(15, span.count());
    assertEquals(DType.BF16, span.dtype());
    tensor.segment().setAtIndex(JAVA_SHORT, 0, (short) 0x3f80);
    assertEquals(1, tensor.toFloats()[0]);
  }
}
