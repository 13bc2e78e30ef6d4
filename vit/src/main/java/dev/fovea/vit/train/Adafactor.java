package dev.fovea.vit.train;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.OptimizerKernels;
import dev.fovea.kernels.OptimizerKernels.FactoredPiece;
import dev.fovea.kernels.OptimizerKernels.Piece;
import dev.fovea.kernels.Span;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Adafactor as Scaling ViT modifies it (section 3.3): a first moment in bfloat16 without bias correction, no learning
 * rate relative to the parameter's norm, a decay of the factored second moment that is capped. Half as much memory as
 * the parameters, beside them, where Adam needs twice as much.
 */
public final class Adafactor extends Optimizer {
  /** Factored parts are counted from here, so that no others draw the same random bits. */
  private static final long FACTORED = 1L << 32;

  private final Settings settings;
  private final Factoring factoring;
  private int unfactored;
  private int factored;

  /**
   * Hyper-parameters beside rate and decay.
   *
   * @param decayRate exponent of the second moment's decay {@code 1 - step^-decayRate}
   * @param beta2Cap its upper bound
   * @param eps added to squared gradients
   * @param moment dtype of the first moment, F32 or BF16
   */
  public record Settings(double momentum, double decayRate, double beta2Cap, double eps, DType moment) {
    /** As in the paper. */
    public static final Settings DEFAULT = new Settings(0.9, 0.8, 0.999, 1e-30, DType.BF16);
  }

  /**
   * For parameters that are F32 or have masters.
   *
   * @param factoring which matrices of a parameter have factored second moments
   */
  public Adafactor(List<Parameter> parameters, Settings settings, Factoring factoring) {
    this(parameters, settings, factoring, 0);
  }

  /**
   * For any parameters.
   *
   * @param factoring which matrices of a parameter have factored second moments
   * @param seed of the rounding of BF16 parameters without master
   */
  public Adafactor(List<Parameter> parameters, Settings settings, Factoring factoring, long seed) {
    super(parameters, seed);
    this.settings = settings;
    this.factoring = factoring;
    begin();
  }

  /**
   * A parameter's first moment, and the parts of it that have second moments of their own.
   *
   * @param number of the first that is not factored
   * @param factored number of the first that is
   */
  private record Parts(int number, long factored, Tensor m, List<Second> seconds) implements Rule {}

  /**
   * The second moment of a part.
   *
   * @param v of every element, or factored the rows'
   * @param column the columns', null if it is not factored
   */
  private record Second(
      Factoring.Part part, Tensor v, @Nullable Tensor column) {}

  @Override
  Rule rule(Parameter parameter, int n) {
    Tensor m = zeros("m", parameter, settings.moment, parameter.value().shape());
    Parts its = new Parts(unfactored, FACTORED + factored, m, new ArrayList<>());
    List<Factoring.Part> parts =
        factoring.parts(parameter.name(), parameter.value().shape());
    for (int i = 0; i < parts.size(); i++) {
      its.seconds.add(second(parameter, parts.get(i), parts.size() == 1 ? "" : i + "."));
    }
    return its;
  }

  private Second second(Parameter parameter, Factoring.Part part, String number) {
    OptimizerKernels.Factors f = part.factors();
    if (f == null) {
      unfactored++;
      return new Second(part, zeros("v" + number, parameter, DType.F32, Shape.of(part.count())), null);
    }
    factored++;
    Tensor row = zeros("row" + number, parameter, DType.F32, Shape.of(f.batch(), f.rows()));
    return new Second(part, row, zeros("column" + number, parameter, DType.F32, Shape.of(f.batch(), f.columns())));
  }

  private OptimizerKernels.Adafactor at(double learningRate, long step) {
    return new OptimizerKernels.Adafactor(
        (float) learningRate,
        0,
        (float) settings.momentum,
        (float) settings.decayRate,
        (float) settings.beta2Cap,
        (float) settings.eps,
        step);
  }

  @Override
  OptimizerKernels.StepValues valuesAt(double learningRate, long step) {
    return at(learningRate, step).values(rounding(0, step));
  }

  @Override
  void move(List<Moving> moving, When when) {
    List<Piece> pieces = new ArrayList<>();
    List<FactoredPiece> matrices = new ArrayList<>();
    for (Moving each : moving) {
      Parts its = (Parts) each.rule();
      for (Second second : its.seconds) {
        add(each, its.m.span(), second, pieces, matrices);
      }
    }
    OptimizerKernels kernels = device().kernels().optimizer();
    OptimizerKernels.Adafactor h = at(when.learningRate(), when.step());
    long matrix = moving.isEmpty() ? FACTORED : ((Parts) moving.getFirst().rule()).factored;
    Span scale = when.gradientScale();
    kernels.adafactorUnfactored(h, when.now(), pieces, scale, rounding(first(moving), when.step()));
    kernels.adafactor(h, when.now(), matrices, scale, rounding(matrix, when.step()));
  }

  private static void add(Moving moving, Span moment, Second second, List<Piece> pieces, List<FactoredPiece> factored) {
    Factoring.Part part = second.part;
    Span p = moving.value().slice(part.first(), part.count());
    Span g = moving.gradient().slice(part.first(), part.count());
    Span m = moment.slice(part.first(), part.count());
    Span v = second.v.span();
    Span whole = moving.rounded();
    Span rounded = whole == null ? null : whole.slice(part.first(), part.count());
    OptimizerKernels.Factors f = part.factors();
    if (f == null || second.column == null) {
      pieces.add(new Piece(p, g, m, v, moving.rate(), moving.decay(), rounded));
    } else {
      Span column = second.column.span();
      factored.add(new FactoredPiece(f, p, g, m, v, column, moving.rate(), moving.decay(), rounded));
    }
  }
}
