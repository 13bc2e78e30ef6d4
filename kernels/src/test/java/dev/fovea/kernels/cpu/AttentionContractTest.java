package dev.fovea.kernels.cpu;

import dev.fovea.kernels.contract.AttentionCases;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Attention against the reference. */
final class AttentionContractTest {
  @TestFactory
  Stream<DynamicTest> contract() {
    return Devices.contract(AttentionCases.all());
  }
}
