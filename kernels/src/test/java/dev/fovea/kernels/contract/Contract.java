package dev.fovea.kernels.contract;

import static org.junit.jupiter.api.Assertions.fail;

import dev.fovea.kernels.KernelSet;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.cuda.Driver;

/**
 * Holds a device to the contract: a case must give the reference's answer, twice the same bits, and touch nothing else.
 */
public final class Contract {
  private Contract() {}

  /**
   * How near the outputs of a case came to the reference.
   *
   * @param largest largest difference of two elements
   * @param ofTolerance largest part of its tolerance that a difference took; 1 is all of it
   * @param values how many were compared
   */
  public record Errors(double largest, double ofTolerance, long values) {
    private static final Errors NONE = new Errors(0, 0, 0);

    private Errors and(Errors other) {
      return new Errors(
          Math.max(largest, other.largest), Math.max(ofTolerance, other.ofTolerance), values + other.values);
    }
  }

  /** Runs the case on {@code reference} and twice on {@code device}, both in host memory, and compares. */
  public static void check(KernelCase test, KernelSet reference, KernelSet device) {
    long seed = test.toString().hashCode();
    try (var expected = new HostCaseMemory(seed);
        var got = new HostCaseMemory(seed);
        var again = new HostCaseMemory(seed)) {
      test.setup().prepare(expected).on(reference);
      test.setup().prepare(got).on(device);
      test.setup().prepare(again).on(device);
      compare(test, expected, got, again);
    }
  }

  /**
   * As the other, with the device's operands in its own memory.
   *
   * @param guarded whether to put guard bytes around operands, for devices that do not see every stray access
   */
  public static Errors check(
      KernelCase test, KernelSet reference, KernelSet device, Driver driver, long stream, boolean guarded) {
    long seed = test.toString().hashCode();
    try (var expected = new HostCaseMemory(seed);
        var got = new DriverCaseMemory(seed, driver, stream, guarded);
        var again = new DriverCaseMemory(seed, driver, stream, guarded)) {
      test.setup().prepare(expected).on(reference);
      test.setup().prepare(got).on(device);
      test.setup().prepare(again).on(device);
      got.fetch();
      again.fetch();
      return compare(test, expected, got.host(), again.host());
    }
  }

  private static Errors compare(KernelCase test, HostCaseMemory expected, HostCaseMemory got, HostCaseMemory again) {
    Errors errors = Errors.NONE;
    for (var entry : expected.outputs().entrySet()) {
      String name = entry.getKey();
      HostCaseMemory.Output output = entry.getValue();
      Span span = got.outputs().get(name).span();
      errors = errors.and(compare(test + ": " + name, output.span(), span, output.tolerance()));
      compare(
          test + ": " + name + ", second run", span, again.outputs().get(name).span(), Tolerance.EXACT);
    }
    String damage = got.damage();
    if (damage != null) {
      fail(test + ": " + damage);
    }
    return errors;
  }

  /** Runs the case on two devices in host memory: they must agree to the last bit. */
  public static void sameBits(KernelCase test, KernelSet first, KernelSet second) {
    long seed = test.toString().hashCode();
    try (var expected = new HostCaseMemory(seed);
        var got = new HostCaseMemory(seed)) {
      test.setup().prepare(expected).on(first);
      test.setup().prepare(got).on(second);
      expected
          .outputs()
          .forEach((name, output) ->
              compare(test + ": " + name, output.span(), got.outputs().get(name).span(), Tolerance.EXACT));
    }
  }

  /** As the other, with the second device's operands in its own memory. */
  public static void sameBits(KernelCase test, KernelSet first, KernelSet second, Driver driver, long stream) {
    long seed = test.toString().hashCode();
    try (var expected = new HostCaseMemory(seed);
        var got = new DriverCaseMemory(seed, driver, stream, false)) {
      test.setup().prepare(expected).on(first);
      test.setup().prepare(got).on(second);
      got.fetch();
      expected.outputs().forEach((name, output) -> {
        Span span = got.host().outputs().get(name).span();
        compare(test + ": " + name, output.span(), span, Tolerance.EXACT);
      });
    }
  }

  /** As the others, with the operands of both devices in their own memory. */
  public static void sameBits(
      KernelCase test, KernelSet first, Driver firstDriver, KernelSet second, Driver secondDriver) {
    long seed = test.toString().hashCode();
    try (var expected = new DriverCaseMemory(seed, firstDriver, 0, false);
        var got = new DriverCaseMemory(seed, secondDriver, 0, false)) {
      test.setup().prepare(expected).on(first);
      test.setup().prepare(got).on(second);
      expected.fetch();
      got.fetch();
      expected.host().outputs().forEach((name, output) -> {
        Span span = got.host().outputs().get(name).span();
        compare(test + ": " + name, output.span(), span, Tolerance.EXACT);
      });
    }
  }

  private static Errors compare(String what, Span expected, Span got, Tolerance tolerance) {
    long wrong = 0;
    long worst = -1;
    double worstError = -1;
    double largest = 0;
    double ofTolerance = 0;
    for (long i = 0; i < expected.count(); i++) {
      double e = HostCaseMemory.get(expected, i);
      double g = HostCaseMemory.get(got, i);
      if (!tolerance.allows(g, e)) {
        wrong++;
        double error = Math.abs(g - e);
        if (worst < 0 || !(error <= worstError)) {
          worst = i;
          worstError = error;
        }
      } else if (g != e && !Double.isNaN(e)) {
        largest = Math.max(largest, Math.abs(g - e));
        ofTolerance = Math.max(ofTolerance, tolerance.share(g, e));
      }
    }
    if (wrong > 0) {
      fail("%s: %d of %d values out of tolerance %s; worst at %d: got %s, expected %s"
          .formatted(
              what,
              wrong,
              expected.count(),
              tolerance,
              worst,
              HostCaseMemory.get(got, worst),
              HostCaseMemory.get(expected, worst)));
    }
    return new Errors(largest, ofTolerance, expected.count());
  }
}
