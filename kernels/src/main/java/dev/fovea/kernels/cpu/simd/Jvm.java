package dev.fovea.kernels.cpu.simd;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.lang.management.ManagementFactory;

/**
 * What decides whether the Vector API is fast on a JVM.
 *
 * @param hasVectors whether its module was resolved
 * @param feature the version of Java
 * @param name of the virtual machine
 * @param info its mode of execution, in words
 * @param hotSpot whether it is HotSpot, whose compiler knows vectors
 * @param optimizes whether methods reach the optimizing compiler; without it every vector is an object
 * @param fusedMultiplyAdd whether that is one instruction; without it, it is done in BigDecimal
 */
record Jvm(
    boolean hasVectors,
    int feature,
    String name,
    String info,
    boolean hotSpot,
    boolean optimizes,
    boolean fusedMultiplyAdd) {
  static final String MODULE = "jdk.incubator.vector";

  /** The version of Java whose Vector API these classes were compiled against; it may change in the next. */
  static final int COMPILED_FOR = 25;

  private static final int OPTIMIZING_TIER = 4;

  static Jvm current() {
    boolean hasVectors = ModuleLayer.boot().findModule(MODULE).isPresent();
    String name = System.getProperty("java.vm.name", "");
    String info = System.getProperty("java.vm.info", "");
    boolean hotSpot = name.contains("HotSpot") || name.contains("OpenJDK");
    boolean compiles = !info.contains("interpreted") && !info.contains("emulated-client") && !name.contains("Client");
    boolean ask = hasVectors && hotSpot && compiles; // the answer takes 30 ms
    return new Jvm(
        hasVectors,
        Runtime.version().feature(),
        name,
        info,
        hotSpot,
        compiles && (!ask || Integer.parseInt(flag("TieredStopAtLevel", "4")) >= OPTIMIZING_TIER),
        !ask || Boolean.parseBoolean(flag("UseFMA", "true")));
  }

  private static String flag(String name, String unknown) {
    try {
      return ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class)
          .getVMOption(name)
          .getValue();
    } catch (IllegalArgumentException e) {
      return unknown;
    }
  }
}
