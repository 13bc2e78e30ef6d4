package dev.fovea.tensor.ops;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.CpuDevice;
import dev.fovea.tensor.Device;
import dev.fovea.tensor.Recompute;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tape;
import dev.fovea.tensor.Tensor;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a tape of Transformer blocks holds, measured, against the formulas of activation memory. */
final class RecomputeMemoryTest {
  private static final int BATCH = 2;
  private static final int TOKENS = 50;
  private static final int D = 64;
  private static final int M = 256;
  private static final int HEADS = 4;
  private static final int DEPTH = 4;

  private final CpuDevice device = Device.cpu(2);

  @AfterEach
  void nothingIsLeft() {
    device.close();
  }

  private record Measured(long saved, long peak, float[] gradient) {}

  @ParameterizedTest
  @EnumSource(Recompute.class)
  void sequentialBlocksHoldWhatTheFormulaSays(Recompute policy) {
    long[][] shapes = {{D}, {D}, {3 * D, D}, {3 * D}, {D, D}, {D}, {D}, {D}, {M, D}, {M}, {D, M}, {D}};
    Measured measured = run(policy, shapes, (x, p) -> Blocks.sequential(x, p, 0, HEADS));
    // At the last layer: the block's gradient, and the hidden values made again or, when they are done with, their
    // gradient in their place.
    long live = policy == Recompute.NONE ? D : D + M;
    assertClose(measured, policy, 8 * D + 2 * M, 6 * D + M, live, M * D);
  }

  @ParameterizedTest
  @EnumSource(Recompute.class)
  void parallelBlocksHoldWhatTheFormulaSays(Recompute policy) {
    int headDim = D / HEADS;
    long[][] shapes = {{D}, {M + 3 * D, D}, {M}, {headDim}, {headDim}, {D, M + D}, {D}};
    Measured measured = run(policy, shapes, (x, p) -> Blocks.parallel(x, p, 0, HEADS));
    // At the output: gradients of the block and of attention, and hidden values or their gradient.
    long live = policy == Recompute.NONE ? 2 * D : 2 * D + M;
    assertClose(measured, policy, 8 * D + 2 * M, 7 * D + M, live, (M + D) * D);
  }

  /**
   * @param none elements per token of one block
   * @param selective likewise
   * @param live elements per token that a block's backward pass adds where it needs most
   * @param layer elements of the gradients of one layer's parameters, which are freed when they are complete
   */
  private static void assertClose(
      Measured measured, Recompute policy, long none, long selective, long live, long layer) {
    long tokens = BATCH * TOKENS;
    long perToken = switch (policy) {
      case NONE -> none;
      case SELECTIVE -> selective;
      case BLOCK, OFFLOAD -> D;
    };
    double saved = DEPTH * perToken * tokens * 4.0;
    assertEquals(1, measured.saved / saved, 0.1, "saved bytes by the formula");
    long replayed = policy.replays() ? none - D : 0;
    double peak = saved + (replayed + live) * tokens * 4.0 + layer * 4.0;
    assertEquals(1, measured.peak / peak, 0.03, "peak bytes by the formula");
  }

  @Test
  void gradientsAreTheSameBits() {
    long[][] shapes = {{D}, {D}, {3 * D, D}, {3 * D}, {D, D}, {D}, {D}, {D}, {M, D}, {M}, {D, M}, {D}};
    float[] none = run(Recompute.NONE, shapes, (x, p) -> Blocks.sequential(x, p, 0, HEADS)).gradient;
    for (Recompute policy : Recompute.values()) {
      assertArrayEquals(none, run(policy, shapes, (x, p) -> Blocks.sequential(x, p, 0, HEADS)).gradient);
    }
  }

  private interface BlockForward {
    Tensor apply(Tensor x, List<Tensor> parameters);
  }

  private Measured run(Recompute policy, long[][] shapes, BlockForward block) {
    Random random = new Random(1);
    try (Scope scope = Scope.open(device)) {
      List<List<Tensor>> parameters = new ArrayList<>();
      for (int i = 0; i < DEPTH; i++) {
        List<Tensor> own = new ArrayList<>();
        for (long[] shape : shapes) {
          own.add(normal(random, shape).trainable());
        }
        parameters.add(own);
      }
      Tensor input = normal(random, BATCH, TOKENS, D);
      long before = device.memory().current();
      device.memory().resetPeak();
      try (Tape tape = Tape.record(policy)) {
        Tensor x = input;
        for (List<Tensor> own : parameters) {
          Tensor y = Tape.block(x, in -> block.apply(in, own));
          if (x != input) {
            x.close();
          }
          x = y;
        }
        // The last output is nobody's input; the first input is not the tape's own.
        long saved = device.memory().current() - before;
        Tensor seed = normal(new Random(2), BATCH, TOKENS, D);
        Map<Tensor, float[]> gradients = new IdentityHashMap<>();
        tape.backward(x, seed, (parameter, gradient) -> gradients.put(parameter, gradient.toFloats()));
        assertEquals(DEPTH * shapes.length, gradients.size());
        long peak = device.memory().peak() - before;
        return new Measured(saved, peak, gradients.get(parameters.getFirst().get(2)));
      }
    }
  }

  private static Tensor normal(Random random, long... shape) {
    float[] values = new float[(int) Shape.of(shape).count()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian() * 0.2f;
    }
    return Tensor.empty(Shape.of(shape), DType.F32).copyFrom(values);
  }
}
