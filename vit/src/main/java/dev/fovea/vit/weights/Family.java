package dev.fovea.vit.weights;

import org.jspecify.annotations.Nullable;

/** Whose names the tensors of a file have. */
public enum Family {
  /** Fovea's own names, for models that timm cannot express. */
  FOVEA("Fovea"),
  /** timm: ViT, DeiT, SigLIP, DINOv2 and others. */
  TIMM("timm"),
  /** transformers' ViT and DINOv2. */
  TRANSFORMERS("transformers"),
  /** transformers' SigLIP. */
  SIGLIP("transformers SigLIP"),
  /** big_vision and vision_transformer. */
  BIG_VISION("big_vision");

  private final String title;

  Family(String title) {
    this.title = title;
  }

  /** The family of other libraries' names, or null. */
  static @Nullable Family of(Names names) {
    if (TimmNames.knows(names)) {
      return TIMM;
    }
    if (TransformersNames.knows(names)) {
      return TRANSFORMERS;
    }
    if (SiglipNames.knows(names)) {
      return SIGLIP;
    }
    if (FlaxNames.knows(names)) {
      return BIG_VISION;
    }
    return names.has("patch_embed.weight") || names.has("patch_embed.0.weight") ? FOVEA : null;
  }

  /** Its name as people know it. */
  @Override
  public String toString() {
    return title;
  }
}
