package dev.fovea.kernels.contract;

import static dev.fovea.kernels.DType.BF16;
import static dev.fovea.kernels.DType.F32;
import static dev.fovea.kernels.DType.I32;
import static dev.fovea.kernels.contract.Tolerance.U;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.OptimizerKernels.Adafactor;
import dev.fovea.kernels.OptimizerKernels.AdamW;
import dev.fovea.kernels.OptimizerKernels.FactoredPiece;
import dev.fovea.kernels.OptimizerKernels.Factors;
import dev.fovea.kernels.OptimizerKernels.Piece;
import dev.fovea.kernels.OptimizerKernels.Rounding;
import dev.fovea.kernels.OptimizerKernels.Sgd;
import dev.fovea.kernels.OptimizerKernels.StepValues;
import dev.fovea.kernels.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Cases of {@link dev.fovea.kernels.OptimizerKernels}. */
public final class OptimizerCases {
  private static final int[] COUNTS = {1, 7, 31, 196, 257, 2048, 2051, 70_001};

  private static final Factors[] FACTORS = {
    Factors.matrix(1, 1),
    Factors.matrix(33, 1),
    Factors.matrix(1, 33),
    Factors.matrix(7, 257),
    Factors.matrix(196, 72),
    Factors.matrix(5, 5001),
    Factors.matrix(900, 197),
    new Factors(3, 40, 64, 40 * 64, 64),
    new Factors(5, 48, 8, 8, 40), // heads side by side, as in a projection
    new Factors(2, 20, 33, 1000, 40) // with gaps
  };

  /** What varies from case to case beside the size. */
  private record Kind(DType param, DType gradient, DType m, boolean scaled, boolean stochastic, int step, float decay) {
    @Override
    public String toString() {
      return "param %s, gradient %s, m %s%s%s, step %d, decay %s"
          .formatted(param, gradient, m, scaled ? ", scaled" : "", stochastic ? ", stochastic" : "", step, decay);
    }
  }

  private static final Kind[] KINDS = {
    new Kind(F32, F32, F32, false, false, 1, 0),
    new Kind(F32, F32, BF16, true, false, 2, 0.05f),
    new Kind(F32, BF16, F32, true, true, 10, 0.05f),
    new Kind(BF16, F32, F32, false, false, 3, 0.1f),
    new Kind(BF16, BF16, BF16, true, true, 1000, 0.05f),
    new Kind(BF16, BF16, BF16, false, true, 1, 0)
  };

  private OptimizerCases() {}

  public static Stream<KernelCase> all() {
    List<KernelCase> cases = new ArrayList<>();
    for (int i = 0; i < COUNTS.length; i++) {
      for (int k = 0; k < KINDS.length; k++) {
        if (COUNTS[i] < 10_000 || k % 4 == 0) {
          cases.add(adamW(COUNTS[i], KINDS[k]));
          cases.add(unfactored(COUNTS[i], KINDS[k]));
          cases.add(sgd(COUNTS[i], KINDS[k], k % 2 == 0));
        }
      }
    }
    for (int i = 0; i < FACTORS.length; i++) {
      cases.add(adafactor(FACTORS[i], KINDS[i % KINDS.length]));
      cases.add(adafactor(FACTORS[i], KINDS[(i + 3) % KINDS.length]));
    }
    return cases.stream();
  }

  /** How many tensors move together. */
  private static final int[] TENSORS = {1, 3, 40};

  /** Steps of many tensors of odd sizes, also of more than one launch takes; one of many is empty. */
  public static Stream<KernelCase> many() {
    List<KernelCase> cases = new ArrayList<>();
    for (int k = 0; k < KINDS.length; k++) {
      for (int tensors : TENSORS) {
        for (Rule rule : Rule.values()) {
          if ((tensors + k + rule.ordinal()) % 2 == 0) {
            cases.add(many(rule, tensors, KINDS[k], k % 3 != 0));
          }
        }
      }
    }
    cases.add(many(Rule.ADAMW, 600, KINDS[4], true));
    cases.add(many(Rule.SGD, 600, KINDS[1], true));
    cases.add(many(Rule.ADAFACTOR, 600, KINDS[1], false));
    cases.add(many(Rule.FACTORED, 300, KINDS[1], true));
    return cases.stream();
  }

