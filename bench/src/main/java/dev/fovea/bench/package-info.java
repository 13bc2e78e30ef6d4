/**
 * Benchmarks beside their peers: {@link dev.fovea.bench.Suites} lists them, {@code ./fovea bench} runs them. JMH's own
 * program, the main class of {@code benchmarks.jar}, runs them too.
 */
@NullMarked
package dev.fovea.bench;

import org.jspecify.annotations.NullMarked;
