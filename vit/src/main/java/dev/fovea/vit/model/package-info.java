/**
 * The models of four papers: {@link dev.fovea.vit.model.VitConfig} tells one from another,
 * {@link dev.fovea.vit.model.VisionTransformer} runs it.
 */
@NullMarked
package dev.fovea.vit.model;

import org.jspecify.annotations.NullMarked;
