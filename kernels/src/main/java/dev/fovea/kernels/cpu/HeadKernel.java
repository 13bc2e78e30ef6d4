package dev.fovea.kernels.cpu;

import dev.fovea.kernels.Attention;
import dev.fovea.kernels.Span;
import org.jspecify.annotations.Nullable;

/** What one block of an attention launch runs: one part of the queries of one head of one image, on one thread. */
interface HeadKernel {
  /** How many parts the queries of a head are split into; depends on the sizes of the call alone. */
  int parts(Attention call);

  /** Computes one part. The weights are where an attention map is to go. */
  void run(Attention call, @Nullable Span weights, int image, int head, int part, Scratch scratch);
}
