/** What benchmarks find: results, the machine they are from, and the tables and plots made of them. */
@NullMarked
package dev.fovea.bench.report;

import org.jspecify.annotations.NullMarked;
