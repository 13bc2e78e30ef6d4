/** Evidence from a real GPU: every case of the contract, models and times, and the file that keeps them. */
@NullMarked
package dev.fovea.bench.gpu;

import org.jspecify.annotations.NullMarked;
