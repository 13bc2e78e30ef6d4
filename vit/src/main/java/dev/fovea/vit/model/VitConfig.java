package dev.fovea.vit.model;

import dev.fovea.kernels.Activation;
import org.jspecify.annotations.Nullable;

/**
 * Everything that tells one Vision Transformer from another.
 *
 * @param imageHeight pixels
 * @param imageWidth pixels
 * @param channels of the image
 * @param patchHeight pixels; rows past the last whole patch are left out
 * @param patchWidth pixels
 * @param patchBias whether the patch embedding has a bias
 * @param width of a token (d)
 * @param depth number of blocks (L)
 * @param heads of attention (H); divides the width
 * @param mlp hidden width of the MLP (m); for a gated one the width of its first layer's output
 * @param activation of the MLP; ignored if gated
 * @param gated whether the MLP is SwiGLU: its hidden values are silu(left half) times right half
 * @param block how a block is put together
 * @param branches attention and MLP branches in a block of kind {@link Block#THINGS}; else 1
 * @param norm of the blocks
 * @param qkNorm of each head's queries and keys, or null for none (ViT-22B, section 2.1)
 * @param qkvBias whether queries, keys and values have a bias
 * @param layerScale whether branches are scaled per channel (CaiT; Three things, section 4)
 * @param classToken whether a learned token comes first
 * @param registers learned tokens after the class token
 * @param positions how patches know where they are
 * @param prefixPositions whether class and register tokens have positions too
 * @param preNorm a norm before the first block, or null
 * @param finalNorm a norm after the last block, or null
 * @param headNorm a norm of the pooled vector, or null
 * @param pool how tokens become one vector
 * @param poolHeads heads of MAP pooling
 * @param poolMlp hidden width of MAP pooling's MLP
 * @param poolActivation of MAP pooling's MLP
 * @param classes of the classifier, 0 for none
 */
public record VitConfig(
    int imageHeight,
    int imageWidth,
    int channels,
    int patchHeight,
    int patchWidth,
    boolean patchBias,
    int width,
    int depth,
    int heads,
    int mlp,
    Activation activation,
    boolean gated,
    Block block,
    int branches,
    Norm norm,
    @Nullable Norm qkNorm,
    boolean qkvBias,
    boolean layerScale,
    boolean classToken,
    int registers,
    Positions positions,
    boolean prefixPositions,
    @Nullable Norm preNorm,
    @Nullable Norm finalNorm,
    @Nullable Norm headNorm,
    Pool pool,
    int poolHeads,
    int poolMlp,
    Activation poolActivation,
    int classes) {

  /** How a block is put together. */
  public enum Block {
    /** Attention, then MLP, each with a norm before and a residual around it. */
    SEQUENTIAL,
    /** Attention and MLP side by side on one norm, in two fused projections (ViT-22B, section 2). */
    PARALLEL,
    /** Several attentions side by side, then several MLPs side by side (Three things, section 3). */
    THINGS
  }

  /** How patches know where they are. */
  public enum Positions {
    /** One learned vector per patch. */
    LEARNED,
    /** Fixed sines and cosines of x and y. */
    SINCOS
  }

  /** How tokens become one vector. */
  public enum Pool {
    /** The class token. */
    CLASS,
    /** The mean over patches. */
    MEAN,
    /** Multihead attention pooling with a learned query (Scaling ViT, section 3.2). */
    MAP
  }

  /**
   * A normalisation.
   *
   * @param centered LayerNorm if true, RMSNorm if false
   * @param bias whether it has a bias beside its scale
   * @param eps added to the variance
   */
  public record Norm(boolean centered, boolean bias, float eps) {
    /** LayerNorm with scale and bias. */
    public static Norm layer(float eps) {
      return new Norm(true, true, eps);
    }

    /** RMSNorm with scale. */
    public static Norm rms(float eps) {
      return new Norm(false, false, eps);
    }
  }

  public VitConfig {
    positive("imageHeight", imageHeight, patchHeight);
    positive("imageWidth", imageWidth, patchWidth);
    positive("channels", channels, 1);
    positive("patchHeight", patchHeight, 1);
    positive("patchWidth", patchWidth, 1);
    positive("width", width, 1);
    positive("depth", depth, 1);
    positive("mlp", mlp, 1);
    positive("branches", branches, 1);
    divides("heads", heads, width);
    if (gated && mlp % 2 != 0) {
      throw new IllegalArgumentException("mlp: got " + mlp + ", expected an even number for a gated one");
    }
    if (registers < 0 || classes < 0) {
      throw new IllegalArgumentException(
          "registers, classes: got %d, %d, expected at least 0".formatted(registers, classes));
    }
    if (pool == Pool.CLASS && !classToken) {
      throw new IllegalArgumentException("pool: got CLASS without a class token, expected MEAN or MAP");
    }
    if (pool == Pool.MAP) {
      divides("poolHeads", poolHeads, width);
      positive("poolMlp", poolMlp, 1);
    }
    if (positions == Positions.SINCOS && width % 4 != 0) {
      throw new IllegalArgumentException("width: got " + width + ", expected a multiple of 4 for SINCOS positions");
    }
  }

  private static void positive(String name, int value, int least) {
    if (value < least) {
      throw new IllegalArgumentException("%s: got %d, expected at least %d".formatted(name, value, least));
    }
  }

  private static void divides(String name, int value, int whole) {
    if (value < 1 || whole % value != 0) {
      throw new IllegalArgumentException(
          "%s: got %d, expected a divisor of the width, %d".formatted(name, value, whole));
    }
  }

  /** Patches from top to bottom. */
  public int gridRows() {
    return imageHeight / patchHeight;
  }

  /** Patches from left to right. */
  public int gridColumns() {
    return imageWidth / patchWidth;
  }

  /** Patches of an image (n). */
  public int patches() {
    return gridRows() * gridColumns();
  }

  /** Class and register tokens. */
  public int prefixTokens() {
    return (classToken ? 1 : 0) + registers;
  }

  /** Tokens that blocks work on (N). */
  public int tokens() {
    return prefixTokens() + patches();
  }

  /** Width of a head. */
  public int headDim() {
    return width / heads;
  }

  /** Input width of the MLP's second layer. */
  public int mlpInner() {
    return gated ? mlp / 2 : mlp;
  }
}
