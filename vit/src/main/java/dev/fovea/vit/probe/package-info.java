/** What a model's features are worth: linear probes in closed form. */
@NullMarked
package dev.fovea.vit.probe;

import org.jspecify.annotations.NullMarked;
