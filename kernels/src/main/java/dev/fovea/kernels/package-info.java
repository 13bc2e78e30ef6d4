/**
 * The kernel contract: one method per fused kernel, on raw memory of one device.
 *
 * <p>A {@link dev.fovea.kernels.KernelSet} is a device's implementation of all of them. Operands are
 * {@link dev.fovea.kernels.Span}s (address, bytes, dtype); sizes are plain numbers. Conventions that hold everywhere
 * unless a method says otherwise:
 *
 * <ul>
 *   <li><b>Layout.</b> Matrices are row-major. A leading dimension {@code ld} is the distance of two rows in elements.
 *       Tokens of a batch lie one after the other: row {@code b * tokens + t}.
 *   <li><b>Dtypes.</b> Activations, weights and parameter vectors are F32 or BF16, each operand as it likes;
 *       statistics, losses and reductions are F32. Arithmetic and accumulation are F32.
 *   <li><b>Rounding.</b> Stores to BF16 round to nearest, ties to even.
 *   <li><b>Aliasing.</b> An output may be the same span as an input of the same shape and dtype only where the method
 *       says so; any other overlap gives undefined results.
 *   <li><b>Determinism.</b> Equal arguments give equal bits on one device, whatever the number of threads and the load:
 *       work is split by shape, never by thread count, and nothing is summed by atomics.
 *   <li><b>Errors.</b> A call that does not fit its operands throws {@link java.lang.IllegalArgumentException} naming
 *       the argument, what it got and what was expected, and writes nothing.
 *   <li><b>Error bounds.</b> Stated against exact arithmetic with {@code u = 2^-24}: a sum of {@code n} products is
 *       within {@code (n + 2) u} times the sum of the products' magnitudes.
 * </ul>
 */
@NullMarked
package dev.fovea.kernels;

import org.jspecify.annotations.NullMarked;
