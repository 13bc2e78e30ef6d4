package dev.fovea.kernels.contract;

import static dev.fovea.kernels.DType.BF16;
import static dev.fovea.kernels.DType.F32;

import dev.fovea.kernels.Activation;
import dev.fovea.kernels.DType;
import dev.fovea.kernels.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Cases of the {@link dev.fovea.kernels.ElementwiseKernels} that work element by element; {@link RowCases} has the
 * rest.
 */
public final class ElementwiseCases {
  private static final double U = Tolerance.U;
  /** No normal number drawn here is larger. */
  private static final double MOST = 6;

  private static final long[] COUNTS = {1, 7, 196, 257, 2048, 5003, 40_001};
  private static final DType[][] TYPES = {{F32, F32, F32}, {BF16, BF16, BF16}, {F32, BF16, F32}, {BF16, F32, BF16}};

  private ElementwiseCases() {}

  public static Stream<KernelCase> all() {
    List<KernelCase> cases = new ArrayList<>();
    for (long count : COUNTS) {
      for (DType[] t : TYPES) {
        cases.add(combine(count, 0.75f, -1.5f, t));
        cases.add(multiply(count, t));
      }
      cases.add(combine(count, -3, 0, F32, F32, F32));
      cases.add(combine(count, 2, 0, BF16, F32, F32));
      for (Activation f : Activation.values()) {
        cases.add(activation(f, count, F32, F32));
        cases.add(gradient(f, count, F32, F32, F32));
      }
      cases.add(activation(Activation.GELU_ERF, count, BF16, BF16));
      cases.add(activation(Activation.GELU_TANH, count, BF16, F32));
      cases.add(gradient(Activation.GELU_TANH, count, BF16, BF16, BF16));
      cases.add(gradient(Activation.SILU, count, BF16, F32, BF16));
      for (DType dtype : DType.values()) {
        cases.add(fill(count, dtype, 42));
      }
      cases.add(fill(count, BF16, Math.PI));
      cases.add(fill(count, F32, Double.NaN));
    }
    cases.add(combineInPlace(true));
    cases.add(combineInPlace(false));
    cases.add(multiplyInPlace());
    cases.add(activationInPlace());
    cases.add(gradientInPlace(true));
    cases.add(gradientInPlace(false));
    return cases.stream();
  }

  /** 16 M elements: what a ViT-B makes of 96 images between two layers. */
  public static Stream<KernelCase> timed() {
    long count = 1 << 24;
    return Stream.of(
        fill(count, F32, 0),
        combine(count, 1, 1, F32, F32, F32),
        multiply(count, F32, F32, F32),
        activation(Activation.GELU_ERF, count, F32, F32),
        activation(Activation.GELU_TANH, count, BF16, BF16),
        gradient(Activation.GELU_ERF, count, F32, F32, F32));
  }

  private static KernelCase combine(long count, float alpha, float beta, DType... t) {
    double bytes = bytes(count, t[0], t[2]) + (beta == 0 ? 0 : bytes(count, t[1]));
    return timed("combine", "%s %s %d %s".formatted(alpha, beta, count, List.of(t)), bytes, memory -> {
      Span x = memory.normal(t[0], count, 1);
      Span y = beta == 0 ? null : memory.normal(t[1], count, 1);
      double most = MOST * (Math.abs(alpha) + Math.abs(beta));
      Span z = memory.output("z", t[2], count, Tolerance.absolute(2 * U * most).rounded(t[2]));
      return kernels -> kernels.elementwise().combine(alpha, x, beta, y, z);
    });
  }

  private static KernelCase combineInPlace(boolean first) {
    return of("combine", first ? "into x" : "into y", memory -> {
      Span x = memory.normal(F32, 5003, 1);
      Span y = memory.normal(F32, 5003, 1);
      Span z = memory.inout("z", first ? x : y, Tolerance.absolute(2 * U * 4 * MOST));
      return kernels -> kernels.elementwise().combine(3, x, 1, y, z);
    });
  }

