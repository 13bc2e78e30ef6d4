/**
 * Weights that people already have: which configuration a folder means, and where each of its tensors belongs. Weights
 * are only ever data; nothing in a file is run.
 */
@NullMarked
package dev.fovea.vit.weights;

import org.jspecify.annotations.NullMarked;
