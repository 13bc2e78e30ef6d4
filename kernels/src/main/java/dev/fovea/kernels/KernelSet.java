package dev.fovea.kernels;

/**
 * All kernels of one device, submitting to one stream in order. On CPU a method returns when its work is done; on CUDA
 * it returns when the work is queued.
 *
 * <p>A set may be used by several threads at once; what one thread submits runs in its order.
 */
public interface KernelSet {
  /** What it runs on, in words: for example {@code "cpu: 2 threads, 512-bit vectors"}. */
  String description();

  GemmKernels gemm();

  AttentionKernels attention();

  NormKernels norm();

  ElementwiseKernels elementwise();

  ReduceKernels reduce();

  LossKernels loss();

  OptimizerKernels optimizer();

  TokenKernels token();

  ImageKernels image();

  RandomKernels random();
}