  private static KernelCase multiply(long count, DType... t) {
    return timed("multiply", count + " " + List.of(t), bytes(count, t), memory -> {
      Span x = memory.normal(t[0], count, 1);
      Span y = memory.normal(t[1], count, 1);
      Span z = memory.output("z", t[2], count, Tolerance.relative(U).rounded(t[2]));
      return kernels -> kernels.elementwise().multiply(x, y, z);
    });
  }

  private static KernelCase multiplyInPlace() {
    return of("multiply", "square into x", memory -> {
      Span x = memory.inout("x", memory.normal(F32, 5003, 1), Tolerance.relative(U));
      return kernels -> kernels.elementwise().multiply(x, x, x);
    });
  }

  /** GELU in F32 with the error function, to be timed. */
  public static KernelCase gelu(long count) {
    return activation(Activation.GELU_ERF, count, F32, F32);
  }

  private static KernelCase activation(Activation f, long count, DType from, DType to) {
    return timed("activation", f + " " + count + " " + from + " " + to, bytes(count, from, to), memory -> {
      Span x = memory.normal(from, count, 2);
      Span y = memory.output("y", to, count, value(f).rounded(to));
      return kernels -> kernels.elementwise().activation(f, x, y);
    });
  }

  private static KernelCase activationInPlace() {
    return of("activation", "into x", memory -> {
      Span x = memory.inout("x", memory.normal(F32, 5003, 2), value(Activation.GELU_ERF));
      return kernels -> kernels.elementwise().activation(Activation.GELU_ERF, x, x);
    });
  }

  /** (6 + 2 k) u |f|, where k |f| = |x f'| is below 1/2 left of 0 and below 3/2 |f| right of it. */
  static Tolerance value(Activation f) {
    return f == Activation.NONE ? Tolerance.EXACT : new Tolerance(U, 9 * U);
  }

  private static KernelCase gradient(Activation f, long count, DType... t) {
    return timed("activationGradient", f + " " + count + " " + List.of(t), bytes(count, t), memory -> {
      Span x = memory.normal(t[0], count, 2);
      Span dy = memory.normal(t[1], count, 1);
      Span dx = memory.output("dx", t[2], count, slope(f).rounded(t[2]));
      return kernels -> kernels.elementwise().activationGradient(f, x, dy, dx);
    });
  }

  private static KernelCase gradientInPlace(boolean first) {
    return of("activationGradient", first ? "into x" : "into dy", memory -> {
      Span x = memory.normal(F32, 5003, 2);
      Span dy = memory.normal(F32, 5003, 1);
      Span dx = memory.inout("dx", first ? x : dy, slope(Activation.GELU_TANH));
      return kernels -> kernels.elementwise().activationGradient(Activation.GELU_TANH, x, dy, dx);
    });
  }

  /** f' to 4 u, times dy. */
  private static Tolerance slope(Activation f) {
    return f == Activation.NONE ? Tolerance.EXACT : new Tolerance(4 * U * MOST, 2 * U);
  }

  private static KernelCase fill(long count, DType dtype, double value) {
    return timed("fill", value + " " + count + " " + dtype, bytes(count, dtype), memory -> {
      Span x = memory.output("x", dtype, count, Tolerance.EXACT);
      return kernels -> kernels.elementwise().fill(x, value);
    });
  }

  static double bytes(double count, DType... types) {
    double bytes = 0;
    for (DType type : types) {
      bytes += count * type.bytes();
    }
    return bytes;
  }

  static KernelCase of(String kernel, String shape, KernelCase.Setup setup) {
    return timed(kernel, shape, 0, setup);
  }

  static KernelCase timed(String kernel, String shape, double bytes, KernelCase.Setup setup) {
    return new KernelCase("elementwise." + kernel, shape, 0, bytes, setup);
  }
}
