package dev.fovea.bench.peer;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.contract.HostCaseMemory;
import dev.fovea.kernels.contract.KernelCase;
import java.util.Arrays;
import java.util.List;

/**
 * One call of a kernel on operands in native memory, said so that a peer can do the same.
 *
 * @param operation what is computed
 * @param inputs in the order that the operation says
 * @param output what is compared before anything is timed; may be one of the inputs
 * @param ours the kernel's call
 * @param flops floating-point operations of a call, two for each multiply-add; 0 where bytes are the measure
 * @param bytes that a call must at least move, as {@link #traffic} counts them
 */
public record Work(
    Operation operation, List<Operand> inputs, Operand output, KernelCase.Call ours, double flops, double bytes) {
  /** What can be asked of a peer. Operands are F32 but for labels. */
  public enum Operation {
    /** {@code x [m,k]} and {@code weight [n,k]} to {@code x weight^T [m,n]}. */
    LINEAR(1e-5),
    /**
     * {@code [batch, tokens, 3, heads, width]} of queries, keys and values to {@code [batch, tokens, heads, width]}.
     */
    ATTENTION(1e-5),
    /** {@code x [rows, width]}, weight and bias, with epsilon 1e-6. */
    LAYER_NORM(1e-5),
    /** With the error function. */
    GELU(1e-5),
    /** With the approximation by tanh. */
    GELU_TANH(1e-5),
    /** {@code x + y}. */
    ADD(1e-6),
    /** Over rows. */
    SOFTMAX(1e-5),
    /** {@code logits [rows, classes]} and labels to a loss for each row. */
    CROSS_ENTROPY(1e-5),
    /** Parameter, gradient and both moments; the parameter is compared after a step with {@link Work#LEARNING_RATE}. */
    ADAMW(1e-5),
    /** Over all. */
    SUM(1e-4),
    /** Something that no peer is asked for. */
    OTHER(0);

    private final double tolerance;

    Operation(double tolerance) {
      this.tolerance = tolerance;
    }

    /** The largest difference allowed, as a part of the largest magnitude. */
    public double tolerance() {
      return tolerance;
    }
  }

  /** Of {@link Operation#ADAMW}; its betas are 0.9 and 0.999, epsilon 1e-8, and nothing decays. */
  public static final float LEARNING_RATE = 0.001f;

  /**
   * An array.
   *
   * @param span its elements, without gaps
   * @param shape the outermost dimension first
   */
  public record Operand(Span span, List<Long> shape) {
    /** An array of this shape. */
    public static Operand of(Span span, long... shape) {
      if (Arrays.stream(shape).reduce(1, Math::multiplyExact) != span.count()) {
        throw new IllegalArgumentException(
            "shape: got %s, expected %d elements".formatted(Arrays.toString(shape), span.count()));
      }
      return new Operand(span, Arrays.stream(shape).boxed().toList());
    }

    /** A copy of its elements. */
    public float[] values() {
      float[] values = new float[Math.toIntExact(span.count())];
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) HostCaseMemory.get(span, i);
      }
      return values;
    }
  }

  /**
   * Bytes between the caches and the memory: what is only read moves once, what is written moves twice, since a store
   * fetches the line it falls in, whether or not the old values matter. Stores that do not are beyond Java.
   */
  public static double traffic(double read, double written) {
    return read + 2 * written;
  }

  /** A kernel that has no peers. */
  public static Work ofOurs(double flops, double bytes, KernelCase.Call ours) {
    Span nothing = new Span(0, 0, DType.F32);
    return new Work(Operation.OTHER, List.of(), new Operand(nothing, List.of(0L)), ours, flops, bytes);
  }
}
