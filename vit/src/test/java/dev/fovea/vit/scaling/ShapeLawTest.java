package dev.fovea.vit.scaling;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** SoViT's law: exponents of a sweep are found again, and the paper's shapes follow from its constants. */
final class ShapeLawTest {
  private static final Shape CENTER = new Shape(1968, 40, 6144);
  private static final double C = 0.35;
  private static final Shape.Dimension[] DIMENSIONS = Shape.Dimension.values();

  @TempDir
  private Path folder;

  /** The paper's sweep, of laws that have its exponents and an optimum in the middle of the values swept. */
  static String sweep(double noise, long seed) {
    double[][] sizes = {
      {608, 768, 928, 1088, 1328, 1648, 1968}, {8, 10, 12, 16, 20, 24, 40}, {1088, 1360, 1728, 2160, 2592, 3072, 6144}
    };
    Random random = new Random(seed);
    StringBuilder text = new StringBuilder("# a sweep\nwidth, depth, mlp, compute, error, note\n");
    for (int k = 0; k < DIMENSIONS.length; k++) {
      Shape.Dimension dimension = DIMENSIONS[k];
      ShapeLaw law = laws().get(dimension);
      for (double size : sizes[k]) {
        for (double compute = 3e9; compute < 1e11; compute *= 4) {
          double[] shape = {CENTER.width(), CENTER.depth(), CENTER.mlp()};
          shape[k] = size;
          text.append("%s, %s, %s, %s, %s, \"a, b\"\n"
              .formatted(
                  shape[0], shape[1], shape[2], compute, law.at(size, compute) * (1 + noise * random.nextGaussian())));
        }
      }
    }
    return text.toString();
  }

  /** In all laws the centre has the same error, as it is the same model. */
  private static Map<Shape.Dimension, ShapeLaw> laws() {
    double[] a = {0.9, 0.45, 0.33};
    double[] s = {0.22, 0.45, 0.6};
    double[] middle = {1000, 15, 2000};
    Map<Shape.Dimension, ShapeLaw> laws = new EnumMap<>(Shape.Dimension.class);
    double t = Math.pow(1e10, C);
    for (int k = 0; k < DIMENSIONS.length; k++) {
      Shape.Dimension dimension = DIMENSIONS[k];
      double b = C / s[k] - a[k];
      double alpha = 0.05 * Math.pow(middle[k], a[k]);
      double beta = alpha * a[k] / b * Math.pow(middle[k], -a[k] - b) * t;
      double size = CENTER.get(dimension);
      double xi = 0.2 * t - beta * Math.pow(size, b);
      laws.put(dimension, new ShapeLaw(alpha, a[k], beta, b, xi, C, 0.12 - alpha * Math.pow(size, -a[k])));
    }
    return laws;
  }

  private ShapeLawFit fit(double noise, long seed, int samples) throws IOException {
    Path file = Files.writeString(folder.resolve("sweep.csv"), sweep(noise, seed));
    return ShapeLawFit.of(StarSweep.of(RunTable.read(file)), new Bootstrap(samples, 0.95, 0));
  }

  @Test
  void theOptimumIsWhereTheLawIsLeast() {
    laws().forEach((dimension, law) -> {
      double best = law.optimum(2e10);
      assertTrue(law.at(best, 2e10) < law.at(best * 1.01, 2e10), dimension::toString);
      assertTrue(law.at(best, 2e10) < law.at(best * 0.99, 2e10), dimension::toString);
      assertEquals(Math.pow(10, law.exponent()), law.optimum(2e11) / best, 1e-9);
    });
  }

  @Test
  void anExactSweepGivesItsLaws() throws IOException {
    ShapeLawFit fit = fit(0, 0, 1);
    assertEquals(CENTER, fit.sweep().center());
    laws().forEach((dimension, law) -> {
      assertEquals(law.exponent(), fit.law(dimension).exponent(), 1e-4, dimension::toString);
      assertEquals(law.optimum(1e10), fit.law(dimension).optimum(1e10), 1e-3 * law.optimum(1e10));
      assertEquals(law.eps(), fit.law(dimension).eps(), 1e-4);
    });
  }

