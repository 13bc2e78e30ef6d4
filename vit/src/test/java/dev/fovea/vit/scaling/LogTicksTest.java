package dev.fovea.vit.scaling;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Labels of an axis do not run into each other, and say what the tick is. */
final class LogTicksTest {
  private static final double ROOM = 30;

  @ParameterizedTest
  @CsvSource({
    "0.02, 0.6, 300, '0.02 0.03 0.05 0.1 0.2 0.3 0.5'",
    "0.42, 0.61, 300, '0.5 0.6'",
    "7, 4e6, 600, '10 20 50 100 200 500 1000 2000 5000 1e4 2e4 5e4 1e5 2e5 5e5 1e6 2e6 4e6'",
    "1e-9, 1e9, 300, '1e-9 1e-7 1e-5 0.001 0.1 10 1000 1e5 1e7 1e9'",
    "3, 3, 300, '3'"
  })
  void labelsHaveRoom(double low, double high, double pixels, String expected) {
    LogTicks ticks = new LogTicks(low, high, pixels, ROOM);
    List<String> labels = new ArrayList<>();
    double last = Double.NEGATIVE_INFINITY;
    for (int power = -10; power < 10; power++) {
      for (int first = 1; first < 10; first++) {
        double tick = first * Math.pow(10, power);
        String label = ticks.apply(tick);
        if (!label.isBlank()) {
          labels.add(label);
          assertEquals(tick, Double.parseDouble(label), 1e-9 * tick);
          double at = pixels / Math.log10(high / low) * Math.log10(tick);
          assertTrue(at - last >= ROOM || labels.size() == 1, "too near: " + labels);
          last = at;
        }
      }
    }
    assertEquals(expected, String.join(" ", labels));
  }
}
