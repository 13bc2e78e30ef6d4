package dev.fovea.kernels.contract;

import dev.fovea.kernels.KernelSet;

/**
 * One kernel at one shape: how to draw its operands and how to call it. The same case is run on every device by the
 * contract tests, and timed by the benchmarks.
 *
 * @param kernel method, as in {@code "gemm.run"}
 * @param shape what is special about this case, as in {@code "NT 197x768x3072 bias gelu"}
 * @param flops floating-point operations of one call (2 per multiply-add), 0 where bytes are the measure
 * @param bytes bytes that one call must at least read and write
 * @param setup draws the operands and returns the call
 */
public record KernelCase(String kernel, String shape, double flops, double bytes, Setup setup) {
  /** Draws operands from memory and returns the call that uses them. */
  @FunctionalInterface
  public interface Setup {
    Call prepare(CaseMemory memory);
  }

  /** Runs the kernel once. */
  @FunctionalInterface
  public interface Call {
    void on(KernelSet kernels);
  }

  public KernelCase(String kernel, String shape, Setup setup) {
    this(kernel, shape, 0, 0, setup);
  }

  @Override
  public String toString() {
    return kernel + " " + shape;
  }
}
