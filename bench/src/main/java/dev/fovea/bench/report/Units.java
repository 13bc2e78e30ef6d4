package dev.fovea.bench.report;

import java.util.Locale;

/** Numbers as people read them. */
final class Units {
  private Units() {}

  /** Three digits, or a dash for what is not known. */
  static String digits(double value) {
    if (Double.isNaN(value)) {
      return "–";
    }
    double magnitude = Math.abs(value);
    String format = magnitude >= 99.95 ? "%.0f" : magnitude >= 9.995 ? "%.1f" : magnitude >= 0.01 ? "%.2f" : "%.2g";
    return String.format(Locale.ROOT, value == 0 ? "%.0f" : format, value);
  }

  static String time(double seconds) {
    if (Double.isNaN(seconds)) {
      return "";
    }
    double nanos = seconds * 1e9;
    return nanos < 1e3
        ? digits(nanos) + " ns"
        : nanos < 1e6
            ? digits(nanos / 1e3) + " µs"
            : nanos < 1e9 ? digits(nanos / 1e6) + " ms" : digits(seconds) + " s";
  }

  static String bytes(double bytes) {
    if (Double.isNaN(bytes)) {
      return "";
    }
    return bytes < 1e3
        ? String.format(Locale.ROOT, "%.0f B", bytes)
        : bytes < 1e6
            ? digits(bytes / 1e3) + " kB"
            : bytes < 1e9 ? digits(bytes / 1e6) + " MB" : digits(bytes / 1e9) + " GB";
  }

  static String percent(double part) {
    return Double.isFinite(part) ? String.format(Locale.ROOT, "%.0f %%", 100 * part) : "";
  }

  static String ratio(double ratio) {
    return Double.isFinite(ratio) ? digits(ratio) : "–";
  }

  /** What is done in a second: operations, else images, else bytes. */
  static String rate(Result result) {
    double seconds = result.seconds();
    if (Double.isNaN(seconds)) {
      return "";
    }
    double flops = result.extra(Extra.FLOPS);
    double bytes = result.extra(Extra.BYTES);
    double images = result.extra(Extra.IMAGES);
    if (images > 0) {
      return digits(images / seconds) + " images/s";
    }
    if (flops > 0) {
      double rate = flops / seconds;
      return rate >= 1e13 ? digits(rate / 1e12) + " TFLOP/s" : digits(rate / 1e9) + " GFLOP/s";
    }
    if (bytes > 0) {
      double rate = bytes / seconds;
      return rate >= 1e12 ? digits(rate / 1e12) + " TB/s" : digits(rate / 1e9) + " GB/s";
    }
    return "";
  }
}