  private enum Rule {
    ADAMW("adamW"),
    SGD("sgd"),
    ADAFACTOR("adafactorUnfactored"),
    FACTORED("adafactor");

    private final String method;

    Rule(String method) {
      this.method = method;
    }
  }

  /** Sizes of tensors: most small where there are many of them. */
  private static int count(int tensor, int tensors) {
    return tensor == 2 && tensors > 3
        ? 0
        : tensors > 100 ? 1 + tensor % 7 : 1 + tensor * 977 % (tensor == 1 ? 9000 : 211);
  }

  private static Factors factors(int tensor, int tensors) {
    return tensors > 100
        ? Factors.matrix(1 + tensor % 3, 1 + tensor % 5)
        : switch (tensor % 4) {
          case 0 -> Factors.matrix(33, 17 + tensor);
          case 1 -> new Factors(3, 40, 16, 40 * 16, 16);
          case 2 -> new Factors(5, 12, 8, 8, 40);
          default -> Factors.matrix(1, 140);
        };
  }

  /** One step of many tensors with rates, decays and dtypes of their own; {@code recorded}: its values in memory. */
  private static KernelCase many(Rule rule, int tensors, Kind kind, boolean recorded) {
    String shape = tensors + " tensors " + kind + (recorded ? ", values in memory" : "");
    long elements = 0;
    for (int t = 0; t < tensors; t++) {
      Factors f = factors(t, tensors);
      elements +=
          rule == Rule.FACTORED ? f.batchStride() * (f.batch() - 1) + f.rowStride() * f.rows() : count(t, tensors);
    }
    double bytes = bytes(elements, kind, 1) + 8.0 * elements;
    return new KernelCase("optimizer." + rule.method + " of many", shape, 0, bytes, memory -> {
      Span scale = kind.scaled ? memory.values(F32, 0.37) : null;
      // the one in memory is the only one that counts then
      Rounding rounding = new Rounding(kind.stochastic, 17, recorded ? 99 : kind.step);
      Rounding its = new Rounding(kind.stochastic, 17, kind.step);
      float rate = recorded ? 0.5f : 0.02f;
      long step = recorded ? 77 : kind.step;
      return switch (rule) {
        case FACTORED -> {
          List<FactoredPiece> pieces = factoredPieces(memory, tensors, kind);
          Span now = recorded
              ? words(memory, new Adafactor(0.02f, 0, 0.9f, 0.8f, 0.999f, 1e-30f, kind.step).values(its))
              : null;
          Adafactor h = new Adafactor(rate, 0, 0.9f, 0.8f, 0.999f, 1e-30f, step);
          yield kernels -> kernels.optimizer().adafactor(h, now, pieces, scale, rounding);
        }
        case ADAFACTOR -> {
          List<Piece> pieces = pieces(memory, tensors, kind, true, 1, 16 * U * 40);
          Span now = recorded
              ? words(memory, new Adafactor(0.02f, 0, 0.9f, 0.8f, 0.999f, 1e-30f, kind.step).values(its))
              : null;
          Adafactor h = new Adafactor(rate, 0, 0.9f, 0.8f, 0.999f, 1e-30f, step);
          yield kernels -> kernels.optimizer().adafactorUnfactored(h, now, pieces, scale, rounding);
        }
        case ADAMW -> {
          List<Piece> pieces = pieces(memory, tensors, kind, true, 60, 8 * U);
          Span now = recorded ? words(memory, new AdamW(0.02f, 0.9f, 0.95f, 1e-6f, 0, kind.step).values(its)) : null;
          AdamW h = new AdamW(rate, 0.9f, 0.95f, 1e-6f, 0, step);
          yield kernels -> kernels.optimizer().adamW(h, now, pieces, scale, rounding);
        }
        case SGD -> {
          List<Piece> pieces = pieces(memory, tensors, kind, false, 1, 8 * U);
          Span now = recorded ? words(memory, new Sgd(0.02f, 0.9f, 0.01f, true).values(its)) : null;
          Sgd h = new Sgd(rate, 0.9f, 0.01f, true);
          yield kernels -> kernels.optimizer().sgd(h, now, pieces, scale, rounding);
        }
      };
    });
  }

  /** What a step reads of the device. */
  private static Span words(CaseMemory memory, StepValues values) {
    return memory.values(I32, IntStream.of(values.words()).asDoubleStream().toArray());
  }

