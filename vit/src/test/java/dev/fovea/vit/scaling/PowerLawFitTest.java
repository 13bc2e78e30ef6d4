package dev.fovea.vit.scaling;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Laws of known constants are found again. */
final class PowerLawFitTest {
  private static final double[] COMPUTE =
      IntStream.range(0, 24).mapToDouble(i -> Math.pow(10, -2 + 6 * i / 23.0)).toArray();

  private static double[] errors(PowerLaw law, double noise, long seed) {
    Random random = new Random(seed);
    return Arrays.stream(COMPUTE)
        .map(c -> law.at(c) * (1 + noise * random.nextGaussian()))
        .toArray();
  }

  @Test
  void thePapersLaws() {
    assertEquals(0.100, PowerLaw.FINE_TUNED.at(1e4), 5e-4);
    assertEquals(0.153, PowerLaw.TEN_SHOT.at(1e4), 5e-4);
    assertEquals(1e4, PowerLaw.TEN_SHOT.computeFor(PowerLaw.TEN_SHOT.at(1e4)), 1e-5);
    assertEquals(Double.POSITIVE_INFINITY, PowerLaw.TEN_SHOT.computeFor(0.12));
  }

  @ParameterizedTest
  @CsvSource({"0.26, 0.35, 0.09, 0.01", "0.63, 0.32, 0.12, 0.52", "2, 0.9, 0.01, 3", "0.5, 0.1, 0.02, 0.2"})
  void exactRunsGiveTheirConstants(double a, double b, double c, double d) {
    PowerLaw law = new PowerLaw(a, b, c, d);
    PowerLawFit fit = PowerLawFit.of(COMPUTE, errors(law, 0, 0), new Bootstrap(1, 0.95, 0));
    assertEquals(a, fit.law().a(), 1e-5 * a);
    assertEquals(b, fit.law().b(), 1e-5 * b);
    assertEquals(c, fit.law().c(), 1e-5);
    assertEquals(d, fit.law().d(), 1e-4 * d);
    assertEquals(0, fit.relativeError(), 1e-8);
  }

  @Test
  void scalesOfComputeDoNotMatter() {
    double[] large = Arrays.stream(COMPUTE).map(c -> c * 1e18).toArray();
    PowerLawFit fit = PowerLawFit.of(large, errors(PowerLaw.TEN_SHOT, 0, 0), new Bootstrap(1, 0.95, 0));
    assertEquals(0.32, fit.law().b(), 1e-5);
    assertEquals(0.52e18, fit.law().d(), 1e14);
  }

  /** Intervals of 95 % hold the constants about 19 times of 20; 40 draws may miss a few more than two each. */
  @Test
  void noisyRunsHaveTheirConstantsInTheIntervals() {
    PowerLaw law = PowerLaw.TEN_SHOT;
    int[] hits = new int[5];
    for (int seed = 0; seed < 40; seed++) {
      PowerLawFit fit = PowerLawFit.of(COMPUTE, errors(law, 0.02, seed), new Bootstrap(100, 0.95, seed));
      assertEquals(0.02, fit.relativeError(), 0.012);
      hits[0] += fit.interval(PowerLaw::a).contains(law.a()) ? 1 : 0;
      hits[1] += fit.interval(PowerLaw::b).contains(law.b()) ? 1 : 0;
      hits[2] += fit.interval(PowerLaw::c).contains(law.c()) ? 1 : 0;
      hits[3] += fit.interval(PowerLaw::d).contains(law.d()) ? 1 : 0;
      hits[4] += fit.interval(l -> l.at(1e6)).contains(law.at(1e6)) ? 1 : 0;
    }
    for (int hit : hits) {
      assertTrue(hit >= 34, Arrays.toString(hits));
    }
  }

  @Test
  void theSameSeedGivesTheSameIntervals() {
    double[] errors = errors(PowerLaw.FINE_TUNED, 0.02, 1);
    Bootstrap bootstrap = new Bootstrap(50, 0.9, 7);
    assertEquals(
        PowerLawFit.of(COMPUTE, errors, bootstrap).interval(PowerLaw::b),
        PowerLawFit.of(COMPUTE, errors, bootstrap).interval(PowerLaw::b));
  }

  @Test
  void runsThatDoNotSaturateHaveNoFloor() {
    PowerLaw law = new PowerLaw(0.7, 0.2, 0, 0);
    PowerLawFit fit = PowerLawFit.of(COMPUTE, errors(law, 0, 0), new Bootstrap(1, 0.95, 0));
    assertEquals(0.2, fit.law().b(), 1e-4);
    assertEquals(0, fit.law().c(), 1e-4);
    assertEquals(law.at(3), fit.law().at(3), 1e-5);
  }

  @Test
  void theFrontierIsWhatNoCheaperRunBeats() {
    assertArrayEquals(
        new int[] {1, 0, 4},
        PowerLawFit.frontier(new double[] {2, 1, 3, 2, 5, 6}, new double[] {0.4, 0.5, 0.45, 0.41, 0.3, 0.3}));
  }

  @Test
  void tooFewRunsAreRefused() {
    double[] four = {1, 2, 3, 4, 4};
    var e = assertThrows(
        IllegalArgumentException.class, () -> PowerLawFit.of(four, new double[] {5, 4, 3, 2, 2}, Bootstrap.DEFAULT));
    assertEquals("runs: got 4 of different compute, expected at least 5 for four constants", e.getMessage());
    assertThrows(IllegalArgumentException.class, () -> PowerLawFit.of(four, new double[4], Bootstrap.DEFAULT));
    assertThrows(IllegalArgumentException.class, () -> PowerLawFit.of(four, new double[5], Bootstrap.DEFAULT));
    assertThrows(IllegalArgumentException.class, () -> new Bootstrap(0, 0.9, 0));
    assertThrows(IllegalArgumentException.class, () -> new Bootstrap(10, 1, 0));
  }
}
