package dev.fovea.tensor.ops;

import dev.fovea.kernels.Activation;
import dev.fovea.kernels.DType;
import dev.fovea.kernels.Gemm;
import dev.fovea.kernels.Layout;
import dev.fovea.kernels.Norm;
import dev.fovea.kernels.NormKernels;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.Sums;
import dev.fovea.tensor.Gathered;
import dev.fovea.tensor.Input;
import dev.fovea.tensor.Operation;
import dev.fovea.tensor.Output;
import dev.fovea.tensor.PreActivation;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * {@link Linear} with its gradient: one product forward; backward one for the input's gradient, which also applies the
 * gradient of the activation that made the input, and one for the weight's per pair of input and output tensors.
 */
final class LinearOperation extends Operation {
  private final Linear l;
  private final Input x;
  private final @Nullable Input x2;
  private final Input weight;
  private final @Nullable Input bias;
  private final @Nullable Input bias2;
  private final @Nullable Input scale;
  private final @Nullable Input drop;
  private final @Nullable Input residual;
  private final @Nullable QkNorm qkNorm;
  private final Output y;
  private final @Nullable Output y2;

  /** Values before activation or QK-norm: the first {@code preColumns} columns. */
  private final @Nullable Output pre;

  private final int preColumns;

  /** Operands of the QK-norm, and its statistics if recorded. */
  private record QkNorm(
      Linear.QkNorm spec,
      Input qWeight,
      @Nullable Input qBias,
      Input kWeight,
      @Nullable Input kBias,
      @Nullable Output qStats,
      @Nullable Output kStats) {}

  LinearOperation(Linear l) {
    super(l.x);
    this.l = l;
    x = input(l.x);
    x2 = optional(l.x2);
    weight = input(l.weight);
    bias = optional(l.bias);
    bias2 = optional(l.bias2);
    scale = keep(optional(l.scale));
    drop = keep(optional(l.drop));
    residual = optional(l.residual);
    Input qWeight = l.qkNorm == null ? null : keep(input(l.qkNorm.qWeight()));
    Input qBias = l.qkNorm == null ? null : optional(l.qkNorm.qBias());
    Input kWeight = l.qkNorm == null ? null : keep(input(l.qkNorm.kWeight()));
    Input kBias = l.qkNorm == null ? null : optional(l.qkNorm.kBias());
    if (weight.wantsGradient()) {
      keep(x);
      keep(x2);
    }
    if (x.wantsGradient() || x2 != null && x2.wantsGradient()) {
      keep(weight);
    }
    DType dtype = x.dtype();
    y = output(Dims.withLast(x.shape(), l.gated ? l.out / 2 : l.outLeft), dtype);
    y2 = l.outLeft == l.out ? null : output(Dims.withLast(x.shape(), l.out - l.outLeft), dtype);
    boolean recording = recording();
    if (recording && l.weight.isPacked()) {
      throw new IllegalStateException(
          "weight: got one that is packed for inference while a tape records, expected a plain one");
    }
    preColumns = recording ? preColumns() : 0;
    pre = preColumns == 0 ? null : output(Shape.of(l.rows, preColumns), dtype).keep();
    qkNorm = l.qkNorm == null || qWeight == null || kWeight == null
        ? null
        : new QkNorm(
            l.qkNorm,
            qWeight,
            qBias,
            kWeight,
            kBias,
            recording ? statistics(l.qkNorm) : null,
            recording ? statistics(l.qkNorm) : null);
  }

  private @Nullable Input optional(@Nullable Tensor value) {
    return value == null ? null : input(value);
  }

  private static <T extends @Nullable Input> T keep(T input) {
    if (input != null) {
      input.keep();
    }
    return input;
  }

  private Output statistics(Linear.QkNorm spec) {
    return output(Shape.of(2, l.rows, spec.heads()), x.dtype().accumulator()).keep();
  }

  /** Columns whose value before the activation, norm or LayerScale the backward pass reads. */
  private int preColumns() {
    if (l.gated) {
      return l.out;
    }
    if (l.qkNorm != null) {
      return qkBegin() + 2 * l.qkNorm.width();
    }
    return activated() != 0 ? activated() : scale != null && scale.wantsGradient() ? l.out : 0;
  }

  private int activated() {
    return l.activation == Activation.NONE ? 0 : l.outLeft;
  }

  private int qkBegin() {
    return y2 == null ? 0 : l.outLeft;
  }

  Linear.Split apply() {
    run();
    return new Linear.Split(y.result(), y2 == null ? y.result() : y2.result());
  }

