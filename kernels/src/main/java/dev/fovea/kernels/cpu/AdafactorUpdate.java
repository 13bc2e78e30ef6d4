package dev.fovea.kernels.cpu;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.OptimizerKernels.Adafactor;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.simd.Updates;

/** What Adafactor does with a normalised gradient: moves the first moment to it, and the parameter along that. */
final class AdafactorUpdate {
  private float momentum;
  private float shrink;
  private float rate;
  private boolean half;

  void set(Adafactor h, float learningRate, float decay) {
    momentum = h.momentum();
    shrink = OptimizerStep.shrink(learningRate, decay);
    rate = learningRate;
  }

  void moment(Span m) {
    half = m.dtype() == DType.BF16;
  }

  void unfactored(Updates updates, long p, long g, long m, long v, int count, float scale, float beta2, float eps) {
    if (half) {
      updates.multiplyBf16(m, count, roundedMomentum());
    }
    updates.adafactor(p, g, m, v, count, scale, beta2, eps, half ? 1 : momentum, 1 - momentum, shrink, rate);
  }

  /** The moment where it lies, whatever its type. */
  void factored(Updates updates, long p, long g, long m, int count, float scale, float[] columns, int columnsAt) {
    if (half) {
      float its = roundedMomentum();
      updates.factoredHalf(p, g, m, count, scale, columns, columnsAt, its, 1 - momentum, shrink, rate);
    } else {
      updates.factored(p, g, m, count, scale, columns, columnsAt, momentum, 1 - momentum, shrink, rate);
    }
  }

  /** To nearest BF16; it is far from overflow. */
  private float roundedMomentum() {
    int bits = Float.floatToRawIntBits(momentum);
    return Float.intBitsToFloat(bits + 0x7fff + (bits >>> 16 & 1) & 0xffff0000);
  }
}
