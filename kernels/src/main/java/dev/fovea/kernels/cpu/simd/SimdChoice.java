package dev.fovea.kernels.cpu.simd;

import java.lang.System.Logger.Level;
import java.lang.reflect.InvocationTargetException;
import org.jspecify.annotations.Nullable;

/**
 * Chooses the form of the inner loops, with the reason in words. The choice is made once and kept, failures included:
 * whoever asks later is told the same.
 *
 * @param form what to run; null if the property asks for what cannot be
 * @param warning for the log; null if there is nothing to say
 */
record SimdChoice(@Nullable Simd form, @Nullable String warning) {
  static final String PROPERTY = "fovea.cpu.simd";
  private static final String FORCE = "or pass -D" + PROPERTY + "=vector to run them all the same";

  /** For this JVM. */
  static final SimdChoice THIS = logged(choose(System.getProperty(PROPERTY, "auto"), Jvm.current()));

  /** Why vectors are not the form to run, and what to do about it. */
  record Refusal(String reason, String advice) {}

  static SimdChoice choose(String wanted, Jvm jvm) {
    return switch (wanted) {
      case "scalar" -> new SimdChoice(new ScalarSimd("scalar: asked for by " + PROPERTY), null);
      case "auto" -> automatic(jvm);
      case "vector" -> {
        Object vectors = vectors(jvm);
        yield vectors instanceof Refusal no
            ? new SimdChoice(null, "%s=vector cannot be: %s; %s".formatted(PROPERTY, no.reason, no.advice))
            : new SimdChoice((Simd) vectors, null);
      }
      default -> new SimdChoice(null, "%s: got %s, expected auto, vector or scalar".formatted(PROPERTY, wanted));
    };
  }

  Simd simd() {
    if (form == null) {
      throw new IllegalStateException(warning);
    }
    return form;
  }

  private static SimdChoice automatic(Jvm jvm) {
    Refusal unwise = unwise(jvm);
    Object vectors = unwise == null ? vectors(jvm) : unwise;
    return vectors instanceof Refusal no
        ? new SimdChoice(
            new ScalarSimd("scalar: " + no.reason),
            "CPU kernels run without vectors, many times slower: %s; %s".formatted(no.reason, no.advice))
        : new SimdChoice((Simd) vectors, null);
  }

  /**
   * Why the Vector API, if it is there, would be slower than plain Java or of unknown behaviour; null if it is fine.
   */
  private static @Nullable Refusal unwise(Jvm jvm) {
    if (!jvm.hasVectors()) {
      return null; // that is impossible, not unwise
    }
    if (jvm.feature() != Jvm.COMPILED_FOR) {
      return new Refusal(
          "they were compiled for Java %d, this is Java %d".formatted(Jvm.COMPILED_FOR, jvm.feature()),
          "start Java " + Jvm.COMPILED_FOR + ", " + FORCE);
    }
    if (!jvm.hotSpot()) {
      return new Refusal(jvm.name() + " is not HotSpot", "start a HotSpot JVM, " + FORCE);
    }
    if (!jvm.optimizes()) {
      return new Refusal(
          "the optimizing compiler is off (" + jvm.info() + ")",
          "start Java without -Xint and -XX:TieredStopAtLevel, " + FORCE);
    }
    if (!jvm.fusedMultiplyAdd()) {
      return new Refusal(
          "the processor has no fused multiply-add, or -XX:-UseFMA hides it", "start Java without that flag, " + FORCE);
    }
    return null;
  }

  /** The form with vectors, or the {@link Refusal} that says why it cannot run. */
  private static Object vectors(Jvm jvm) {
    if (!jvm.hasVectors()) {
      return new Refusal("the module " + Jvm.MODULE + " is absent", "start Java with --add-modules " + Jvm.MODULE);
    }
    try {
      var type = Class.forName("dev.fovea.kernels.cpu.simd.VectorSimd");
      return type.getDeclaredConstructor().newInstance();
    } catch (InvocationTargetException e) {
      Throwable cause = e.getCause();
      Object why = cause instanceof UnsupportedOperationException ? cause.getMessage() : cause;
      return new Refusal(String.valueOf(why), "pass -D" + PROPERTY + "=scalar to silence this");
    } catch (ReflectiveOperationException | LinkageError e) {
      return new Refusal(e.toString(), "pass -D" + PROPERTY + "=scalar to silence this");
    }
  }

  private static SimdChoice logged(SimdChoice choice) {
    if (choice.form != null && choice.warning != null) {
      System.getLogger("dev.fovea.kernels").log(Level.WARNING, choice.warning);
    }
    return choice;
  }
}
