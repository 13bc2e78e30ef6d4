/** Scaling laws: what error a compute buys, and which shape of model suits a compute. */
@NullMarked
package dev.fovea.vit.scaling;

import org.jspecify.annotations.NullMarked;
