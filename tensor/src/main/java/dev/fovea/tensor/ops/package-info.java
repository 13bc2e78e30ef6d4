/**
 * The differentiable operations of Vision Transformers, each a fused kernel forward and a few backward:
 * {@link dev.fovea.tensor.ops.Ops} lists them, {@link dev.fovea.tensor.ops.Linear} is the one with options.
 */
@NullMarked
package dev.fovea.tensor.ops;

import org.jspecify.annotations.NullMarked;
