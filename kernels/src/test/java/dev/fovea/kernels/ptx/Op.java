package dev.fovea.kernels.ptx;

/** An instruction of a kernel, compiled: executes for those lanes of a warp whose bit is set. */
@FunctionalInterface
interface Op {
  void run(Warp warp, int lanes);
}
