/** Plots, drawn alike as SVG and as PNG. */
@NullMarked
package dev.fovea.bench.plot;

import org.jspecify.annotations.NullMarked;
