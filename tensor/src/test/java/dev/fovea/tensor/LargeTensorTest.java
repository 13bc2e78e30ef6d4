package dev.fovea.tensor;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.fovea.kernels.DType;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/** Tensors of more than 2^31 elements. Of each only a few pages are touched, and the others never become real. */
class LargeTensorTest {
  /** Without poison, which would touch every page. */
  private static final CpuOptions OPTIONS = CpuOptions.defaults().withThreads(1).withPoison(false);

  @Test
  void holdsMoreThanAnIntCounts() {
    long rows = 3L << 20;
    try (CpuDevice device = Device.cpu(OPTIONS);
        Scope _ = Scope.open(device)) {
      Tensor tensor = Tensor.empty(Shape.of(rows, 1000), DType.U8);
      MemorySegment segment = tensor.segment();
      assertEquals(rows * 1000, segment.byteSize());
      segment.set(JAVA_BYTE, rows * 1000 - 1, (byte) 250);
      segment.set(JAVA_BYTE, rows * 1000 - 1000, (byte) 3);
      Tensor last = tensor.narrow(rows - 1, 1);
      assertEquals(3, last.toLongs()[0]);
      assertEquals(250, tensor.flatten().narrow(rows * 1000 - 1, 1).item());
      assertEquals(
          250,
          tensor
              .reshape(2, -1, 1000)
              .narrow(1, 1)
              .reshape(-1, 1000)
              .narrow(rows / 2 - 1, 1)
              .toLongs()[999]);
      Messages.assertIllegal(
          "array: got 3145728000 elements, expected at most 2147483639; narrow the tensor or use segment()",
          tensor::toLongs);
      assertEquals(
          "U8 [3145728, 1000] on " + device.name() + ": ", tensor.toString().replaceFirst(":.*", ": "));
    }
  }

  @Test
  void wideElementsPastAnInt() {
    long count = (1L << 31) + 17;
    try (CpuDevice device = Device.cpu(OPTIONS);
        Scope _ = Scope.open(device)) {
      Tensor tensor = Tensor.zeros(Shape.of(count), DType.BF16);
      tensor.narrow(count - 2, 2).copyFrom(new float[] {-1, 2});
      assertArrayEquals(new float[] {0, -1, 2}, tensor.narrow(count - 3, 3).toFloats());
      assertEquals(0x4000, tensor.segment().getAtIndex(JAVA_SHORT, count - 1));
      assertEquals(2 * count, device.memory().current());
    }
  }
}
