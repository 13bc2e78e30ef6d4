/**
 * From picture files to what models take: decoding, and the preprocessing of each family.
 *
 * <p>A {@link dev.fovea.vit.image.Picture} is decoded 8-bit RGB; a {@link dev.fovea.vit.image.Preprocessing} says how a
 * model wants it resized, cut and normalised; a {@link dev.fovea.vit.image.Preprocessor} does so.
 */
@NullMarked
package dev.fovea.vit.image;

import org.jspecify.annotations.NullMarked;
