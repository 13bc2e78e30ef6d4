package dev.fovea.kernels.cpu.simd;

import java.lang.System.Logger.Level;

/** Chooses the form of the inner loops once, and says in one line why the Vector API is not used where it is not. */
final class SimdChoice {
  private static final String MODULE = "jdk.incubator.vector";

  static final Simd BEST = choose();

  private SimdChoice() {}

  private static Simd choose() {
    if (ModuleLayer.boot().findModule(MODULE).isEmpty()) {
      System.getLogger("dev.fovea.kernels")
          .log(Level.WARNING, "CPU kernels run without vectors: start Java with --add-modules " + MODULE);
      return ScalarSimd.INSTANCE;
    }
    SimdChoice.class.getModule().addReads(ModuleLayer.boot().findModule(MODULE).get());
    try {
      var type = Class.forName("dev.fovea.kernels.cpu.simd.VectorSimd");
      return (Simd) type.getDeclaredConstructor().newInstance();
    } catch (ReflectiveOperationException e) {
      throw new LinkageError("VectorSimd", e);
    }
  }
}
