/**
 * The CPU back end.
 *
 * <p>A kernel is a {@link dev.fovea.kernels.cpu.Grid} of blocks that a {@link dev.fovea.kernels.cpu.WorkerPool} spreads
 * over threads. A block stages its operands from native memory into its worker's {@link dev.fovea.kernels.cpu.Scratch}
 * as {@code float[]}, whatever their dtype, computes there with the loops of {@code dev.fovea.kernels.cpu.simd}, and
 * stores the result. Those loops exist twice, with the Vector API and in plain Java; nothing else does.
 */
@NullMarked
package dev.fovea.kernels.cpu;

import org.jspecify.annotations.NullMarked;
