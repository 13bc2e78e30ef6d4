/**
 * The kernels on NVIDIA GPUs. {@link dev.fovea.kernels.cuda.Driver} is all that they need of a device: one
 * implementation stands on CUDA's driver library, and tests run the same kernels on a machine of their own.
 */
@NullMarked
package dev.fovea.kernels.cuda;

import org.jspecify.annotations.NullMarked;
