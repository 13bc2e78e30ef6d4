package dev.fovea.kernels.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.cuda.TensorMap.Dimension;
import dev.fovea.kernels.cuda.TensorMap.Swizzle;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a map of a tensor may say. */
class TensorMapTest {
  private static final Dimension ROW = new Dimension(100, 2, 64);

  private static void fails(String message, long address, Swizzle swizzle, Dimension... dimensions) {
    IllegalArgumentException e = assertThrows(
        IllegalArgumentException.class, () -> new TensorMap(DType.BF16, address, List.of(dimensions), swizzle));
    assertEquals("tensor map: " + message, e.getMessage());
  }

  @Test
  void saysWhatABoxTakes() {
    TensorMap map = new TensorMap(
        DType.BF16, 256, List.of(ROW, new Dimension(7, 208, 128), new Dimension(3, 16, 2)), Swizzle.BYTES_128);
    assertEquals(64 * 2 * 128 * 2, map.boxBytes());
  }

  @Test
  void refusesWhatNoGpuCopies() {
    Swizzle none = Swizzle.NONE;
    fails("address: got 0x8, expected a multiple of 16, not 0", 8, none, ROW);
    fails("address: got 0x0, expected a multiple of 16, not 0", 0, none, ROW);
    fails("dimensions: got 0, expected 1 to 5", 16, none);
    fails(
        "dimensions: got 6, expected 1 to 5",
        16,
        none,
        Collections.nCopies(6, ROW).toArray(Dimension[]::new));
    fails("dimension 0: size: got 0, expected 1 to 2^32", 16, none, new Dimension(0, 2, 64));
    fails("dimension 0: stride: got 4 bytes, expected 2 bytes", 16, none, new Dimension(9, 4, 64));
    fails("dimension 0: box: got 257, expected 1 to 256", 16, none, new Dimension(9, 2, 257));
    fails("dimension 0: box: got 8 bytes, expected a multiple of 16 bytes", 16, none, new Dimension(9, 2, 4));
    fails("dimension 0: box: got 128 bytes, expected at most the 64 bytes of the swizzle", 16, Swizzle.BYTES_64, ROW);
    String stride = "expected a multiple of 16 bytes below 2^40";
    fails("dimension 1: stride: got 200 bytes, " + stride, 16, none, ROW, new Dimension(9, 200, 8));
    fails("dimension 1: stride: got 0 bytes, " + stride, 16, none, ROW, new Dimension(9, 0, 8));
    fails("dimension 1: stride: got 1099511627776 bytes, " + stride, 16, none, ROW, new Dimension(9, 1L << 40, 8));
    fails(
        "dimension 1: size: got 4294967297, expected 1 to 2^32", 16, none, ROW, new Dimension((1L << 32) + 1, 208, 8));
  }
}
