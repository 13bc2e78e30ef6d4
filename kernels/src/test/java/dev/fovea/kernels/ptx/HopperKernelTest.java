package dev.fovea.kernels.ptx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.cuda.CudaException;
import dev.fovea.kernels.cuda.Launch;
import dev.fovea.kernels.cuda.TensorMap;
import dev.fovea.kernels.cuda.TensorMap.Dimension;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A warp-specialised product of matrices as {@code nvcc} compiles it, right and with bugs; skipped where it is not. */
class HopperKernelTest {
  private static final int SHARED = 3 * (32 << 10) + (32 << 10);

  private static String ptx = "";

  @BeforeAll
  static void compile(@TempDir Path folder) throws IOException, InterruptedException {
    ptx = Nvcc.compile(folder, "hopper.cu", "sm_90a");
  }

  private static short[] numbers(int count, long seed) {
    Random random = new Random(seed);
    short[] numbers = new short[count];
    for (int i = 0; i < count; i++) {
      numbers[i] = (short) (Float.floatToRawIntBits(random.nextFloat() - 0.5f) >>> 16);
    }
    return numbers;
  }

  private static float number(short bits) {
    return Float.intBitsToFloat(bits << 16);
  }

  private static void map(PtxDriver driver, Launch launch, Arena arena, long address, int rows, int columns, int box) {
    MemorySegment map = arena.allocate(TensorMap.BYTES, TensorMap.ALIGNMENT);
    // Rows have room for whole 16 bytes.
    long pitch = (columns + 7) / 8 * 16;
    driver.encodeTensorMap(
        new TensorMap(
            DType.BF16,
            address,
            List.of(new Dimension(columns, 2, 64), new Dimension(rows, pitch, box)),
            TensorMap.Swizzle.BYTES_128),
        map);
    launch.bytes(map, TensorMap.ALIGNMENT);
  }

  private static long upload(PtxDriver driver, Arena arena, short[] numbers) {
    MemorySegment host = arena.allocateFrom(ValueLayout.JAVA_SHORT, numbers);
    long address = driver.allocate(host.byteSize(), 0);
    driver.copyToDevice(address, host, 0);
    return address;
  }

  /** The product of a (m x k) and b (n x k), all of whose rows have room for a multiple of 8. */
  private static short[] run(int m, int n, int k, short[] a, short[] b, int bug) {
    try (PtxDriver driver = new PtxDriver(PtxOptions.hopper());
        Arena arena = Arena.ofConfined()) {
      long function = driver.function(driver.load("hopper.ptx", ptx), "product");
      driver.allowShared(function, SHARED);
      Launch launch = new Launch()
          .grid((n + 127) / 128, (m + 127) / 128, 1)
          .block(384, 1, 1)
          .shared(SHARED);
      MemorySegment host = arena.allocate(2L * m * ((n + 7) / 8 * 8), 16);
      long out = driver.allocate(host.byteSize(), 0);
      driver.fill(out, (byte) 0, host.byteSize(), 0);
      map(driver, launch, arena, upload(driver, arena, a), m, k, 64);
      map(driver, launch, arena, upload(driver, arena, b), n, k, 128);
      map(driver, launch, arena, out, m, n, 64);
      driver.launch(function, launch.i32((k + 63) / 64).i32(bug).align(64), 0);
      driver.copyToHost(host, out, 0);
      return host.toArray(ValueLayout.JAVA_SHORT);
    }
  }

  @ParameterizedTest
  @CsvSource({"128,128,64", "200,136,328", "70,257,512"})
  void multiplies(int m, int n, int k) {
    int pitchK = (k + 7) / 8 * 8;
    int pitchN = (n + 7) / 8 * 8;
    short[] a = numbers(m * pitchK, 1);
    short[] b = numbers(n * pitchK, 2);
    short[] got = run(m, n, k, a, b, 0);
    for (int row = 0; row < m; row++) {
      for (int column = 0; column < n; column++) {
        float sum = 0;
        for (int i = 0; i < k; i++) {
          sum += number(a[row * pitchK + i]) * number(b[column * pitchK + i]);
        }
        float expected = Rounding.fromBfloat(Rounding.toBfloat(sum, Rounding.Mode.NEAREST));
        assertEquals(expected, number(got[row * pitchN + column]), row + " " + column);
      }
      for (int column = n; column < pitchN; column++) {
        assertEquals(0, got[row * pitchN + column], "beyond the end of row " + row);
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "1|while a bulk copy to it is in flight,uninitialised",
        "2|race: copies to shared memory,copies to shared memory",
        "3|no fence.proxy.async of that thread lies between",
        "4|exits and has not waited for its bulk copy",
        "5|arrives 1 times at,in flight,race: copies to",
        "6|multiplies before any wgmma.fence",
        "7|uses a register of a wgmma in flight"
      })
  void findsBugs(int bug, String says) {
    short[] numbers = numbers(128 * 512, 3);
    CudaException fault = assertThrows(CudaException.class, () -> run(128, 128, 512, numbers, numbers, bug));
    assertTrue(
        List.of(says.split(",")).stream().anyMatch(fault.getMessage()::contains),
        () -> bug + ": " + fault.getMessage());
    assertTrue(fault.getMessage().contains("hopper.cu:"), fault.getMessage());
  }

  @Test
  void isNotForOlderDevices() {
    try (PtxDriver driver = new PtxDriver()) {
      CudaException fault = assertThrows(CudaException.class, () -> driver.load("hopper.ptx", ptx));
      assertEquals("CUDA_ERROR_NO_BINARY_FOR_GPU", fault.code());
      assertEquals("load: hopper.ptx is for sm_90a, this device has compute capability 8.0", fault.getMessage());
    }
  }
}
