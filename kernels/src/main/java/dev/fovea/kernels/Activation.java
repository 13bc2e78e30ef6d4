package dev.fovea.kernels;

/** Pointwise functions that kernels can fuse. */
public enum Activation {
  /** x. */
  NONE,
  /** 0.5 x (1 + erf(x / sqrt 2)): the exact GELU of timm and transformers' ViT. */
  GELU_ERF,
  /** 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))): the GELU of big_vision and SigLIP. */
  GELU_TANH,
  /** x sigmoid(1.702 x): the GELU of CLIP. */
  GELU_QUICK,
  /** x sigmoid(x). */
  SILU,
  /** tanh x: the pre-logits of the first ViTs. */
  TANH
}
