package dev.fovea.kernels.cpu;

import dev.fovea.kernels.contract.GemmCases;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Matrix products against the reference. */
class GemmContractTest {
  @TestFactory
  Stream<DynamicTest> contract() {
    return Devices.contract(GemmCases.all());
  }

  @TestFactory
  Stream<DynamicTest> sameBitsOnAnyThreads() {
    return Launches.sameBits(GemmCases.all());
  }

  @Test
  void noGarbage() {
    // Operands in parts in TN are products of their own, with a description each.
    Launches.allocatesNothing(GemmCases.all().filter(c -> !c.shape().matches("TN .* split[MB].*")));
  }
}
