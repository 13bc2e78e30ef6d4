package dev.fovea.vit.weights;

import dev.fovea.tensor.Shape;
import dev.fovea.vit.model.VitConfig;
import java.io.IOException;
import java.util.List;
import java.util.stream.LongStream;

/**
 * What big_vision calls the parameters of a model, and the vision_transformer code before it. Its kernels are [in,
 * out], with outputs of attention split into [heads, headDim], and [height, width, channels, out] for patches.
 */
final class FlaxNames {
  static final String PATCHES = "embedding/kernel";

  private final VitConfig config;
  private final Style style;
  private final long d;
  private final Pieces pieces;

  /** The current block. */
  private int layer;

  /** Whether the current tensors are stacks of all blocks'. */
  private boolean stacked;

  /**
   * How a file differs from another of the same model.
   *
   * @param prefix before every name
   * @param scan whether the blocks' tensors are stacked
   * @param flat whether the patch kernel is a matrix, and positions a grid (NaFlex)
   * @param positions name of the positions
   * @param map before the names of the pooling head
   * @param attention name of a block's attention
   * @param norm2 name of a block's second norm
   * @param mlp name of a block's MLP
   */
  record Style(
      String prefix,
      boolean scan,
      boolean flat,
      String positions,
      String map,
      String attention,
      String norm2,
      String mlp) {
    /** The style of a file. */
    static Style of(Found found) throws IOException {
      Names names = found.names();
      String prefix = names.before(PATCHES);
      String transformer = prefix + "Transformer/";
      boolean scan = names.starts(transformer + "encoderblock/");
      String block = transformer + (scan ? "encoderblock/" : "encoderblock_0/");
      return new Style(
          prefix,
          scan,
          found.rank(prefix + PATCHES) == 2,
          names.pick(prefix, "pos_embedding", "Transformer/posembed_input/pos_embedding", "Transformer/pos_embedding"),
          names.has(prefix + "probe") ? "" : "MAPHead_0/",
          names.pick(block, "MultiHeadDotProductAttention_0/", "MultiHeadDotProductAttention_1/"),
          names.pick(block, "LayerNorm_1/", "LayerNorm_2/"),
          names.pick(block, "MlpBlock_0/", "MlpBlock_3/"));
    }

    /** Before the names of a block. */
    String block(int index) {
      return prefix + "Transformer/" + (scan ? "encoderblock/" : "encoderblock_" + index + "/");
    }
  }

  private FlaxNames(VitConfig config, Style style) {
    this.config = config;
    this.style = style;
    d = config.width();
    pieces = new Pieces(config);
  }

  /** Whether a file of these names is big_vision's. */
  static boolean knows(Names names) {
    return names.ends(PATCHES) && names.ends("Transformer/encoder_norm/scale");
  }

  /** Whether a tensor stands beside the model: another tower, or an optimizer's state. */
  static boolean ignores(Style style, String name) {
    return !style.prefix().isEmpty() && !name.startsWith(style.prefix());
  }

  static List<Piece> of(VitConfig config, Style style) {
    var all = new FlaxNames(config, style);
    all.embedding();
    for (int i = 0; i < config.depth(); i++) {
      all.block(i);
    }
    all.head();
    return all.pieces.list();
  }

  private void embedding() {
    long h = config.patchHeight();
    long w = config.patchWidth();
    long c = config.channels();
    pieces.part(
        style.prefix + PATCHES,
        0,
        "patch_embed.weight",
        0,
        false,
        style.flat ? new long[] {h * w * c, d} : new long[] {h, w, c, d},
        new Axis(d, 1, c * h * w),
        new Axis(c, d, h * w),
        new Axis(h * w, c * d, 1));
    pieces.bias(style.prefix + "embedding/bias", "patch_embed.bias");
    if (config.classToken()) {
      pieces.rows(style.prefix + "cls", "prefix", 0, 1, 1, d);
    }
    if (config.positions() == VitConfig.Positions.LEARNED) {
      long count = (long) config.patches() + (config.prefixPositions() ? config.prefixTokens() : 0);
      pieces.whole(
          style.prefix + style.positions,
          "positions",
          style.flat ? new long[] {config.gridRows(), config.gridColumns(), d} : new long[] {1, count, d});
    }
  }

