/** The table of kernel cases, and what holds a device to it. */
@org.jspecify.annotations.NullMarked
package dev.fovea.kernels.contract;
