package dev.fovea.kernels.cpu;

import static dev.fovea.kernels.DType.BF16;
import static dev.fovea.kernels.DType.F32;
import static dev.fovea.kernels.DType.I32;
import static dev.fovea.kernels.contract.HostCaseMemory.get;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.fovea.kernels.OptimizerKernels;
import dev.fovea.kernels.OptimizerKernels.Adafactor;
import dev.fovea.kernels.OptimizerKernels.AdamW;
import dev.fovea.kernels.OptimizerKernels.FactoredPiece;
import dev.fovea.kernels.OptimizerKernels.Factors;
import dev.fovea.kernels.OptimizerKernels.Piece;
import dev.fovea.kernels.OptimizerKernels.Rounding;
import dev.fovea.kernels.OptimizerKernels.Sgd;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.contract.HostCaseMemory;
import dev.fovea.kernels.contract.OptimizerCases;
import dev.fovea.kernels.cpu.simd.Simd;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class OptimizerContractTest {
  private static final OptimizerKernels CPU = CpuKernels.create(2).optimizer();
  private static final Adafactor ADAFACTOR = new Adafactor(0.01f, 0, 0.9f, 0.8f, 0.999f, 1e-30f, 1);
  private static final AdamW ADAMW = new AdamW(0.01f, 0.9f, 0.999f, 1e-8f, 0, 1);

  @AutoClose
  private final HostCaseMemory memory = new HostCaseMemory(0);

  @TestFactory
  Stream<DynamicTest> contract() {
    return Devices.contract(Stream.concat(OptimizerCases.all(), OptimizerCases.many()));
  }

  @TestFactory
  Stream<DynamicTest> sameBitsOnAnyNumberOfThreads() {
    return Launches.sameBits(OptimizerCases.all());
  }

  @Test
  void allocatesNothing() {
    Launches.allocatesNothing(OptimizerCases.all());
  }

  private Span zeros(int count) {
    return memory.values(F32, new double[count]);
  }

  private static void assertValues(Span got, double relative, double... expected) {
    for (int i = 0; i < expected.length; i++) {
      assertEquals(expected[i], get(got, i), relative * Math.abs(expected[i]), "at " + i);
    }
  }

  /** The parameter begins at zero and the learning rate is 1, so that it becomes minus the sum of updates. */
  private static Adafactor unit(long step) {
    return new Adafactor(1, 0, 0.9f, 0.8f, 0.999f, 1e-30f, step);
  }

  @Test
  void adafactorDecays() {
    int[] steps = {1, 2, 3, 10, 100, 1000, 5000, 5623, 5624};
    double[] decays = {0, .4256508, .5847564, .8415107, .9748812, .9960189, .9989014, .99899994, .999};
    for (int i = 0; i < steps.length; i++) {
      assertEquals(decays[i], unit(steps[i]).beta2(), 1e-7);
    }
  }

  /** Values of optax, which big_vision's optimizer is made of. */
  @Test
  void adafactorUnfactoredAsOptaxHasIt() {
    double[][] gradients = {{1, -2, .5}, {.3, .1, -.7}, {-1, 4, .25}};
    double[][] updates = {{.1, -.1, .1}, {.13326541, -.08219286, -.02255710}, {-.00086559, .07095733, .02946389}};
    double[][] moments = {{1, 4, .25}, {.47734225, 1.70834684, .38784379}, {.69437253, 7.64286470, .25274685}};
    Span v = zeros(3);
    Span m = memory.values(BF16, 0, 0, 0);
    for (int step = 0; step < 3; step++) {
      Span param = zeros(3);
      CPU.adafactorUnfactored(unit(step + 1), param, memory.values(F32, gradients[step]), null, v, m, Rounding.NEAREST);
      for (int i = 0; i < 3; i++) {
        assertEquals(-updates[step][i], get(param, i), 1e-7);
      }
      assertValues(v, 3e-7, moments[step]);
    }
  }

  @Test
  void adafactorFactoredAsOptaxHasIt() {
    double[][] gradients = {{1, -2, .5, .25, 3, -1}, {.3, .1, -.7, 2, -.5, .125}};
    double[][] updates = {
      {.16568337, -.09473310, .07637627, .02991890, .10264071, -.11033546},
      {.18349950, -.07698375, -.07842135, .16734241, .06762600, -.08291645}
    };
    double[][] rows = {{1.75, 3.35416675}, {.85784429, 2.24435663}};
    double[][] columns = {{.53125, 6.5, .625}, {1.40067112, 2.84139562, .41123444}};
    Span vRow = zeros(2);
    Span vColumn = zeros(3);
    Span m = memory.values(BF16, new double[6]);
    for (int step = 0; step < 2; step++) {
      Span param = zeros(6);
      Span gradient = memory.values(F32, gradients[step]);
      CPU.adafactor(unit(step + 1), Factors.matrix(2, 3), param, gradient, null, vRow, vColumn, m, Rounding.NEAREST);
      for (int i = 0; i < 6; i++) {
        assertEquals(-updates[step][i], get(param, i), 1e-7);
      }
      assertValues(vRow, 3e-7, rows[step]);
      assertValues(vColumn, 3e-7, columns[step]);
    }
  }

  /** A BF16 parameter holds what the F32 parameter of the same step becomes by a stochastic cast with the same key. */
  @Test
  void stochasticRoundingIsThatOfTheCast() {
    int count = 5000;
    try (WorkerPool pool = new WorkerPool(1)) {
      for (Simd simd : new Simd[] {Simd.best(), Simd.scalar()}) {
        CpuCasts casts = new CpuCasts(pool, simd);
        Span bf16 = memory.normal(BF16, count, 1);
        Span f32 = memory.workspace(F32, count);
        casts.cast(bf16, f32);
        Span gradient = memory.normal(F32, count, 1);
        Rounding rounding = new Rounding(true, 5, 9);
        OptimizerKernels optimizer = new CpuOptimizer(pool, simd);
        Factors factors = new Factors(4, 50, 25, 25, 100);
        for (Span param : new Span[] {bf16, f32}) {
          optimizer.adamW(ADAMW, param, gradient, null, zeros(count), zeros(count), rounding);
        }
        Span expected = memory.workspace(BF16, count);
        casts.castStochastic(f32, expected, 5, 9);
        for (int i = 0; i < count; i++) {
          assertEquals(get(expected, i), get(bf16, i), "at " + i);
        }
        casts.cast(bf16, f32);
        for (Span param : new Span[] {bf16, f32}) {
          optimizer.adafactor(
              ADAFACTOR, factors, param, gradient, null, zeros(200), zeros(100), zeros(count), rounding);
        }
        casts.castStochastic(f32, expected, 5, 9);
        for (int i = 0; i < count; i++) {
          assertEquals(get(expected, i), get(bf16, i), "at " + i);
        }
      }
    }
  }

  /** A rounded parameter is the cast of what was stored, also of numbers that BF16 has not, and nothing else is new. */
  @Test
  void roundedParametersAreCasts() {
    int count = 5001;
    try (WorkerPool pool = new WorkerPool(2)) {
      for (Simd simd : new Simd[] {Simd.best(), Simd.scalar()}) {
        OptimizerKernels optimizer = OptimizerKernels.checked(new CpuOptimizer(pool, simd));
        Span start = memory.normal(F32, count, 1);
        Span gradient = memory.normal(F32, count, 1);
        HostCaseMemory.set(gradient, 7, Double.NaN);
        HostCaseMemory.set(gradient, 70, Double.NEGATIVE_INFINITY);
        Factors factors = new Factors(4, 50, 25, 25, 100);
        for (int rule = 0; rule < 4; rule++) {
          Span plain = copy(start);
          Span param = copy(start);
          Span rounded = memory.workspace(BF16, count);
          for (Piece piece : List.of(
              new Piece(plain, gradient, zeros(count), rule == 2 ? null : zeros(count), 0.5f, 0.1f),
              new Piece(param, gradient, zeros(count), rule == 2 ? null : zeros(count), 0.5f, 0.1f, rounded))) {
            List<Piece> one = List.of(piece);
            Rounding ignored = new Rounding(true, 1, 2);
            switch (rule) {
              case 0 -> optimizer.adamW(ADAMW, null, one, null, ignored);
              case 1 -> optimizer.adafactorUnfactored(ADAFACTOR, null, one, null, ignored);
              case 2 -> optimizer.sgd(sgd(0.9f), null, one, null, ignored);
              default ->
                optimizer.adafactor(
                    ADAFACTOR,
                    null,
                    List.of(new FactoredPiece(
                        factors,
                        piece.param(),
                        gradient,
                        piece.m(),
                        zeros(200),
                        zeros(100),
                        0.5f,
                        0.1f,
                        piece.rounded())),
                    null,
                    ignored);
            }
          }
          Span expected = memory.workspace(BF16, count);
          new CpuCasts(pool, simd).cast(param, expected);
          for (int i = 0; i < (rule == 3 ? 5000 : count); i++) {
            assertEquals(get(plain, i), get(param, i), "at " + i);
            assertEquals(get(expected, i), get(rounded, i), "at " + i);
          }
        }
      }
    }
  }

  private Span copy(Span from) {
    Span copy = memory.workspace(F32, from.count());
    for (long i = 0; i < from.count(); i++) {
      HostCaseMemory.set(copy, i, get(from, i));
    }
    return copy;
  }

  @Test
  void aGradientThatIsNotANumberReachesTheParameter() {
    Span param = memory.values(F32, 1, 1, 1);
    Span gradient = memory.values(F32, 1, Double.NaN, Double.POSITIVE_INFINITY);
    CPU.adamW(ADAMW, param, gradient, null, zeros(3), zeros(3), Rounding.NEAREST);
    assertEquals(0.99, get(param, 0), 1e-7);
    assertEquals(Double.NaN, get(param, 1));
    assertEquals(Double.NaN, get(param, 2));
  }

  @Test
  void aGradientOfZeroMovesNothing() {
    for (OptimizerKernels kernels :
        new OptimizerKernels[] {CPU, CpuKernels.create(1, Simd.scalar()).optimizer()}) {
      Span param = memory.values(F32, 1, 2, 3, 4);
      kernels.adafactorUnfactored(ADAFACTOR, param, zeros(4), null, zeros(4), zeros(4), Rounding.NEAREST);
      Factors square = Factors.matrix(2, 2);
      kernels.adafactor(ADAFACTOR, square, param, zeros(4), null, zeros(2), zeros(2), zeros(4), Rounding.NEAREST);
      kernels.adamW(ADAMW, param, zeros(4), null, zeros(4), zeros(4), Rounding.NEAREST);
      kernels.sgd(new Sgd(1, 0.9f, 0, true), param, zeros(4), null, zeros(4), Rounding.NEAREST);
      assertValues(param, 0, 1, 2, 3, 4);
    }
  }

  @Test
  void messages() {
    Span p = zeros(6);
    Span g = zeros(6);
    Span m = zeros(6);
    Span v = zeros(6);
    Span i32 = memory.workspace(I32, 6);
    Rounding nearest = Rounding.NEAREST;
    Launches.rejects("param: got I32, expected F32 or BF16", () -> CPU.adamW(ADAMW, i32, g, null, m, v, nearest));
    Launches.rejects(
        "gradient: got 5 elements, expected 6 as in param", () -> CPU.adamW(ADAMW, p, g.from(1), null, m, v, nearest));
    Launches.rejects(
        "m: got 5 elements, expected 6 as in param", () -> CPU.sgd(sgd(0.9f), p, g, null, m.from(1), nearest));
    Launches.rejects("v: got BF16, expected F32", () -> {
      CPU.adamW(ADAMW, p, g, null, m, memory.workspace(BF16, 6), nearest);
    });
    Launches.rejects(
        "v: got 5 elements, expected 6 as in param",
        () -> CPU.adafactorUnfactored(ADAFACTOR, p, g, null, v.from(1), m, nearest));
    Launches.rejects(
        "gradientScale: got 0 elements, expected at least 1", () -> CPU.adamW(ADAMW, p, g, zeros(0), m, v, nearest));
    Launches.rejects("m: overlaps param, expected its own memory", () -> CPU.adamW(ADAMW, p, g, null, p, v, nearest));
    Launches.rejects(
        "v: overlaps gradient, expected its own memory", () -> CPU.adamW(ADAMW, p, g, null, m, g, nearest));
    Launches.rejects(
        "momentum: got 1.0, expected at least 0 and below 1", () -> CPU.sgd(sgd(1), p, g, null, m, nearest));
    Launches.rejects(
        "beta2: got -0.5, expected at least 0 and below 1",
        () -> CPU.adamW(new AdamW(1, 0, -0.5f, 0, 0, 1), p, g, null, m, v, nearest));
    Launches.rejects(
        "step: got 0, expected at least 1", () -> CPU.adamW(new AdamW(1, 0, 0, 0, 0, 0), p, g, null, m, v, nearest));
    Launches.rejects(
        "learningRate: got NaN, expected 0.0 to 3.4028234663852886E38",
        () -> CPU.adamW(new AdamW(Float.NaN, 0, 0, 0, 0, 1), p, g, null, m, v, nearest));
    rounded("rounded: got F32, expected BF16", p, zeros(6));
    rounded("rounded: got 5 elements, expected 6 as in param", p, memory.workspace(BF16, 5));
    rounded("param: got BF16, expected F32, which is rounded", memory.workspace(BF16, 6), memory.workspace(BF16, 6));
    rounded("rounded: overlaps param, expected its own memory", p, new Span(p.address() + 12, 12, BF16));
    factors("vRow: got 6 elements, expected at least 7", Factors.matrix(7, 1), v, zeros(9));
    factors("vColumn: got 2 elements, expected at least 3", Factors.matrix(2, 3), v, zeros(2));
    factors("param: got 6 elements, expected at least 8", Factors.matrix(2, 4), v, zeros(9));
    factors("rowStride: got 2, expected at least 3 columns", new Factors(1, 2, 3, 6, 2), v, zeros(9));
    factors("rows: got 0, expected at least 1", new Factors(1, 0, 3, 6, 3), v, zeros(9));
    factors(
        "batchStride: got 1, expected matrices that do not overlap: at least 3, or 3 to 1",
        new Factors(2, 1, 3, 1, 3),
        v,
        zeros(9));
    factors("vRow: overlaps vColumn, expected its own memory", Factors.matrix(2, 3), v, v);
  }

  private static Sgd sgd(float momentum) {
    return new Sgd(1, momentum, 0, false);
  }

  private void rounded(String message, Span param, Span rounded) {
    Piece piece = new Piece(param, zeros(6), zeros(6), zeros(6), 1, 0, rounded);
    Launches.rejects(message, () -> CPU.adamW(ADAMW, null, List.of(piece), null, Rounding.NEAREST));
    FactoredPiece factored =
        new FactoredPiece(Factors.matrix(2, 3), param, piece.gradient(), piece.m(), zeros(2), zeros(3), 1, 0, rounded);
    Launches.rejects(message, () -> CPU.adafactor(ADAFACTOR, null, List.of(factored), null, Rounding.NEAREST));
  }

  private void factors(String message, Factors factors, Span vRow, Span vColumn) {
    int count = message.startsWith("vRow: got") ? 7 : 6;
    Launches.rejects(
        message,
        () -> CPU.adafactor(
            ADAFACTOR, factors, zeros(count), zeros(count), null, vRow, vColumn, zeros(count), Rounding.NEAREST));
  }
}
