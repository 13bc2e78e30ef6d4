package dev.fovea.vit.model;

import org.jspecify.annotations.Nullable;

/**
 * One run of a model.
 *
 * @param batch images
 * @param training null in inference
 */
record Pass(int batch, @Nullable Training training) {}
