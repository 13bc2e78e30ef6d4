/**
 * The inner loops of the CPU kernels, over {@code float[]}, each written twice: with the Vector API and in plain Java.
 * {@link dev.fovea.kernels.cpu.simd.Simd} chooses once, at start-up, and says why. Nothing outside the {@code Vector*}
 * classes mentions {@code jdk.incubator.vector}, so that the library loads where that module is absent.
 */
@NullMarked
package dev.fovea.kernels.cpu.simd;

import org.jspecify.annotations.NullMarked;
