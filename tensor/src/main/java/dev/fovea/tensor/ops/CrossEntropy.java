package dev.fovea.tensor.ops;

import dev.fovea.kernels.Span;
import dev.fovea.tensor.Input;
import dev.fovea.tensor.Operation;
import dev.fovea.tensor.Output;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/** Softmax or sigmoid cross-entropy, averaged over rows. */
final class CrossEntropy extends Operation {
  private final boolean sigmoid;
  private final float smoothing;
  private final Input logits;
  private final Input target;
  private final Output loss;
  private final long rows;
  private final int classes;
  private final boolean soft;

  CrossEntropy(boolean sigmoid, Tensor value, Tensor targetValue, float smoothing) {
    super(value);
    this.sigmoid = sigmoid;
    this.smoothing = smoothing;
    Dims.rank("logits", value, 2, "[rows, classes]");
    rows = value.shape().dim(0);
    classes = Dims.last("logits", value);
    soft = targetValue.dtype().isFloating();
    Dims.same(soft ? "targets" : "labels", targetValue, soft ? value.shape() : Shape.of(rows));
    logits = input(value).keep();
    target = input(targetValue).keep();
    loss = output(Shape.of(), value.dtype().accumulator());
  }

  Tensor apply() {
    run();
    return loss.result();
  }

  @Override
  protected void forward() {
    Tensor losses = Tensor.empty(Shape.of(rows), loss.dtype());
    compute(0, null, losses.span(), null);
    kernels().reduce().sum(losses.span(), loss.span());
    kernels().elementwise().combine(1f / rows, loss.span(), 0, null, loss.span());
    losses.close();
  }

  @Override
  protected void backward() {
    Tensor d = Tensor.empty(logits.shape(), logits.dtype());
    compute(1f / rows, loss.gradient().span(), null, d.span());
    logits.add(d);
  }

  private void compute(float gradientScale, @Nullable Span gradient, @Nullable Span losses, @Nullable Span d) {
    Span labels = soft ? null : target.span();
    Span targets = soft ? target.span() : null;
    if (sigmoid) {
      kernels()
          .loss()
          .sigmoidCrossEntropy(
              rows, classes, smoothing, gradientScale, gradient, logits.span(), labels, targets, losses, d);
    } else {
      kernels()
          .loss()
          .softmaxCrossEntropy(
              rows, classes, smoothing, gradientScale, gradient, logits.span(), labels, targets, losses, d);
    }
  }
}