  /** Of 12 intervals of 95 %, chance leaves out one or two. */
  @Test
  void noisySweepsHaveTheirExponentsInTheIntervals() throws IOException {
    int hits = 0;
    for (int seed = 0; seed < 4; seed++) {
      ShapeLawFit fit = fit(0.002, seed, 40);
      assertEquals(0.002, fit.relativeError(), 0.001);
      for (Shape.Dimension dimension : DIMENSIONS) {
        double s = laws().get(dimension).exponent();
        Interval interval = fit.exponentInterval(dimension);
        hits += interval.contains(s) ? 1 : 0;
        assertTrue(interval.high() - interval.low() < s, dimension + ": " + interval);
        assertEquals(s, fit.law(dimension).exponent(), 0.2 * s, dimension::toString);
      }
    }
    assertTrue(hits >= 9, hits + " of 12");
  }

  @Test
  void aRunThatDiffersInTwoDimensionsIsNamed() throws IOException {
    Path file = Files.writeString(folder.resolve("bad.csv"), sweep(0, 0) + "700, 10, 6144, 1e10, 0.3, x\n");
    RunTable table = RunTable.read(file);
    String message = assertThrows(IOException.class, () -> StarSweep.of(table)).getMessage();
    assertTrue(message.startsWith("run 64 differs from the centre, width 1968, depth 40, MLP 6144, in 2"), message);
  }

  /** Published shapes, from a starting point whose compute the paper does not print: close, not equal. */
  @Test
  void thePapersShapesFollowApproximately() {
    ShapeScaling paper = ShapeScaling.paper();
    double so400m = 40e9 * new Shape(1152, 27, 4304).costs(224, 14, 16).flops() * 1e-9;
    assertEquals(8.8e12, so400m, 0.05e12);
    Shape found = paper.at(so400m, 16);
    assertEquals(1152, found.width(), 0.1 * 1152);
    assertEquals(27, found.depth(), 0.2 * 27);
    assertEquals(4304, found.mlp(), 0.1 * 4304);
    Shape smaller = paper.at(4e9 * 46.1, 16);
    assertEquals(880, smaller.width(), 0.1 * 880);
    assertEquals(18, smaller.depth(), 1);
    assertEquals(2320, smaller.mlp(), 0.15 * 2320);
  }

  /** The compute that is ours: the least squares of both published shapes, in logarithms. */
  @Test
  void theAnchorsComputeIsThatOfThePublishedShapes() {
    ShapeScaling paper = ShapeScaling.paper();
    Shape[] published = {new Shape(1152, 27, 4304), new Shape(880, 18, 2320)};
    double[] computes = {8.8e12, 4e9 * 46.1};
    double numerator = 0;
    double denominator = 0;
    for (int i = 0; i < 2; i++) {
      for (Shape.Dimension k : Shape.Dimension.values()) {
        double s = paper.exponents().get(k) / 3;
        double grown = Math.log(published[i].get(k) / (double) paper.anchor().get(k));
        numerator += s * (s * Math.log(computes[i]) - grown);
        denominator += s * s;
      }
    }
    assertEquals(ShapeScaling.PAPER_ANCHOR_COMPUTE, Math.exp(numerator / denominator), 0.05e9);
    double most = 600e6 * paper.anchor().costs(224, 14, 16).flops() * 1e-9;
    assertEquals(15.1e9 * 0.6, most, 0.03 * most);
    assertTrue(paper.anchorCompute() < most);
  }

  @Test
  void parametersGrowTwoAndAHalfTimesWithTenTimesTheCompute() {
    ShapeScaling paper = ShapeScaling.paper();
    double small = parameters(paper.at(1e12, 16));
    assertEquals(2.5, parameters(paper.at(1e13, 16)) / small, 0.15);
  }

  private static double parameters(Shape shape) {
    return shape.costs(224, 14, 16).parameters().values().stream()
        .mapToLong(x -> x)
        .sum();
  }

  @Test
  void badNumbersAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> new Shape(0, 1, 1));
    assertThrows(IllegalArgumentException.class, () -> ShapeScaling.paper().at(0, 16));
    assertThrows(IllegalArgumentException.class, () -> new ShapeScaling(CENTER, 1, Map.of()));
    assertThrows(
        IllegalArgumentException.class, () -> new ShapeScaling(CENTER, 0, ShapeScaling.exponents(0.2, 0.4, 0.6)));
  }
}
