/** Vision Transformers with the weights that people already have: {@link dev.fovea.vit.Vit} is where to begin. */
@NullMarked
package dev.fovea.vit;

import org.jspecify.annotations.NullMarked;
