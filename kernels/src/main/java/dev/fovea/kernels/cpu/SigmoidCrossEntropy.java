package dev.fovea.kernels.cpu;

import dev.fovea.kernels.cpu.simd.Losses;
import dev.fovea.kernels.cpu.simd.Maths;
import java.util.Arrays;

/**
 * {@link dev.fovea.kernels.LossKernels#sigmoidCrossEntropy}: {@code -t log s(x) - (1 - t) log s(-x) = log(1 + e^x) - t
 * x}.
 */
final class SigmoidCrossEntropy extends CrossEntropy {
  private static final int EXP = 2;
  private static final int LOG = 3;

  private final Losses loops;
  private final Maths maths;

  SigmoidCrossEntropy(Staging staging, Losses loops, Maths maths) {
    super(staging);
    this.loops = loops;
    this.maths = maths;
  }

  @Override
  float hard(float[] x, int label, Scratch scratch) {
    float[] t = scratch.floats(TARGETS, classes);
    Arrays.fill(t, 0, classes, smoothing / classes);
    t[label] += 1 - smoothing;
    return loss(x, t, scratch);
  }

  @Override
  float soft(float[] x, float[] t, Scratch scratch) {
    if (smoothing != 0) {
      loops.affine(1 - smoothing, smoothing / classes, t, 0, classes);
    }
    return loss(x, t, scratch);
  }

  private float loss(float[] x, float[] t, Scratch scratch) {
    float[] e = scratch.floats(EXP, classes);
    float[] log = scratch.floats(LOG, classes);
    loops.expOfMagnitude(x, 0, e, 0, log, 0, classes);
    maths.log(log, 0, log, 0, classes);
    return loops.sigmoidCrossEntropy(gradientScale, x, 0, t, 0, e, 0, log, 0, classes);
  }
}
