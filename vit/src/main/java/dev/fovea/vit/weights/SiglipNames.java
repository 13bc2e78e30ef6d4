package dev.fovea.vit.weights;

import dev.fovea.vit.model.VitConfig;
import java.util.List;

/** What transformers calls the parameters of SigLIP's vision tower, alone or beside the text tower. */
final class SiglipNames {
  static final String PATCHES = "embeddings.patch_embedding.weight";

  private final VitConfig config;
  private final String prefix;
  private final long d;
  private final Pieces pieces;

  private SiglipNames(VitConfig config, Names names) {
    this.config = config;
    prefix = prefix(names);
    d = config.width();
    pieces = new Pieces(config);
  }

  /** Whether a file of these names holds a SigLIP vision tower. */
  static boolean knows(Names names) {
    return names.ends(PATCHES);
  }

  /** What stands before the names of the tower, such as {@code vision_model.}. */
  static String prefix(Names names) {
    return names.before(PATCHES);
  }

  /** What stands before a block's number. */
  static String blocks(Names names) {
    return prefix(names) + names.pick(prefix(names), "encoder.layers.", "layers.");
  }

  /** Whether a tensor belongs to the text tower or to how towers are compared, or is only a table of numbers. */
  static boolean ignores(String name) {
    return name.startsWith("text_model.")
        || name.equals("logit_scale")
        || name.equals("logit_bias")
        || name.endsWith("embeddings.position_ids");
  }

  static List<Piece> of(VitConfig config, Names names) {
    var all = new SiglipNames(config, names);
    all.embedding();
    String blocks = blocks(names);
    for (int i = 0; i < config.depth(); i++) {
      all.block(blocks + i + ".", "blocks." + i + ".");
    }
    all.head();
    return all.pieces.list();
  }

  private void embedding() {
    String at = prefix + "embeddings.";
    pieces.whole(
        prefix + PATCHES, "patch_embed.weight", d, config.channels(), config.patchHeight(), config.patchWidth());
    pieces.bias(at + "patch_embedding.bias", "patch_embed.bias");
    pieces.same(at + "position_embedding.weight", "positions");
  }

  private void block(String from, String to) {
    pieces.norm(from + "layer_norm1.", to + "norm1.");
    String[] inputs = {"q_proj.", "k_proj.", "v_proj."};
    for (int i = 0; i < inputs.length; i++) {
      String input = from + "self_attn." + inputs[i];
      pieces.rows(input + "weight", to + "attn.qkv.weight", i * d, d, d);
      pieces.slice(input + "bias", to + "attn.qkv.bias", i * d, d);
    }
    pieces.linear(from + "self_attn.out_proj.", to + "attn.proj.");
    pieces.norm(from + "layer_norm2.", to + "norm2.");
    pieces.linear(from + "mlp.fc1.", to + "mlp.fc1.");
    pieces.linear(from + "mlp.fc2.", to + "mlp.fc2.");
  }

  private void head() {
    pieces.norm(prefix + "post_layernorm.", "norm.");
    if (config.pool() == VitConfig.Pool.MAP) {
      String at = prefix + "head.";
      pieces.whole(at + "probe", "pool.probe", 1, 1, d);
      String weight = at + "attention.in_proj_weight";
      pieces.part(weight, 0, "pool.q.weight", 0, false, new long[] {3 * d, d}, new Axis(d * d, 1, 1));
      pieces.part(weight, d * d, "pool.kv.weight", 0, false, new long[] {3 * d, d}, new Axis(2 * d * d, 1, 1));
      String bias = at + "attention.in_proj_bias";
      pieces.part(bias, 0, "pool.q.bias", 0, false, new long[] {3 * d}, new Axis(d, 1, 1));
      pieces.part(bias, d, "pool.kv.bias", 0, false, new long[] {3 * d}, new Axis(2 * d, 1, 1));
      pieces.linear(at + "attention.out_proj.", "pool.proj.");
      pieces.norm(at + "layernorm.", "pool.norm.");
      pieces.linear(at + "mlp.fc1.", "pool.mlp.fc1.");
      pieces.linear(at + "mlp.fc2.", "pool.mlp.fc2.");
    }
    if (config.classes() > 0) {
      pieces.linear("classifier.", "head.");
    }
  }
}
