package dev.fovea.vit.model;

import dev.fovea.kernels.Activation;
import org.jspecify.annotations.Nullable;

/**
 * Everything that tells one Vision Transformer from another. {@link Presets} has those of the papers; others are made
 * with {@link #builder} or, from one that is similar, with {@link #toBuilder}:
 *
 * <pre>{@code
 * VitConfig config = Presets.of("Ti/16").toBuilder().image(64).patch(8).classes(10).build();
 * }</pre>
 *
 * @param imageHeight pixels
 * @param imageWidth pixels
 * @param channels of the image
 * @param stem how a patch becomes a token
 * @param stemNorm of an {@link Stem#HMLP} stem; null where batch norms were folded into its layers ({@link BatchNorm})
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
 * @param projBias whether the attention's output projection has a bias; in a {@link Block#PARALLEL} block it is a
 *     second one beside that of the MLP, to which it is added
 * @param mlpBias whether the MLP's layers have biases
 * @param layerScale whether branches are scaled per channel (CaiT; Three things, section 4)
 * @param dropPath highest rate of stochastic depth in training: each branch is left out for an image with this chance
 * @param dropPathGrows whether the rate grows evenly from 0 at the first block, rather than being the same in all
 * @param classToken whether a learned token comes first
 * @param registers learned tokens after the class token
 * @param positions how patches know where they are
 * @param prefixPositions whether class and register tokens have positions too
 * @param resampling how learned positions become those of another grid
 * @param dynamicSize whether pictures of any size are taken, with positions resampled for each
 * @param preNorm a norm before the first block, or null
 * @param finalNorm a norm after the last block, or null
 * @param headNorm a norm of the pooled vector, or null
 * @param pool how tokens become one vector
 * @param poolHeads heads of MAP pooling, else 0
 * @param poolMlp hidden width of MAP pooling's MLP, else 0
 * @param poolActivation of MAP pooling's MLP, else {@link Activation#NONE}
 * @param preLogits width of a layer with tanh between the pooled vector and the classifier; 0 for none
 * @param classes of the classifier, 0 for none
 */