  private void block(int index) {
    layer = index;
    stacked = style.scan;
    String from = style.block(index);
    String to = "blocks." + index + ".";
    norm(from + "LayerNorm_0/", to + "norm1.", d);
    String attention = from + style.attention;
    String[] inputs = {"query/", "key/", "value/"};
    for (int i = 0; i < inputs.length; i++) {
      heads(attention + inputs[i], to + "attn.qkv.", i, config.heads());
    }
    norm(attention + "query_ln/", to + "attn.q_norm.", config.headDim());
    norm(attention + "key_ln/", to + "attn.k_norm.", config.headDim());
    out(attention + "out/", to + "attn.proj.", config.heads());
    norm(from + style.norm2, to + "norm2.", d);
    mlp(from + style.mlp, to + "mlp.", config.mlp());
    stacked = false;
  }

  private void head() {
    String at = style.prefix;
    norm(at + "Transformer/encoder_norm/", "norm.", d);
    if (config.pool() == VitConfig.Pool.MAP) {
      String map = at + style.map;
      pieces.whole(map + "probe", "pool.probe", 1, 1, d);
      String attention = map + "MultiHeadDotProductAttention_0/";
      heads(attention + "query/", "pool.q.", 0, config.poolHeads());
      heads(attention + "key/", "pool.kv.", 0, config.poolHeads());
      heads(attention + "value/", "pool.kv.", 1, config.poolHeads());
      out(attention + "out/", "pool.proj.", config.poolHeads());
      norm(map + "LayerNorm_0/", "pool.norm.", d);
      mlp(map + "MlpBlock_0/", "pool.mlp.", config.poolMlp());
    }
    if (config.preLogits() > 0) {
      dense(at + "pre_logits/", "pre_logits.", d, config.preLogits());
    }
    if (config.classes() > 0) {
      dense(at + "head/", "head.", config.preLogits() > 0 ? config.preLogits() : d, config.classes());
    }
  }

  private void mlp(String from, String to, long hidden) {
    dense(from + "Dense_0/", to + "fc1.", d, hidden);
    dense(from + "Dense_1/", to + "fc2.", hidden, d);
  }

  private void dense(String from, String to, long in, long out) {
    transposed(from, to, 0, in, out, in, out);
    vector(from + "bias", to + "bias", 0, out);
  }

  /** A projection to heads, which are rows of our weight from the {@code part}-th width on. */
  private void heads(String from, String to, int part, long heads) {
    transposed(from, to, part * d, d, d, d, heads, d / heads);
    vector(from + "bias", to + "bias", part * d, heads, d / heads);
  }

  private void out(String from, String to, long heads) {
    transposed(from, to, 0, d, d, heads, d / heads, d);
    vector(from + "bias", to + "bias", 0, d);
  }

  private void norm(String from, String to, long width) {
    vector(from + "scale", to + "weight", 0, width);
    vector(from + "bias", to + "bias", 0, width);
  }

  private void transposed(String from, String to, long row, long in, long out, long... shape) {
    put(from + "kernel", to + "weight", row * in, shape, new Axis(out, 1, in), new Axis(in, out, 1));
  }

  private void vector(String from, String to, long first, long... shape) {
    put(from, to, first, shape, new Axis(Shape.of(shape).count(), 1, 1));
  }

  private void put(String from, String to, long into, long[] shape, Axis... axes) {
    if (pieces.has(to)) {
      Shape own = Shape.of(shape);
      long[] stack =
          LongStream.concat(LongStream.of(config.depth()), LongStream.of(shape)).toArray();
      pieces.part(from, stacked ? layer * own.count() : 0, to, into, false, stacked ? stack : shape, axes);
    }
  }
}
