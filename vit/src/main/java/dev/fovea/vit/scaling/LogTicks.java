package dev.fovea.vit.scaling;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * Labels of a logarithmic axis: the ticks are at 1 to 9 times the powers of ten, and as many of them are labelled as
 * there is room for, the roundest first.
 */
final class LogTicks implements Function<Double, String> {
  private static final int[] ROUNDEST_FIRST = {1, 5, 2, 3, 7, 4, 6, 8, 9};
  private static final String NONE = " ";
  private static final double PLAIN_FROM = 1e-3;
  private static final double PLAIN_BELOW = 1e4;

  /** Labels by where on the axis their ticks are, in pixels. */
  private final Map<Double, String> labels = new TreeMap<>();

  private final double perDecade;

  /**
   * An axis.
   *
   * @param pixels length of the axis
   * @param room pixels that a label needs
   */
  LogTicks(double low, double high, double pixels, double room) {
    perDecade = pixels / Math.max(1e-9, Math.log10(high / low));
    for (int first : ROUNDEST_FIRST) {
      for (int power = (int) Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
        double tick = new BigDecimal(first).scaleByPowerOfTen(power).doubleValue();
        if (tick >= low && tick <= high && labels.keySet().stream().allMatch(at -> Math.abs(at - at(tick)) >= room)) {
          labels.put(at(tick), text(tick));
        }
      }
    }
  }

  private double at(double tick) {
    return perDecade * Math.log10(tick);
  }

  private static String text(double tick) {
    return tick >= PLAIN_FROM && tick < PLAIN_BELOW
        ? new BigDecimal(tick, new MathContext(1)).stripTrailingZeros().toPlainString()
        : String.format(Locale.ROOT, "%.0e", tick)
            .replaceFirst("e([+-])0?", "e$1")
            .replace("e+", "e");
  }

  /** The label of a tick, or a blank. */
  @Override
  public String apply(Double tick) {
    double at = at(tick);
    return labels.entrySet().stream()
        .filter(label -> Math.abs(label.getKey() - at) < 0.5)
        .map(Map.Entry::getValue)
        .findFirst()
        .orElse(NONE);
  }
}
