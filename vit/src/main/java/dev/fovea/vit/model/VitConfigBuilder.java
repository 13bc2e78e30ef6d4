package dev.fovea.vit.model;

import dev.fovea.kernels.Activation;
import org.jspecify.annotations.Nullable;

/**
 * Makes a {@link VitConfig}. What is not said is as in big_vision's ViT-B/16 at 224 pixels with a MAP head and no
 * classifier. Every method returns this; {@link #build} checks.
 */
public final class VitConfigBuilder {
  private int imageHeight = 224;
  private int imageWidth = 224;
  private int channels = 3;
  private VitConfig.Stem stem = VitConfig.Stem.LINEAR;
  private VitConfig.@Nullable Norm stemNorm;
  private int patchHeight = 16;
  private int patchWidth = 16;
  private boolean patchBias = true;
  private int width = 768;
  private int depth = 12;
  private int heads = 12;
  private int mlp;
  private Activation activation = Activation.GELU_TANH;
  private boolean gated;
  private VitConfig.Block block = VitConfig.Block.SEQUENTIAL;
  private int branches = 1;
  private VitConfig.Norm norm = VitConfig.Norm.layer(1e-6f);
  private VitConfig.@Nullable Norm qkNorm;
  private boolean qkvBias = true;
  private boolean projBias = true;
  private boolean mlpBias = true;
  private boolean layerScale;
  private float dropPath;
  private boolean dropPathGrows = true;
  private boolean classToken;
  private int registers;
  private VitConfig.Positions positions = VitConfig.Positions.LEARNED;
  private boolean prefixPositions;
  private Resampling resampling = Resampling.BILINEAR_CORNERS;
  private boolean dynamicSize;
  private VitConfig.@Nullable Norm preNorm;
  private VitConfig.@Nullable Norm finalNorm = VitConfig.Norm.layer(1e-6f);
  private VitConfig.@Nullable Norm headNorm;
  private VitConfig.Pool pool = VitConfig.Pool.MAP;
  private int poolHeads;
  private int poolMlp;
  private Activation poolActivation = Activation.NONE;
  private int preLogits;
  private int classes;

  VitConfigBuilder() {}

  VitConfigBuilder(VitConfig from) {
    imageHeight = from.imageHeight();
    imageWidth = from.imageWidth();
    channels = from.channels();
    stem = from.stem();
    stemNorm = from.stemNorm();
    patchHeight = from.patchHeight();
    patchWidth = from.patchWidth();
    patchBias = from.patchBias();
    width = from.width();
    depth = from.depth();
    heads = from.heads();
    mlp = from.mlp();
    activation = from.activation();
    gated = from.gated();
    block = from.block();
    branches = from.branches();
    norm = from.norm();
    qkNorm = from.qkNorm();
    qkvBias = from.qkvBias();
    projBias = from.projBias();
    mlpBias = from.mlpBias();
    layerScale = from.layerScale();
    dropPath = from.dropPath();
    dropPathGrows = from.dropPathGrows();
    classToken = from.classToken();
    registers = from.registers();
    positions = from.positions();
    prefixPositions = from.prefixPositions();
    resampling = from.resampling();
    dynamicSize = from.dynamicSize();
    preNorm = from.preNorm();
    finalNorm = from.finalNorm();
    headNorm = from.headNorm();
    pool = from.pool();
    poolHeads = from.poolHeads();
    poolMlp = from.poolMlp();
    poolActivation = from.poolActivation();
    preLogits = from.preLogits();
    classes = from.classes();
  }

  /** Pixels of square pictures. */
  public VitConfigBuilder image(int size) {
    return imageHeight(size).imageWidth(size);
  }

  /** Pixels of square patches. */
  public VitConfigBuilder patch(int size) {
    return patchHeight(size).patchWidth(size);
  }

  /** Width and depth of the trunk, hidden width of its MLPs, heads of its attention. */
  public VitConfigBuilder shape(int tokenWidth, int blocks, int mlpWidth, int attentionHeads) {
    return width(tokenWidth).depth(blocks).mlp(mlpWidth).heads(attentionHeads);
  }

  /** Pixels from top to bottom. */
  public VitConfigBuilder imageHeight(int value) {
    imageHeight = value;
    return this;
  }

  /** Pixels from left to right. */
  public VitConfigBuilder imageWidth(int value) {
    imageWidth = value;
    return this;
  }

  /** Channels of the image. */
  public VitConfigBuilder channels(int value) {
    channels = value;
    return this;
  }

  /** How a patch becomes a token. */
  public VitConfigBuilder stem(VitConfig.Stem value) {
    stem = value;
    return this;
  }

  /** Norm of an hMLP stem; null where batch norms were folded into its layers. */
  public VitConfigBuilder stemNorm(VitConfig.@Nullable Norm value) {
    stemNorm = value;
    return this;
  }

  /** Pixels of a patch from top to bottom. */
  public VitConfigBuilder patchHeight(int value) {
    patchHeight = value;
    return this;
  }

  /** Pixels of a patch from left to right. */
  public VitConfigBuilder patchWidth(int value) {
    patchWidth = value;
    return this;
  }

  /** Whether the patch embedding has a bias. */
  public VitConfigBuilder patchBias(boolean value) {
    patchBias = value;
    return this;
  }

  /** Width of a token. */
  public VitConfigBuilder width(int value) {
    width = value;
    return this;
  }

  /** Number of blocks. */
  public VitConfigBuilder depth(int value) {
    depth = value;
    return this;
  }

