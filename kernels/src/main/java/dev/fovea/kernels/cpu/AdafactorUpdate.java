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

  void set(Adafactor h) {
    momentum = h.momentum();
    shrink = 1 - h.weightDecay();
    rate = h.learningRate();
  }

  void moment(Span m) {
    half = m.dtype() == DType.BF16;
  }

  void apply(Updates updates, float[] p, float[] g, float[] m, int at, int count) {
    if (half) {
      updates.multiplyBf16(m, at, count, roundedMomentum());
    }
    updates.average(p, g, m, at, count, half ? 1 : momentum, 1 - momentum, shrink, rate);
  }

  /** To nearest BF16; it is far from overflow. */
  private float roundedMomentum() {
    int bits = Float.floatToRawIntBits(momentum);
    return Float.intBitsToFloat(bits + 0x7fff + (bits >>> 16 & 1) & 0xffff0000);
  }
}
