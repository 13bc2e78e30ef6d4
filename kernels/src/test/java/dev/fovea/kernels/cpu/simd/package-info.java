/** Tests of the inner loops, and of the choice between their forms. */
@org.jspecify.annotations.NullMarked
package dev.fovea.kernels.cpu.simd;
