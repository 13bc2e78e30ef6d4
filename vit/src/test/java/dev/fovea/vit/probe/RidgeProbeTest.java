package dev.fovea.vit.probe;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.io.TensorFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The closed-form probe, against big_vision's formula in numpy. */
final class RidgeProbeTest {
  private static final int CLASSES = 5;

  @TempDir
  private Path folder;

  private Path file;

  @BeforeEach
  void copy() throws IOException {
    file = folder.resolve("fewshot.safetensors");
    try (var in = RidgeProbeTest.class.getResourceAsStream("fewshot.safetensors")) {
      Files.copy(in, file);
    }
  }

  private static float[][] rows(Tensor tensor) {
    float[] all = tensor.toFloats();
    int width = (int) tensor.shape().dim(1);
    return IntStream.range(0, all.length / width)
        .mapToObj(i -> Arrays.copyOfRange(all, i * width, (i + 1) * width))
        .toArray(float[][]::new);
  }

  private static int[] labels(Tensor tensor) {
    return LongStream.of(tensor.toLongs()).mapToInt(Math::toIntExact).toArray();
  }

  @Test
  void weightsAndAccuracyAreThoseOfTheReference() throws IOException {
    JsonNode accuracy;
    try (var in = RidgeProbeTest.class.getResourceAsStream("fewshot.json")) {
      accuracy = new ObjectMapper().readTree(in).get("accuracy");
    }
    assertEquals(3, accuracy.size());
    try (TensorFile given = TensorFile.open(file);
        Scope scope = Scope.open()) {
      float[][] train = rows(given.load("train.x"));
      int[] y = labels(given.load("train.y"));
      for (var entry : accuracy.properties()) {
        RidgeProbe probe = RidgeProbe.fit(train, y, CLASSES, Double.parseDouble(entry.getKey()));
        float[][] expected = rows(given.load("w." + entry.getKey()));
        for (int i = 0; i < expected.length; i++) {
          for (int k = 0; k < CLASSES; k++) {
            assertEquals(expected[i][k], probe.weight(i, k), 2e-7, entry.getKey() + " at " + i + ", " + k);
          }
        }
        assertEquals(
            entry.getValue().asDouble(),
            probe.accuracy(rows(given.load("test.x")), labels(given.load("test.y"))),
            1e-12);
      }
    }
  }

  /** As many examples as features and one fewer: primal and dual of nearly the same problem. */
  @Test
  void bothSidesSolveTheSameEquations() {
    Random random = new Random(1);
    for (int n : new int[] {1, 2, 7, 8, 9, 30}) {
      int width = 8;
      float[][] x = new float[n][width];
      int[] y = new int[n];
      for (int i = 0; i < n; i++) {
        y[i] = random.nextInt(3);
        for (int j = 0; j < width; j++) {
          x[i][j] = (float) random.nextGaussian();
        }
      }
      RidgeProbe probe = RidgeProbe.fit(x, y, 3, 2);
      for (int k = 0; k < 3; k++) {
        assertStationary(x, y, probe, k, 2);
      }
    }
  }

  /** The gradient {@code X^T (X w - y) + l2 w} is 0. */
  private static void assertStationary(float[][] x, int[] y, RidgeProbe probe, int k, double l2) {
    int width = x[0].length;
    double[][] z = new double[x.length][width + 1];
    for (int j = 0; j < width; j++) {
      int column = j;
      double mean = Arrays.stream(x).mapToDouble(row -> row[column]).average().orElseThrow();
      double variance = Arrays.stream(x)
          .mapToDouble(row -> (row[column] - mean) * (row[column] - mean))
          .average()
          .orElseThrow();
      for (int i = 0; i < x.length; i++) {
        z[i][j] = (x[i][j] - mean) / (Math.sqrt(variance) + 1e-5);
        z[i][width] = 100;
      }
    }
    for (int j = 0; j <= width; j++) {
      double gradient = l2 * probe.weight(j, k);
      for (int i = 0; i < x.length; i++) {
        double error = y[i] == k ? -1 : 1;
        for (int m = 0; m <= width; m++) {
          error += z[i][m] * probe.weight(m, k);
        }
        gradient += z[i][j] * error;
      }
      assertEquals(0, gradient, 1e-8);
    }
  }

  @Test
  void shotsAreNestedAndBySeed() {
    int[] labels = IntStream.range(0, 90).map(i -> i % 3).toArray();
    Shots shots = new Shots(labels, 3, 4);
    int[] five = shots.first(5);
    assertEquals(15, Arrays.stream(five).distinct().count());
    for (int k = 0; k < 3; k++) {
      int label = k;
      assertEquals(5, Arrays.stream(five).filter(i -> labels[i] == label).count());
    }
    int[] ten = shots.first(10);
    assertTrue(Arrays.stream(five).allMatch(i -> Arrays.stream(ten).anyMatch(j -> j == i)));
    assertArrayEquals(ten, new Shots(labels, 3, 4).first(10));
    assertNotEquals(Arrays.toString(ten), Arrays.toString(new Shots(labels, 3, 5).first(10)));
    assertEquals(90, shots.first(1000).length);
  }

  @Test
  void badNumbersAreRefused() {
    float[][] x = {{1, 2}, {3, 4}};
    assertThrows(IllegalArgumentException.class, () -> RidgeProbe.fit(x, new int[] {0, 2}, 2, 1));
    assertThrows(IllegalArgumentException.class, () -> RidgeProbe.fit(x, new int[] {0}, 2, 1));
    assertThrows(IllegalArgumentException.class, () -> RidgeProbe.fit(x, new int[] {0, 1}, 2, 0));
    assertThrows(IllegalArgumentException.class, () -> RidgeProbe.fit(new float[][] {{1}, {2, 3}}, new int[2], 1, 1));
    RidgeProbe probe = RidgeProbe.fit(x, new int[] {0, 1}, 2, 1);
    assertThrows(IllegalArgumentException.class, () -> probe.predict(new float[3]));
    float[][] infinite = {{1, Float.NaN}, {3, 4}};
    assertThrows(ArithmeticException.class, () -> RidgeProbe.fit(infinite, new int[] {0, 1}, 2, 1));
  }
}
