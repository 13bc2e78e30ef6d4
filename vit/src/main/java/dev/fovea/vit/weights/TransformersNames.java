package dev.fovea.vit.weights;

import dev.fovea.vit.model.VitConfig;
import java.util.List;

/**
 * What transformers calls the parameters of its ViT and DINOv2, by the names of version 4, which most files on the hub
 * have, or version 5; each part of a name is taken as the file has it.
 */
final class TransformersNames {
  static final String PATCHES = "embeddings.patch_embeddings.projection.weight";
  static final String REGISTERS = "embeddings.register_tokens";
  static final String GATE = "mlp.gate_proj.";

  private final VitConfig config;
  private final Names names;
  private final String prefix;
  private final long d;
  private final Pieces pieces;

  private TransformersNames(VitConfig config, Names names) {
    this.config = config;
    this.names = names;
    prefix = prefix(names);
    d = config.width();
    pieces = new Pieces(config);
  }

  /** Whether a file of these names is transformers' ViT or DINOv2. */
  static boolean knows(Names names) {
    return names.ends(PATCHES);
  }

  /** What stands before the names of the trunk, such as {@code vit.}; a bare trunk has none. */
  static String prefix(Names names) {
    return names.before(PATCHES);
  }

  /** What stands before a block's number. */
  static String blocks(Names names) {
    return prefix(names) + names.pick(prefix(names), "encoder.layer.", "layers.", "encoder.layers.");
  }

  static List<Piece> of(VitConfig config, Names names) {
    var all = new TransformersNames(config, names);
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
    pieces.bias(at + "patch_embeddings.projection.bias", "patch_embed.bias");
    String positions = at + "position_embeddings";
    long[] shape = {1, config.patches() + 1, d};
    if (config.prefixPositions()) {
      pieces.rows(at + "cls_token", "prefix", 0, 1, 1, d);
      pieces.whole(positions, "positions", shape);
    } else {
      // Registers stand between the class token and the patches and have no positions.
      pieces.added(at + "cls_token", 0, "prefix", 0, d, 1, 1, d);
      pieces.added(positions, 0, "prefix", 0, d, shape);
      pieces.part(positions, d, "positions", 0, false, shape, new Axis(Math.multiplyExact(config.patches(), d), 1, 1));
      pieces.rows(prefix + REGISTERS, "prefix", 1, 1, config.registers(), d);
    }
  }

  private void block(String from, String to) {
    pieces.norm(from + pick(from, "layernorm_before.", "norm1."), to + "norm1.");
    String[] inputs = {
      pick(from, "attention.attention.query.", "attention.q_proj."),
      pick(from, "attention.attention.key.", "attention.k_proj."),
      pick(from, "attention.attention.value.", "attention.v_proj.")
    };
    for (int i = 0; i < inputs.length; i++) {
      pieces.rows(from + inputs[i] + "weight", to + "attn.qkv.weight", i * d, d, d);
      if (config.qkvBias()) {
        pieces.slice(from + inputs[i] + "bias", to + "attn.qkv.bias", i * d, d);
      }
    }
    pieces.linear(from + pick(from, "attention.output.dense.", "attention.o_proj."), to + "attn.proj.");
    pieces.bias(from + "layer_scale1.lambda1", to + "ls1");
    pieces.norm(from + pick(from, "layernorm_after.", "norm2."), to + "norm2.");
    mlp(from, to);
    pieces.bias(from + "layer_scale2.lambda1", to + "ls2");
  }

  /** Version 5 has the two halves of a gated MLP apart. */
  private void mlp(String from, String to) {
    if (names.starts(from + GATE)) {
      long hidden = config.mlpInner();
      String[] halves = {GATE, "mlp.up_proj."};
      for (int i = 0; i < halves.length; i++) {
        pieces.rows(from + halves[i] + "weight", to + "mlp.fc1.weight", i * hidden, hidden, d);
        pieces.slice(from + halves[i] + "bias", to + "mlp.fc1.bias", i * hidden, hidden);
      }
    } else {
      pieces.linear(from + pick(from, "intermediate.dense.", "mlp.fc1.", "mlp.weights_in."), to + "mlp.fc1.");
    }
    pieces.linear(
        from + pick(from, "output.dense.", "mlp.fc2.", "mlp.weights_out.", "mlp.down_proj."), to + "mlp.fc2.");
  }

  private void head() {
    pieces.norm(prefix + "layernorm.", "norm.");
    if (config.preLogits() > 0) {
      pieces.linear(prefix + "pooler.dense.", "pre_logits.");
    }
    if (config.classes() > 0) {
      pieces.linear("classifier.", "head.");
    }
  }

  private String pick(String at, String... candidates) {
    return names.pick(at, candidates);
  }
}
