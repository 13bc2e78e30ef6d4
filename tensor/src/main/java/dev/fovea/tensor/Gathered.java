package dev.fovea.tensor;

import org.jspecify.annotations.Nullable;

/**
 * What an operand has gathered.
 *
 * @param before the gradient so far, or null
 * @param total where to write the sum of {@code before} and one's own share; may be {@code before}
 */
public record Gathered(@Nullable Tensor before, Tensor total) {}