  @Override
  protected void forward() {
    Gemm gemm = new Gemm(Layout.NT, l.rows, l.out, l.in).bias(Dims.span(bias), Dims.span(bias2));
    if (l.weight.isPacked()) {
      gemm.packedB(weight.value().packedSpan());
    } else {
      gemm.b(weight.span(), l.in);
    }
    if (x2 == null) {
      gemm.a(x.span(), l.in);
    } else {
      gemm.a(x.span(), l.inLeft, x2.span(), l.in - l.inLeft, l.inLeft);
    }
    if (l.gated) {
      gated(gemm);
      return;
    }
    if (y2 == null) {
      gemm.c(y.span(), l.out);
    } else {
      gemm.c(y.span(), l.outLeft, y2.span(), l.out - l.outLeft, l.outLeft);
    }
    if (pre != null) {
      gemm.pre(pre.span(), preColumns, preColumns);
    }
    gemm.activation(l.activation, activated()).columnScale(Dims.span(scale)).rowScale(Dims.span(drop), l.rowsPerDrop);
    if (qkNorm != null) {
      Linear.QkNorm n = qkNorm.spec;
      gemm.qkNorm(new Gemm.QkNorm(
          qkBegin(),
          n.heads(),
          n.headDim(),
          n.eps(),
          n.centered(),
          qkNorm.qWeight.span(),
          Dims.span(qkNorm.qBias),
          qkNorm.kWeight.span(),
          Dims.span(qkNorm.kBias),
          Dims.span(qkNorm.qStats),
          Dims.span(qkNorm.kStats)));
    }
    if (residual != null) {
      gemm.residual(residual.span(), l.out);
    }
    kernels().gemm().run(gemm);
  }

  private void gated(Gemm gemm) {
    try (Tensor room = pre == null ? Tensor.empty(Shape.of(l.rows, l.out), x.dtype()) : null) {
      Span values = room == null ? Dims.given(pre).span() : room.span();
      kernels()
          .gemm()
          .run(gemm.c(y.span(), l.out / 2)
              .pre(values, l.out, l.out)
              .activation(Activation.SILU, l.out / 2)
              .gated(true));
    }
  }

  @Override
  protected boolean recomputes(Output output) {
    return output == y && (l.gated || activated() != 0);
  }

  @Override
  protected void recompute(Output output, Tensor into) {
    if (l.gated) {
      kernels().elementwise().swiglu(l.rows, l.out / 2, Dims.given(pre).span(), into.span());
      return;
    }
    int columns = activated();
    kernels().elementwise().copy(l.rows, columns, Dims.given(pre).span(), preColumns, into.span(), columns);
    kernels().elementwise().activation(l.activation, into.span(), into.span());
  }

  @Override
  protected @Nullable PreActivation preActivation(Output output) {
    if (output != y || activated() == 0) {
      return null;
    }
    Sums sums = bias != null && biasOfActivated() ? bias.sums() : null;
    return new PreActivation(l.activation, Dims.given(pre).span(), preColumns, activated(), sums);
  }

  /** Whether the bias reaches just the activated columns, so that whoever makes their gradient can sum it up. */
  private boolean biasOfActivated() {
    return bias != null && bias2 == null && bias.wantsGradient() && bias.shape().count() == activated();
  }

  @Override
  protected void backward() {
    Tensor dy = l.gated ? gradientOfGate() : qkNorm != null && y2 == null ? y.ownGradient() : y.gradient();
    if (residual != null) {
      residual.add(dy);
    }
    if (scale != null || drop != null) {
      dy = gradientOfBranch(dy);
    }
    boolean biasDone = y.gradientIsPre() && biasOfActivated();
    if (activated() != 0 && !y.gradientIsPre()) {
      dy = gradientOfActivation(dy);
    }
    Tensor dy2 = y2 == null ? null : qkNorm == null ? y2.gradient() : y2.ownGradient();
    if (qkNorm != null) {
      gradientOfQkNorm(qkNorm, dy2 == null ? dy : dy2);
    }
    if (pre != null) {
      pre.done();
    }
    gradientOfParameters(dy, dy2, biasDone);
    x.done();
    if (x2 != null) {
      x2.done();
    }
    if (x.wantsGradient() || x2 != null && x2.wantsGradient()) {
      gradientOfInput(dy, dy2);
    }
  }

  /** That of both halves, in the place of their values: whoever read the output has had its turn. */
  private Tensor gradientOfGate() {
    Output values = Dims.given(pre);
    kernels()
        .elementwise()
        .swigluGradient(l.rows, l.out / 2, values.span(), y.gradient().span(), values.span());
    return values.value().reshape(values.shape());
  }

  private Tensor gradientOfBranch(Tensor dy) {
    Tensor branch = Tensor.empty(dy.shape(), dy.dtype());
    kernels()
        .elementwise()
        .residualGradient(
            l.rows,
            l.out,
            dy.span(),
            Dims.span(pre),
            Dims.span(scale),
            Dims.span(drop),
            l.rowsPerDrop,
            branch.span(),
            Dims.sums(scale));
    return branch;
  }

