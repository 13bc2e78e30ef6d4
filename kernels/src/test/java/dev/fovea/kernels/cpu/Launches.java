package dev.fovea.kernels.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.sun.management.ThreadMXBean;
import dev.fovea.kernels.contract.Contract;
import dev.fovea.kernels.contract.HostCaseMemory;
import dev.fovea.kernels.contract.KernelCase;
import dev.fovea.kernels.cpu.simd.Simd;
import java.lang.management.ManagementFactory;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.function.Executable;

/** What holds for every launch on CPU, beyond the right result. */
final class Launches {
  private static final CpuKernels ONE = CpuKernels.create(1);
  private static final CpuKernels THREE = CpuKernels.create(3);
  private static final CpuKernels PLAIN = CpuKernels.create(1, Simd.scalar());

  private Launches() {}

  /** Every case gives the same bits on one thread and on three. */
  static Stream<DynamicTest> sameBits(Stream<KernelCase> cases) {
    return cases.map(test -> DynamicTest.dynamicTest(test.toString(), () -> Contract.sameBits(test, ONE, THREE)));
  }

  /**
   * No case allocates on the calling thread once it has run before. In plain Java, because vectors are objects until
   * the optimizing compiler has seen them.
   */
  static void allocatesNothing(Stream<KernelCase> cases) {
    cases.forEach(test -> assertEquals(0, leastAllocated(test, PLAIN, 3), () -> "bytes allocated by " + test));
  }

  /** The case allocates nothing with vectors either once it is compiled: see {@link AllocationTest}. */
  static void allocatesNothingOnceCompiled(KernelCase test) {
    assertEquals(0, leastAllocated(test, ONE, 20_000), () -> "bytes allocated by " + test);
  }

  /** Bytes of the call that allocated least, among so many calls. */
  private static long leastAllocated(KernelCase test, CpuKernels kernels, int calls) {
    var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    try (var memory = new HostCaseMemory(0)) {
      KernelCase.Call call = test.setup().prepare(memory);
      call.on(kernels);
      long least = Long.MAX_VALUE;
      for (int i = 0; least > 0 && i < calls; i++) {
        long before = threads.getCurrentThreadAllocatedBytes();
        call.on(kernels);
        least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
      }
      return least;
    }
  }

  /** The call throws {@link IllegalArgumentException} with this message. */
  static void rejects(String message, Executable call) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, call).getMessage());
  }
}
