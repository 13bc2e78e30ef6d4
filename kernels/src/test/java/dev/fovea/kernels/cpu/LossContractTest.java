package dev.fovea.kernels.cpu;

import static dev.fovea.kernels.DType.BF16;
import static dev.fovea.kernels.DType.F32;
import static dev.fovea.kernels.DType.I32;
import static dev.fovea.kernels.DType.I64;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.fovea.kernels.LossKernels;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.contract.HostCaseMemory;
import dev.fovea.kernels.contract.LossCases;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class LossContractTest {
  private static final LossKernels LOSS = CpuKernels.create(1).loss();
  private static final double INF = Double.POSITIVE_INFINITY;

  @TestFactory
  Stream<DynamicTest> contract() {
    return Devices.contract(LossCases.all());
  }

  @TestFactory
  Stream<DynamicTest> sameBitsOnAnyNumberOfThreads() {
    return Launches.sameBits(LossCases.all());
  }

  @Test
  void allocatesNothing() {
    Launches.allocatesNothing(LossCases.all());
  }

  @Test
  void softmaxOfSpecials() {
    assertRow(new double[] {0.5, 0, 0.5, 0}, softmax(3, -INF, 3, -INF));
    assertRow(new double[] {1, 0}, softmax(1e4, -1e4));
    assertRow(new double[] {Double.NaN, Double.NaN}, softmax(-INF, -INF));
    assertRow(new double[] {Double.NaN, Double.NaN}, softmax(Double.NaN, 1));
    assertRow(new double[] {1}, softmax(Float.MAX_VALUE));
    assertRow(new double[] {1, 0}, softmax(Float.MAX_VALUE, -Float.MAX_VALUE));
  }

  private static double[] softmax(double... x) {
    try (var memory = new HostCaseMemory(0)) {
      Span y = memory.workspace(F32, x.length);
      LOSS.softmax(1, x.length, memory.values(F32, x), y);
      return values(y);
    }
  }

  @Test
  void lossOfCertainRows() {
    assertRow(new double[] {0, 0, 0}, entropies(false, 0, 0, 1e4, -1e4));
    assertRow(new double[] {2e4, 1, -1}, entropies(false, 0, 1, 1e4, -1e4));
    assertRow(new double[] {INF, 1, -1}, entropies(false, 0, 1, 0, -INF));
    assertRow(new double[] {0, 0, 0}, entropies(false, 0, 0, 5, -INF));
    assertRow(new double[] {0, 0, 0}, entropies(true, 0, 0, 1e4, -1e4));
    assertRow(new double[] {2e4, 1, -1}, entropies(true, 0, 1, 1e4, -1e4));
    assertRow(new double[] {Double.NaN, Double.NaN, Double.NaN}, entropies(false, 0, 0, Double.NaN, 0));
  }

  @Test
  void smallSigmoidLossesKeepTheirRelativeAccuracy() {
    double[] got = entropies(true, 0, 0, 20, -30);
    double expected = Math.log1p(Math.exp(-20)) + Math.log1p(Math.exp(-30));
    assertEquals(expected, got[0], 8 * 0x1p-24 * expected);
  }

  @Test
  void targetsOfZeroIgnoreInfiniteLogits() {
    try (var memory = new HostCaseMemory(0)) {
      Span x = memory.values(F32, 0, -INF, 0);
      Span losses = memory.workspace(F32, 1);
      Span targets = memory.values(F32, 0.5, 0, 0.5);
      LOSS.softmaxCrossEntropy(1, 3, 0, 1, null, x, null, targets, losses, x);
      assertEquals(Math.log(2), HostCaseMemory.get(losses, 0), 0x1p-24);
      assertRow(new double[] {0, 0, 0}, values(x));
    }
  }

  /** The loss of one row and its gradient. */
  private static double[] entropies(boolean sigmoid, float smoothing, int label, double... x) {
    try (var memory = new HostCaseMemory(0)) {
      Span logits = memory.values(F32, x);
      Span out = memory.workspace(F32, x.length + 1);
      Span labels = memory.values(I32, label);
      if (sigmoid) {
        LOSS.sigmoidCrossEntropy(1, x.length, smoothing, 1, null, logits, labels, null, out.slice(0, 1), out.from(1));
      } else {
        LOSS.softmaxCrossEntropy(1, x.length, smoothing, 1, null, logits, labels, null, out.slice(0, 1), out.from(1));
      }
      return values(out);
    }
  }

  private static double[] values(Span span) {
    double[] values = new double[(int) span.count()];
    for (int i = 0; i < values.length; i++) {
      values[i] = HostCaseMemory.get(span, i);
    }
    return values;
  }

  private static void assertRow(double[] expected, double[] got) {
    assertEquals(expected.length, got.length);
    for (int i = 0; i < expected.length; i++) {
      assertEquals(expected[i], got[i], 0.0, "value " + i);
    }
  }

  @Test
  void badLabelsWriteNothing() {
    try (var memory = new HostCaseMemory(0)) {
      Span x = memory.values(F32, 1, 2, 3, 4);
      Span high = memory.values(I64, 1, 2);
      Span losses = memory.values(F32, 8, 9);
      String message = "labels: got 2 in row 1, expected below 2";
      Launches.rejects(message, () -> LOSS.softmaxCrossEntropy(2, 2, 0, 1, null, x, high, null, losses, x));
      Launches.rejects(message, () -> LOSS.sigmoidCrossEntropy(2, 2, 0, 1, null, x, high, null, losses, x));
      assertRow(new double[] {1, 2, 3, 4}, values(x));
      assertRow(new double[] {8, 9}, values(losses));
    }
  }

  @Test
  void saysWhatIsWrong() {
    try (var memory = new HostCaseMemory(0)) {
      Span x = memory.normal(F32, 6, 1);
      Span y = memory.workspace(F32, 6);
      Span labels = memory.integers(I32, 2, 0, 3);
      Span two = memory.workspace(F32, 2);
      Span halves = memory.workspace(BF16, 6);
      Launches.rejects("rows: got 0, expected at least 1", () -> LOSS.softmax(0, 3, x, y));
      Launches.rejects("classes: got 0, expected at least 1", () -> LOSS.softmax(2, 0, x, y));
      Launches.rejects("x: got 6 elements, expected at least 8", () -> LOSS.softmax(2, 4, x, y));
      Launches.rejects("y: got I32, expected F32 or BF16", () -> LOSS.softmax(2, 3, x, labels));
      Launches.rejects("y: overlaps x, expected its own memory", () -> LOSS.softmax(1, 3, x, x.from(2)));
      rejects("smoothing: got 1.5, expected 0.0 to 1.0", 1.5f, x, labels, null, two, y);
      rejects("logits: got I32, expected F32 or BF16", 0, labels, labels, null, two, y);
      rejects("labels, targets: got neither, expected one of them", 0, x, null, null, two, y);
      rejects("labels, targets: got both, expected one of them", 0, x, labels, y, two, null);
      rejects("labels: got F32, expected I32 or I64", 0, x, two, null, two, y);
      rejects("labels: got 1 elements, expected at least 2", 0, x, labels.slice(0, 1), null, two, y);
      rejects("targets: got BF16, expected F32", 0, x, null, halves, two, y);
      rejects("losses: got 1 elements, expected at least 2", 0, x, labels, null, two.slice(0, 1), y);
      rejects("losses: got BF16, expected F32", 0, x, labels, null, halves, y);
      rejects("dLogits: got 2 elements, expected at least 6", 0, x, labels, null, y.slice(0, 2), two);
      rejects("dLogits: overlaps targets, expected its own memory", 0, x, null, y, two, y);
    }
  }

  private static void rejects(
      String message, float smoothing, Span logits, Span labels, Span targets, Span losses, Span dLogits) {
    Launches.rejects(
        message, () -> LOSS.softmaxCrossEntropy(2, 3, smoothing, 1, null, logits, labels, targets, losses, dLogits));
    Launches.rejects(
        message, () -> LOSS.sigmoidCrossEntropy(2, 3, smoothing, 1, null, logits, labels, targets, losses, dLogits));
  }
}