  /** Every third tensor is of other dtypes than the kind says. */
  private static Kind kind(Kind kind, int tensor) {
    return tensor % 3 == 2
        ? new Kind(kind.param == F32 ? BF16 : F32, kind.gradient, F32, false, kind.stochastic, kind.step, kind.decay)
        : new Kind(kind.param, kind.gradient, kind.m, false, kind.stochastic, kind.step, kind.decay);
  }

  private static List<Piece> pieces(
      CaseMemory memory, int tensors, Kind kind, boolean second, double step, double mError) {
    List<Piece> pieces = new ArrayList<>();
    for (int t = 0; t < tensors; t++) {
      int count = count(t, tensors);
      Operands o = new Operands(memory, kind(kind, t), count, step, mError, "." + t);
      Span v = second ? memory.inout("v." + t, squares(memory, count), Tolerance.relative(8 * U)) : null;
      float rate = t % 2 == 0 ? 1 : 0.75f;
      pieces.add(new Piece(o.param, o.gradient, o.m, v, rate, kind.decay * (t % 4), o.rounded(memory, t)));
    }
    return pieces;
  }

  private static List<FactoredPiece> factoredPieces(CaseMemory memory, int tensors, Kind kind) {
    List<FactoredPiece> pieces = new ArrayList<>();
    for (int t = 0; t < tensors; t++) {
      Factors f = factors(t, tensors);
      long count = f.batchStride() * (f.batch() - 1) + f.rowStride() * f.rows();
      double error = (f.rows() + f.columns() + 64) * U;
      Operands o = new Operands(memory, kind(kind, t), count, 1 + f.rows() * 0.01, 8 * error, "." + t);
      Span row = memory.inout("vRow." + t, squares(memory, f.batch() * f.rows()), Tolerance.relative(error));
      Span column = memory.inout("vColumn." + t, squares(memory, f.batch() * f.columns()), Tolerance.relative(error));
      float rate = t % 2 == 0 ? 1 : 0.75f;
      float decay = kind.decay * (t % 4);
      pieces.add(new FactoredPiece(f, o.param, o.gradient, o.m, row, column, rate, decay, o.rounded(memory, t)));
    }
    return pieces;
  }

  /** Weights of ViT-B and of a large embedding, out of cache. */
  public static Stream<KernelCase> timed() {
    Kind f32 = KINDS[0];
    Kind mixed = new Kind(F32, F32, BF16, true, false, 2, 0.05f);
    Kind bf16 = new Kind(BF16, BF16, BF16, true, true, 1000, 0.05f);
    return Stream.of(
        adamW(768 * 3072, f32),
        adamW(1 << 24, f32),
        adamW(1 << 24, bf16),
        unfactored(1 << 24, mixed),
        sgd(1 << 24, f32, false),
        adafactor(Factors.matrix(768, 3072), mixed),
        adafactor(Factors.matrix(4096, 4096), f32),
        adafactor(Factors.matrix(4096, 4096), mixed),
        adafactor(Factors.matrix(4096, 4096), bf16));
  }

  /** Operands that every rule has, and the tolerance of a parameter whose step is at most so large. */
  private static final class Operands {
    final Span param;
    final Span gradient;
    final @org.jspecify.annotations.Nullable Span scale;
    final Span m;
    final Rounding rounding;
    private final Tolerance computed;

    Operands(CaseMemory memory, Kind kind, long count, double step, double mError) {
      this(memory, kind, count, step, mError, "");
    }

    Operands(CaseMemory memory, Kind kind, long count, double step, double mError, String suffix) {
      // a flip of one random bit is one unit in the last place of BF16
      computed = new Tolerance(16 * U * (5 + step), 16 * U);
      Tolerance stored = kind.stochastic && kind.param == BF16
          ? new Tolerance(computed.absolute(), 0x1.02p-7)
          : computed.rounded(kind.param);
      param = memory.inout("param" + suffix, memory.normal(kind.param, count, 1), stored);
      gradient = memory.normal(kind.gradient, count, 0.1);
      scale = kind.scaled ? memory.values(F32, 0.37) : null;
      m = memory.inout(
          "m" + suffix,
          memory.normal(kind.m, count, 0.1),
          Tolerance.absolute(mError).rounded(kind.m));
      rounding = new Rounding(kind.stochastic, 17, kind.step);
    }

