/** Libraries that compute what kernels and models compute, to be timed beside them. */
@NullMarked
package dev.fovea.bench.peer;

import org.jspecify.annotations.NullMarked;
