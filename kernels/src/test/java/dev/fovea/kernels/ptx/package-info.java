/**
 * A machine that executes PTX without a GPU: an interpreter of what {@code nvcc} emits, behind the driver interface,
 * with checks that a GPU does not make (bounds, alignment, uninitialised reads, shared-memory races, deadlocks).
 */
@org.jspecify.annotations.NullMarked
package dev.fovea.kernels.ptx;
