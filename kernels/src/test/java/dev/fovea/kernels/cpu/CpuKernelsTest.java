package dev.fovea.kernels.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.kernels.cpu.simd.Simd;
import org.junit.jupiter.api.Test;

class CpuKernelsTest {
  @Test
  void saysWhatItRunsOn() {
    try (CpuKernels one = CpuKernels.create(1, Simd.scalar());
        CpuKernels three = CpuKernels.create(3)) {
      assertEquals("cpu: 1 thread, scalar", one.description());
      assertTrue(three.description().startsWith("cpu: 3 threads, "), three.description());
    }
  }

  @Test
  void threadsBelowOneAreNamed() {
    IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> CpuKernels.create(0));
    assertEquals("threads: got 0, expected at least 1", e.getMessage());
  }

  @Test
  void closesTwice() {
    CpuKernels kernels = CpuKernels.create(2);
    kernels.close();
    kernels.close();
  }
}