  /** Heads of attention. */
  public VitConfigBuilder heads(int value) {
    heads = value;
    return this;
  }

  /** Hidden width of the MLP; 0 for four times the width. */
  public VitConfigBuilder mlp(int value) {
    mlp = value;
    return this;
  }

  /** Of the MLP. */
  public VitConfigBuilder activation(Activation value) {
    activation = value;
    return this;
  }

  /** Whether the MLP is SwiGLU. */
  public VitConfigBuilder gated(boolean value) {
    gated = value;
    return this;
  }

  /** How a block is put together. */
  public VitConfigBuilder block(VitConfig.Block value) {
    block = value;
    return this;
  }

  /** Branches of each kind in a block of kind THINGS. */
  public VitConfigBuilder branches(int value) {
    branches = value;
    return this;
  }

  /** Of the blocks. */
  public VitConfigBuilder norm(VitConfig.Norm value) {
    norm = value;
    return this;
  }

  /** Of each head's queries and keys; null for none. */
  public VitConfigBuilder qkNorm(VitConfig.@Nullable Norm value) {
    qkNorm = value;
    return this;
  }

  /** Whether queries, keys and values have a bias. */
  public VitConfigBuilder qkvBias(boolean value) {
    qkvBias = value;
    return this;
  }

  /** Whether the attention's output projection has a bias. */
  public VitConfigBuilder projBias(boolean value) {
    projBias = value;
    return this;
  }

  /** Whether the MLP's layers have biases. */
  public VitConfigBuilder mlpBias(boolean value) {
    mlpBias = value;
    return this;
  }

  /** Whether branches are scaled per channel. */
  public VitConfigBuilder layerScale(boolean value) {
    layerScale = value;
    return this;
  }

  /** Highest rate of stochastic depth. */
  public VitConfigBuilder dropPath(float value) {
    dropPath = value;
    return this;
  }

  /** Whether the rate grows from 0 at the first block, rather than being the same in all. */
  public VitConfigBuilder dropPathGrows(boolean value) {
    dropPathGrows = value;
    return this;
  }

  /** Whether a learned token comes first. */
  public VitConfigBuilder classToken(boolean value) {
    classToken = value;
    return this;
  }

  /** Learned tokens after the class token. */
  public VitConfigBuilder registers(int value) {
    registers = value;
    return this;
  }

  /** How patches know where they are. */
  public VitConfigBuilder positions(VitConfig.Positions value) {
    positions = value;
    return this;
  }

  /** Whether class and register tokens have positions too. */
  public VitConfigBuilder prefixPositions(boolean value) {
    prefixPositions = value;
    return this;
  }

  /** How learned positions become those of another grid. */
  public VitConfigBuilder resampling(Resampling value) {
    resampling = value;
    return this;
  }

  /** Whether pictures of any size are taken. */
  public VitConfigBuilder dynamicSize(boolean value) {
    dynamicSize = value;
    return this;
  }

  /** Before the first block; null for none. */
  public VitConfigBuilder preNorm(VitConfig.@Nullable Norm value) {
    preNorm = value;
    return this;
  }

  /** After the last block; null for none. */
  public VitConfigBuilder finalNorm(VitConfig.@Nullable Norm value) {
    finalNorm = value;
    return this;
  }

  /** Of the pooled vector; null for none. */
  public VitConfigBuilder headNorm(VitConfig.@Nullable Norm value) {
    headNorm = value;
    return this;
  }

  /** How tokens become one vector. */
  public VitConfigBuilder pool(VitConfig.Pool value) {
    pool = value;
    return this;
  }

  /** Heads of MAP pooling; 0 for those of the blocks. */
  public VitConfigBuilder poolHeads(int value) {
    poolHeads = value;
    return this;
  }

  /** Hidden width of MAP pooling's MLP; 0 for that of the blocks. */
  public VitConfigBuilder poolMlp(int value) {
    poolMlp = value;
    return this;
  }

  /** Of MAP pooling's MLP; NONE for that of the blocks. */
  public VitConfigBuilder poolActivation(Activation value) {
    poolActivation = value;
    return this;
  }

  /** Width of a tanh layer before the classifier; 0 for none. */
  public VitConfigBuilder preLogits(int value) {
    preLogits = value;
    return this;
  }

  /** Of the classifier; 0 for none. */
  public VitConfigBuilder classes(int value) {
    classes = value;
    return this;
  }

  /**
   * The configuration.
   *
   * @throws IllegalArgumentException if its parts do not fit together
   */
  public VitConfig build() {
    boolean map = pool == VitConfig.Pool.MAP;
    int hidden = mlp == 0 ? 4 * width : mlp;
    return new VitConfig(
        imageHeight,
        imageWidth,
        channels,
        stem,
        stemNorm,
        patchHeight,
        patchWidth,
        patchBias,
        width,
        depth,
        heads,
        hidden,
        activation,
        gated,
        block,
        branches,
        norm,
        qkNorm,
        qkvBias,
        projBias,
        mlpBias,
        layerScale,
        dropPath,
        dropPathGrows,
        classToken,
        registers,
        positions,
        prefixPositions,
        resampling,
        dynamicSize,
        preNorm,
        finalNorm,
        headNorm,
        pool,
        !map ? 0 : poolHeads == 0 ? heads : poolHeads,
        !map ? 0 : poolMlp == 0 ? hidden : poolMlp,
        !map ? Activation.NONE : poolActivation == Activation.NONE ? activation : poolActivation,
        preLogits,
        classes);
  }
}