    /** Where most F32 parameters are written once more, some where quads are not aligned. */
    @org.jspecify.annotations.Nullable
    Span rounded(CaseMemory memory, int tensor) {
      if (param.dtype() != F32 || tensor % 5 == 1) {
        return null;
      }
      int skipped = tensor % 5 == 3 ? 1 : 0;
      return memory
          .output("rounded." + tensor, BF16, param.count() + skipped, computed.rounded(BF16))
          .from(skipped);
    }
  }

  /** Second moments: positive, small and large ones, and zeros as in the beginning. */
  private static Span squares(CaseMemory memory, int count) {
    return memory.values(
        F32, IntStream.range(0, count).mapToDouble(i -> i % 5 * (i % 13) * 1e-3).toArray());
  }

  /** A step of AdamW in F32, to be timed. */
  public static KernelCase adamW(int count) {
    return adamW(count, KINDS[0]);
  }

  private static KernelCase adamW(int count, Kind kind) {
    AdamW h = new AdamW(0.01f, 0.9f, 0.95f, 1e-6f, kind.decay, kind.step);
    double bytes = bytes(count, kind, 1) + 8.0 * count;
    return new KernelCase("optimizer.adamW", count + " " + kind, 0, bytes, memory -> {
      // |m| / sqrt(v) reaches some thousands where v began at zero
      Operands o = new Operands(memory, kind, count, 30, 8 * U);
      Span v = memory.inout("v", squares(memory, count), Tolerance.relative(8 * U));
      return kernels -> kernels.optimizer().adamW(h, o.param, o.gradient, o.scale, o.m, v, o.rounding);
    });
  }

  private static Adafactor adafactor(Kind kind) {
    return new Adafactor(0.01f, kind.decay, 0.9f, 0.8f, 0.999f, 1e-30f, kind.step);
  }

  private static KernelCase unfactored(int count, Kind kind) {
    double bytes = bytes(count, kind, 1) + 8.0 * count;
    return new KernelCase("optimizer.adafactorUnfactored", count + " " + kind, 0, bytes, memory -> {
      Operands o = new Operands(memory, kind, count, 1, 16 * U * 40);
      Span v = memory.inout("v", squares(memory, count), Tolerance.relative(8 * U));
      Adafactor h = adafactor(kind);
      return kernels -> kernels.optimizer().adafactorUnfactored(h, o.param, o.gradient, o.scale, v, o.m, o.rounding);
    });
  }

  private static KernelCase adafactor(Factors f, Kind kind) {
    long count = f.batchStride() * (f.batch() - 1) + f.rowStride() * f.rows();
    double bytes = bytes((double) f.batch() * f.rows() * f.columns(), kind, 2);
    return new KernelCase(
        "optimizer.adafactor", f.batch() + "x" + f.rows() + "x" + f.columns() + " " + kind, 0, bytes, memory -> {
          double error = (f.rows() + f.columns() + 64) * U;
          Operands o = new Operands(memory, kind, count, 1 + f.rows() * 0.01, 8 * error);
          Span vRow = memory.inout("vRow", squares(memory, f.batch() * f.rows()), Tolerance.relative(error));
          Span vColumn = memory.inout("vColumn", squares(memory, f.batch() * f.columns()), Tolerance.relative(error));
          Adafactor h = adafactor(kind);
          return kernels ->
              kernels.optimizer().adafactor(h, f, o.param, o.gradient, o.scale, vRow, vColumn, o.m, o.rounding);
        });
  }

  private static KernelCase sgd(int count, Kind kind, boolean nesterov) {
    Sgd h = new Sgd(0.03f, 0.9f, kind.decay, nesterov);
    String shape = count + " " + kind + (nesterov ? " Nesterov" : "");
    return new KernelCase("optimizer.sgd", shape, 0, bytes(count, kind, 1), memory -> {
      Operands o = new Operands(memory, kind, count, 1, 8 * U);
      return kernels -> kernels.optimizer().sgd(h, o.param, o.gradient, o.scale, o.m, o.rounding);
    });
  }

  /** Parameter and momentum are read and written, the gradient is read so many times. */
  private static double bytes(double count, Kind kind, int gradientReads) {
    return count * (2 * kind.param.bytes() + gradientReads * kind.gradient.bytes() + 2 * kind.m.bytes());
  }
}
