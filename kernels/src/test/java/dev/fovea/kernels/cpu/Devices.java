package dev.fovea.kernels.cpu;

import dev.fovea.kernels.KernelSet;
import dev.fovea.kernels.contract.Contract;
import dev.fovea.kernels.contract.KernelCase;
import dev.fovea.kernels.cpu.simd.Simd;
import dev.fovea.kernels.reference.ReferenceKernels;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;

/** The forms of the CPU back end that contract tests run on, and those tests. */
public final class Devices {
  private static final KernelSet REFERENCE = new ReferenceKernels();
  private static final KernelSet BEST = CpuKernels.create(3);
  private static final KernelSet SCALAR = CpuKernels.create(1, Simd.scalar());

  private Devices() {}

  /** Every case on every form; on the best one alone where the build repeats the contract at another width. */
  static Stream<DynamicTest> contract(Stream<KernelCase> cases) {
    List<KernelSet> devices = Boolean.getBoolean("fovea.test.best") ? List.of(BEST) : List.of(BEST, SCALAR);
    return cases.flatMap(test -> devices.stream()
        .map(device -> DynamicTest.dynamicTest(
            test + " [" + device.description() + "]", () -> Contract.check(test, REFERENCE, device))));
  }
}
