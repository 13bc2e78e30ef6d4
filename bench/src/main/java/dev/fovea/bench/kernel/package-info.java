/** The benchmarks of kernels: one class for each family, one method for each kernel, sizes as in the papers. */
@NullMarked
package dev.fovea.bench.kernel;

import org.jspecify.annotations.NullMarked;
