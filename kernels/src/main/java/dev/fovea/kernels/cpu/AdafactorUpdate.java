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
    begin(updates, m, count);
    updates.adafactor(p, g, m, v, count, scale, beta2, eps, kept(), 1 - momentum, shrink, rate);
  }

  /** What a BF16 moment needs before either form. */
  void begin(Updates updates, long m, int count) {
    if (half) {
      updates.multiplyBf16(m, count, roundedMomentum());
    }
  }

  void factored(Updates updates, long p, long g, long m, int count, float scale, float[] columns, int columnsAt) {
    updates.factored(p, g, m, count, scale, columns, columnsAt, kept(), 1 - momentum, shrink, rate);
  }

  private float kept() {
    return half ? 1 : momentum;
  }

  /** To nearest BF16; it is far from overflow. */
  private float roundedMomentum() {
    int bits = Float.floatToRawIntBits(momentum);
    return Float.intBitsToFloat(bits + 0x7fff + (bits >>> 16 & 1) & 0xffff0000);
  }
}