  /** For an output that several operations read, or none that could apply this on its way. */
  private Tensor gradientOfActivation(Tensor dy) {
    int columns = activated();
    Tensor result = Tensor.empty(dy.shape(), dy.dtype());
    kernels().elementwise().copy(l.rows, columns, Dims.given(pre).span(), preColumns, result.span(), columns);
    kernels().elementwise().activationGradient(l.activation, result.span(), dy.span(), result.span());
    return result;
  }

  private void gradientOfQkNorm(QkNorm n, Tensor d) {
    Linear.QkNorm spec = n.spec;
    Norm norm = new Norm(l.rows, spec.heads(), spec.headDim(), spec.eps(), spec.centered());
    long ld = d.shape().dim(-1);
    Span raw = Dims.given(pre).span().from(qkBegin());
    kernels()
        .norm()
        .backwardPair(
            norm,
            raw,
            preColumns,
            side(n.qWeight, n.qBias, Dims.given(n.qStats)),
            side(n.kWeight, n.kBias, Dims.given(n.kStats)),
            d.span(),
            ld,
            d.span(),
            ld);
  }

  private static NormKernels.Side side(Input weight, @Nullable Input bias, Output stats) {
    return new NormKernels.Side(weight.span(), stats.span(), Dims.sums(weight), Dims.sums(bias));
  }

  /** The weight's gradient in one product, which the bias's rides on if it has every column. */
  private void gradientOfParameters(Tensor dy, @Nullable Tensor dy2, boolean biasDone) {
    Tensor shared = sharedBiasGradient();
    Sums biasSums = biasDone ? null : shared == null ? Dims.sums(bias) : Sums.into(shared.span());
    boolean rides = biasSums != null && biasSums.span().count() == l.out && weight.wantsGradient();
    if (weight.wantsGradient()) {
      Sums sums = weight.sums();
      Gemm gemm =
          new Gemm(Layout.TN, l.out, l.in, l.rows).accumulate(sums.add()).c(sums.span(), l.in);
      int right = l.out - l.outLeft;
      gemm = dy2 == null ? gemm.a(dy.span(), l.out) : gemm.a(dy.span(), l.outLeft, dy2.span(), right, l.outLeft);
      gemm = x2 == null ? gemm.b(x.span(), l.in) : gemm.b(x.span(), l.inLeft, x2.span(), l.in - l.inLeft, l.inLeft);
      kernels().gemm().run(gemm.operandSums(rides ? biasSums : null));
    }
    if (biasSums != null && !rides) {
      int left = (int) Math.min(biasSums.span().count(), l.outLeft);
      kernels().reduce().columnSums(l.rows, left, dy.span(), l.outLeft, biasSums);
      if (dy2 != null && biasSums.span().count() > left) {
        int rest = (int) biasSums.span().count() - left;
        kernels().reduce().columnSums(l.rows, rest, dy2.span(), l.out - l.outLeft, biasSums.from(left));
      }
    }
    if (shared != null && bias != null && bias2 != null) {
      bias.add(shared);
      bias2.add(shared);
    }
  }

  /** Room for the gradient of two biases, which is the same for both; null if there are not two. */
  private @Nullable Tensor sharedBiasGradient() {
    return bias == null || bias2 == null || !bias.wantsGradient() && !bias2.wantsGradient()
        ? null
        : Tensor.empty(bias.shape(), bias.dtype().accumulator());
  }

  private void gradientOfInput(Tensor dy, @Nullable Tensor dy2) {
    Gemm gemm = new Gemm(Layout.NN, l.rows, l.in, l.out).b(weight.span(), l.in);
    if (dy2 == null) {
      gemm.a(dy.span(), l.out);
    } else {
      gemm.a(dy.span(), l.outLeft, dy2.span(), l.out - l.outLeft, l.outLeft);
    }
    PreActivation inner = x.preActivation();
    if (inner != null) {
      gemm.activationGradient(inner.f(), inner.columns(), inner.pre(), inner.ld());
      gemm.columnSums(inner.sums());
    }
    Gathered dx = inner == null && x2 == null ? x.gathered() : new Gathered(null, Tensor.empty(x.shape(), x.dtype()));
    Tensor dx2 = x2 == null ? null : Tensor.empty(x2.shape(), x2.dtype());
    if (x2 == null || dx2 == null) {
      gemm.c(dx.total().span(), l.in);
    } else {
      gemm.c(dx.total().span(), l.inLeft, dx2.span(), l.in - l.inLeft, l.inLeft);
    }
    if (dx.before() != null) {
      gemm.residual(dx.before().span(), l.in);
    }
    kernels().gemm().run(gemm);
    if (inner != null) {
      x.addPre(dx.total());
    } else if (x2 == null) {
      x.replace(dx.total());
    } else {
      x.add(dx.total());
    }
    if (x2 != null && dx2 != null) {
      x2.add(dx2);
    }
  }
}