public record VitConfig(
    int imageHeight,
    int imageWidth,
    int channels,
    Stem stem,
    @Nullable Norm stemNorm,
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
    boolean projBias,
    boolean mlpBias,
    boolean layerScale,
    float dropPath,
    boolean dropPathGrows,
    boolean classToken,
    int registers,
    Positions positions,
    boolean prefixPositions,
    Resampling resampling,
    boolean dynamicSize,
    @Nullable Norm preNorm,
    @Nullable Norm finalNorm,
    @Nullable Norm headNorm,
    Pool pool,
    int poolHeads,
    int poolMlp,
    Activation poolActivation,
    int preLogits,
    int classes) {

  /** How a patch becomes a token. */
  public enum Stem {
    /** One linear layer. */
    LINEAR,
    /**
     * Three layers: on squares a quarter of the patch's height and width, on two by two of their values, and on two by
     * two of those; a norm after each, GELU between them (Three things, section 5).
     */
    HMLP
  }

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
    SINCOS,
    /** They do not. */
    NONE
  }

  /** How tokens become one vector. */
  public enum Pool {
    /** The class token. */
    CLASS,
    /** The mean over patches. */
    MEAN,
    /** The class token, then the mean over patches: twice the width (DINOv2's linear classifier). */
    CLASS_AND_MEAN,
    /** Multihead attention pooling of the patches with a learned query (Scaling ViT, section 3.2). */
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
    public Norm {
      if (bias && !centered) {
        throw new IllegalArgumentException("bias: got one for an RMSNorm, expected none");
      }
      if (!(eps >= 0)) {
        throw new IllegalArgumentException("eps: got " + eps + ", expected at least 0");
      }
    }

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
    positive("patchHeight", patchHeight, 1);
    positive("patchWidth", patchWidth, 1);
    positive("imageHeight", imageHeight, patchHeight);
    positive("imageWidth", imageWidth, patchWidth);
    positive("channels", channels, 1);
    positive("width", width, 1);
    positive("depth", depth, 1);
    positive("mlp", mlp, 1);
    positive("branches", branches, 1);
    divides("heads", heads, width);
    positive("registers", registers, 0);
    positive("preLogits", preLogits, 0);
    positive("classes", classes, 0);
    if (stem == Stem.HMLP) {
      multiple("patchHeight", patchHeight, "an HMLP stem");
      multiple("patchWidth", patchWidth, "an HMLP stem");
      multiple("width", width, "an HMLP stem");
    } else if (stemNorm != null) {
      throw new IllegalArgumentException("stemNorm: got one for a LINEAR stem, expected none");
    }
    if (gated && mlp % 2 != 0) {
      throw new IllegalArgumentException("mlp: got " + mlp + ", expected an even number for a gated one");
    }
    if (gated && block == Block.PARALLEL) {
      throw new IllegalArgumentException("gated: got true for PARALLEL blocks, expected false");
    }
    if (branches > 1 && block != Block.THINGS) {
      throw new IllegalArgumentException("branches: got %d for %s blocks, expected 1".formatted(branches, block));
    }
    if (!(dropPath >= 0 && dropPath < 1)) {
      throw new IllegalArgumentException("dropPath: got " + dropPath + ", expected a rate in [0, 1)");
    }
    if ((pool == Pool.CLASS || pool == Pool.CLASS_AND_MEAN) && !classToken) {
      throw new IllegalArgumentException("pool: got " + pool + " without a class token, expected MEAN or MAP");
    }
    if (pool == Pool.CLASS_AND_MEAN && headNorm != null) {
      throw new IllegalArgumentException("headNorm: got one for CLASS_AND_MEAN pooling, expected none");
    }
    if (pool == Pool.MAP) {
      divides("poolHeads", poolHeads, width);
      positive("poolMlp", poolMlp, 1);
    }
    if (positions == Positions.SINCOS) {
      multiple("width", width, "SINCOS positions");
    }
  }

  /** A builder of ViT-B/16; see {@link VitConfigBuilder}. */
  public static VitConfigBuilder builder() {
    return new VitConfigBuilder();
  }

  /** A builder that starts from this. */
  public VitConfigBuilder toBuilder() {
    return new VitConfigBuilder(this);
  }

  /** This as a JSON object, with a field for every component. */
  public String toJson() {
    return VitConfigJson.write(this);
  }

  /**
   * The configuration that a JSON object describes, as {@link #toJson} writes it. A field that is left out is as in
   * {@link #builder}.
   *
   * @throws IllegalArgumentException if it is not such an object, has an unknown field, or its parts do not fit
   *     together
   */
  public static VitConfig fromJson(String json) {
    return VitConfigJson.read(json);
  }

  private static void multiple(String name, int value, String what) {
    if (value % 4 != 0) {
      throw new IllegalArgumentException("%s: got %d, expected a multiple of 4 for %s".formatted(name, value, what));
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

  /** The patches of an image, as rows and columns. */
  public Grid grid() {
    return new Grid(gridRows(), gridColumns());
  }

  /** Tokens that blocks work on (N). */
  public int tokens() {
    return prefixTokens() + patches();
  }

  /** Width of a head. */
  public int headDim() {
    return width / heads;
  }

  /** Width of what the model says about a picture before the classifier. */
  public int representation() {
    return preLogits > 0 ? preLogits : pooled();
  }

  /** Width of the pooled tokens. */
  public int pooled() {
    return pool == Pool.CLASS_AND_MEAN ? 2 * width : width;
  }

  /** Input width of the MLP's second layer. */
  public int mlpInner() {
    return gated ? mlp / 2 : mlp;
  }

  /**
   * The chance that each branch of a block is left out in training.
   *
   * @param index of the block
   */
  public float dropPathOf(int index) {
    return !dropPathGrows ? dropPath : depth == 1 ? 0 : dropPath * index / (depth - 1);
  }
}
