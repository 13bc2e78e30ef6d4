package dev.fovea.tensor;

import dev.fovea.kernels.Activation;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.Sums;
import org.jspecify.annotations.Nullable;

/**
 * A pointwise function whose gradient another operation may apply.
 *
 * @param f the function
 * @param pre its argument, rows of {@code columns} values, {@code ld} apart
 * @param sums where sums over rows of the gradient of {@code pre} go (a bias gradient), or null
 */
public record PreActivation(
    Activation f, Span pre, long ld, int columns, @Nullable Sums sums) {}
