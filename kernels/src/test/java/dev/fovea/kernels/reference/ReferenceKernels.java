package dev.fovea.kernels.reference;

import dev.fovea.kernels.AttentionKernels;
import dev.fovea.kernels.ElementwiseKernels;
import dev.fovea.kernels.GemmKernels;
import dev.fovea.kernels.ImageKernels;
import dev.fovea.kernels.KernelSet;
import dev.fovea.kernels.LossKernels;
import dev.fovea.kernels.NormKernels;
import dev.fovea.kernels.OptimizerKernels;
import dev.fovea.kernels.RandomKernels;
import dev.fovea.kernels.ReduceKernels;
import dev.fovea.kernels.TokenKernels;

/** All kernels as double-precision loops over host memory. */
public final class ReferenceKernels implements KernelSet {
  @Override
  public String description() {
    return "float64 reference";
  }

  @Override
  public GemmKernels gemm() {
    return new ReferenceGemm();
  }

  @Override
  public AttentionKernels attention() {
    return new ReferenceAttention();
  }

  @Override
  public NormKernels norm() {
    return new ReferenceNorm();
  }

  @Override
  public ElementwiseKernels elementwise() {
    return new ReferenceElementwise();
  }

  @Override
  public ReduceKernels reduce() {
    return new ReferenceReduce();
  }

  @Override
  public LossKernels loss() {
    return new ReferenceLoss();
  }

  @Override
  public OptimizerKernels optimizer() {
    return new ReferenceOptimizer();
  }

  @Override
  public TokenKernels token() {
    return new ReferenceToken();
  }

  @Override
  public ImageKernels image() {
    return new ReferenceImage();
  }

  @Override
  public RandomKernels random() {
    return new ReferenceRandom();
  }
}
