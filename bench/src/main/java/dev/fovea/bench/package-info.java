/**
 * JMH benchmarks of the kernels beside the libraries that a user might pick instead, and the table made of them.
 *
 * <p>{@link dev.fovea.bench.CpuTable} runs what the README's table shows; every suite also runs the usual way, with
 * {@code java -jar bench/target/benchmarks.jar}.
 */
@NullMarked
package dev.fovea.bench;

import org.jspecify.annotations.NullMarked;
