/** Pictures to train on: data sets, augmentation, and batches that are a function of the seed and the step. */
@NullMarked
package dev.fovea.vit.data;

import org.jspecify.annotations.NullMarked;
