/** The contract once more, as plain loops in double precision: what every device is compared with. */
@org.jspecify.annotations.NullMarked
package dev.fovea.kernels.reference;
