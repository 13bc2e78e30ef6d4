/** The benchmarks of whole models, and of how their cost grows. */
@NullMarked
package dev.fovea.bench.model;

import org.jspecify.annotations.NullMarked;
