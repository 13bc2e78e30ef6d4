package dev.fovea.kernels.reference;

import static dev.fovea.kernels.DType.F64;
import static dev.fovea.kernels.DType.I32;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.fovea.kernels.Attention;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.contract.HostCaseMemory;
import org.junit.jupiter.api.Test;

class ReferenceAttentionTest {
  private static final double STEP = 1e-5;

  /** The gradient of sum(dO o) for every entry of q, k and v. */
  @Test
  void backwardIsTheDerivativeOfForward() {
    var attention = new ReferenceAttention();
    try (var memory = new HostCaseMemory(1)) {
      Span qkv = memory.normal(F64, 2 * 5 * 18, 1);
      Span gradient = memory.workspace(F64, 2 * 5 * 18);
      Span o = memory.workspace(F64, 2 * 5 * 6);
      Span dO = memory.normal(F64, 2 * 5 * 6, 1);
      Attention call = new Attention(2, 2, 5, 5, 3)
          .lengths(memory.values(I32, 4, 5))
          .qkv(qkv, 18)
          .o(o, 6)
          .lse(memory.workspace(F64, 20))
          .dO(dO, 6)
          .dqkv(gradient, 18);
      attention.forward(call);
      attention.backward(call);
      for (int i = 0; i < qkv.count(); i++) {
        double value = Mat.get(qkv, i);
        Mat.set(qkv, i, value + STEP);
        double up = loss(attention, call, o, dO);
        Mat.set(qkv, i, value - STEP);
        double down = loss(attention, call, o, dO);
        Mat.set(qkv, i, value);
        assertEquals((up - down) / (2 * STEP), Mat.get(gradient, i), 1e-8, "entry " + i);
      }
    }
  }

  private static double loss(ReferenceAttention attention, Attention call, Span o, Span dO) {
    attention.forward(call);
    double loss = 0;
    for (int i = 0; i < o.count(); i++) {
      loss += Mat.get(o, i) * Mat.get(dO, i);
    }
    return loss;
  }
}
