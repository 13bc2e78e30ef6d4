package dev.fovea.kernels.cpu;

import dev.fovea.kernels.cpu.simd.Losses;

/**
 * {@link dev.fovea.kernels.LossKernels#softmaxCrossEntropy}. With m the largest logit and z the logarithm of the sum of
 * e^(x - m), the loss is the sum of t (z - (x - m)).
 */
final class SoftmaxCrossEntropy extends CrossEntropy {
  private final Losses loops;

  SoftmaxCrossEntropy(Staging staging, Losses loops) {
    super(staging);
    this.loops = loops;
  }

  @Override
  float hard(float[] x, int label, Scratch scratch) {
    float max = loops.max(x, 0, classes);
    double hit = (1.0 - smoothing) * (x[label] - max) + smoothed(x, max);
    float sum = loops.expSum(max, x, 0, x, 0, classes);
    loops.affine(gradientScale / sum, -gradientScale * smoothing / classes, x, 0, classes);
    x[label] -= gradientScale * (1 - smoothing);
    return (float) (Math.log(sum) - hit);
  }

  @Override
  float soft(float[] x, float[] t, Scratch scratch) {
    float max = loops.max(x, 0, classes);
    float weight = 1 - smoothing;
    double hit = (double) weight * loops.shiftedDot(max, x, 0, t, 0, classes) + smoothed(x, max);
    double total = (double) weight * loops.shiftedSum(0, t, 0, classes) + smoothing;
    float sum = loops.expSum(max, x, 0, x, 0, classes);
    float scale = (float) (gradientScale * total / sum);
    float offset = -gradientScale * smoothing / classes;
    loops.combine(scale, x, 0, -gradientScale * weight, t, 0, offset, classes);
    return (float) (total * Math.log(sum) - hit);
  }

  /** What smoothing adds to the sum of t (x - m). Nothing without it, even if a logit is -infinity. */
  private double smoothed(float[] x, float max) {
    return smoothing == 0 ? 0 : (double) smoothing / classes * loops.shiftedSum(max, x, 0, classes);
  }
}
