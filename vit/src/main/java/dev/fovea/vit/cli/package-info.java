/** The command line. */
@org.jspecify.annotations.NullMarked
package dev.fovea.vit.cli;
