package dev.fovea.kernels.cpu.simd;

import dev.fovea.kernels.Activation;

/** The functions of {@link Maths} in double precision. */
public final class Exact {
  private Exact() {}

  /** 1 - erf(x), relative to 1e-15 in the right tail as well. */
  public static double erfc(double x) {
    if (Double.isNaN(x)) {
      return x;
    }
    if (x < 0) {
      return 2 - erfc(-x);
    }
    return x < 2 ? 1 - erfSeries(x) : x > 27 ? 0 : erfcFraction(x);
  }

  /** The error function. */
  public static double erf(double x) {
    return Math.abs(x) < 2 ? erfSeries(x) : Math.copySign(1 - erfc(Math.abs(x)), x);
  }

  /** 2 / sqrt(pi) e^(-x^2) times the sum of 2^n x^(2n+1) / (2n+1)!!, all of one sign. */
  private static double erfSeries(double x) {
    double term = x;
    double sum = x;
    for (int n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
      term *= 2 * x * x / (2 * n + 1);
      sum += term;
    }
    return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
  }

  /** e^(-x^2) / sqrt(pi) times the continued fraction 1 / (x + (1/2) / (x + (2/2) / (x + ...))). */
  private static double erfcFraction(double x) {
    double f = x;
    for (int n = 150; n > 0; n--) {
      f = x + 0.5 * n / f;
    }
    return Math.exp(-x * x) / (Math.sqrt(Math.PI) * f);
  }

  public static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  public static double activation(Activation f, double x) {
    return switch (f) {
      case NONE -> x;
      case GELU_ERF -> x * tail(-x);
      case GELU_TANH -> x * sigmoid(tanhArgument(x));
      case GELU_QUICK -> x * sigmoid(1.702 * x);
      case SILU -> x * sigmoid(x);
      case TANH -> Math.tanh(x);
    };
  }

  public static double gradient(Activation f, double x) {
    return switch (f) {
      case NONE -> 1;
      case GELU_ERF -> tail(-x) + x * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
      case GELU_TANH -> {
        double s = sigmoid(tanhArgument(x));
        double slope = 2 * Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x * x);
        yield s + x * slope * s * sigmoid(-tanhArgument(x));
      }
      case GELU_QUICK -> sigmoid(1.702 * x) * (1 + 1.702 * x * sigmoid(-1.702 * x));
      case SILU -> sigmoid(x) * (1 + x * sigmoid(-x));
      case TANH -> 1 / (Math.cosh(x) * Math.cosh(x));
    };
  }

  /** P(X > a) of the standard normal distribution. */
  private static double tail(double a) {
    return 0.5 * erfc(a / Math.sqrt(2));
  }

  private static double tanhArgument(double x) {
    return 2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x);
  }
}
