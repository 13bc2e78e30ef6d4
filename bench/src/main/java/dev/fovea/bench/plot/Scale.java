package dev.fovea.bench.plot;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Values to pixels, and where the ticks are. */
final class Scale {
  private final double low;
  private final double high;
  private final boolean log;
  private final double from;
  private final double to;

  private Scale(double low, double high, boolean log, double from, double to) {
    this.low = low;
    this.high = high;
    this.log = log;
    this.from = from;
    this.to = to;
  }

  /** From zero, or with logarithms, around these values. */
  static Scale of(double least, double most, boolean log, double from, double to) {
    if (log) {
      return new Scale(least / 1.15, most * 1.15, true, from, to);
    }
    return new Scale(0, most * 1.05, false, from, to);
  }

  double at(double value) {
    double part = log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
    return from + part * (to - from);
  }

  /** Round values between the ends. */
  List<Double> ticks() {
    List<Double> ticks = new ArrayList<>();
    if (!log) {
      double step = step((high - low) / 5);
      for (int i = 0; i * step <= high; i++) {
        ticks.add(i * step);
      }
      return ticks;
    }
    double[] parts =
        high / low > 1000 ? new double[] {1} : high / low > 30 ? new double[] {1, 3} : new double[] {1, 2, 5};
    for (int power = (int) Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
      for (double part : parts) {
        double value = part * Math.pow(10, power);
        if (value >= low && value <= high) {
          ticks.add(value);
        }
      }
    }
    return ticks;
  }

  private static double step(double atLeast) {
    double power = Math.pow(10, Math.floor(Math.log10(atLeast)));
    for (double part : new double[] {1, 2, 2.5, 5}) {
      if (part * power >= atLeast * 0.999) {
        return part * power;
      }
    }
    return 10 * power;
  }

  static String label(double value) {
    if (value == 0) {
      return "0";
    }
    double magnitude = Math.abs(value);
    if (magnitude >= 1e4) {
      return String.format(Locale.ROOT, "%,.0f", value);
    }
    String text = String.format(Locale.ROOT, magnitude >= 100 ? "%.0f" : magnitude >= 1 ? "%.1f" : "%.3g", value);
    return text.contains(".") && !text.contains("e")
        ? text.replaceFirst("0+$", "").replaceFirst("\\.$", "")
        : text;
  }
}
