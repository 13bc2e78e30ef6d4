/** The command {@code ./fovea bench}. */
@NullMarked
package dev.fovea.bench.cli;

import org.jspecify.annotations.NullMarked;
