/**
 * Tensors and the memory they live in.
 *
 * <pre>{@code
 * import dev.fovea.kernels.DType;
 * import dev.fovea.tensor.*;
 *
 * try (Scope scope = Scope.open(Device.cpu())) {
 *   Tensor images = Tensor.of(new float[] {1, 2, 3, 4, 5, 6}, 2, 3); // F32 [2, 3]
 *   Tensor second = images.narrow(1, 1); // a view: the same memory
 *   Tensor small = second.to(DType.BF16); // converted: memory of its own
 *   System.out.println(small); // BF16 [1, 3] on cpu: 4.0, 5.0, 6.0
 * } // all three are closed, their memory goes back to the device
 * }</pre>
 *
 * <h2>Who owns memory</h2>
 *
 * A {@link dev.fovea.tensor.Device} has memory and kernels. A {@link dev.fovea.tensor.Tensor} is a handle on memory. A
 * {@link dev.fovea.tensor.Scope} owns the handles made while it was innermost on their thread, whatever their operands
 * belong to, and closes them when it closes; {@link dev.fovea.tensor.Scope#keep keep} hands one on to the scope
 * outside. Memory is freed with the last handle on it, on the spot, and never by the garbage collector. Memory that is
 * forgotten instead of closed is given back when that is noticed, with a warning from the logger
 * {@code dev.fovea.tensor}.
 *
 * <h2>System properties</h2>
 *
 * <ul>
 *   <li>{@code fovea.leaks}: which allocations remember their stack for such warnings and for the messages about closed
 *       tensors: {@code sampled} (one in 128, the default), {@code all}, or {@code off} (no stacks and no warnings).
 *   <li>{@code fovea.poison}: {@code true} fills memory with NaN where nothing was written yet, and when it is freed.
 * </ul>
 *
 * <h2>Errors</h2>
 *
 * {@link java.lang.IllegalArgumentException} for shapes, dtypes and devices that do not fit, naming the argument, what
 * it was and what was expected; {@link java.lang.IllegalStateException} for what is used or closed after it was closed;
 * {@link java.lang.WrongThreadException} for a scope of another thread;
 * {@link dev.fovea.tensor.OutOfDeviceMemoryException} with a breakdown when there is not enough memory.
 */
@NullMarked
package dev.fovea.tensor;

import org.jspecify.annotations.NullMarked;
