/** Tests of what stands between the contract and a GPU. */
@NullMarked
package dev.fovea.kernels.cuda;

import org.jspecify.annotations.NullMarked;
