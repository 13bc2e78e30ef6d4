package dev.fovea.vit.weights;

import dev.fovea.vit.model.VitConfig;
import java.util.List;

/** What timm calls the parameters of a model, and where each stands in ours. */
final class TimmNames {
  private final VitConfig config;
  private final int d;
  private final boolean fusedOut;
  private final Pieces pieces;

  private TimmNames(VitConfig config, boolean fusedOut) {
    this.config = config;
    this.fusedOut = fusedOut;
    d = config.width();
    pieces = new Pieces(config);
  }

  /** Whether a file of these names is timm's. */
  static boolean knows(Names names) {
    return names.has("patch_embed.proj.weight");
  }

  /** @param names the file's names: parallel blocks come with one output projection or with two */
  static List<Piece> of(VitConfig config, Names names) {
    var all = new TimmNames(config, names.has("blocks.0.out_proj.weight"));
    all.embedding();
    for (int i = 0; i < config.depth(); i++) {
      all.block("blocks." + i + ".");
    }
    all.head();
    return all.pieces.list();
  }

  private void embedding() {
    pieces.whole(
        "patch_embed.proj.weight",
        "patch_embed.weight",
        d,
        config.channels(),
        config.patchHeight(),
        config.patchWidth());
    pieces.bias("patch_embed.proj.bias", "patch_embed.bias");
    if (config.classToken()) {
      pieces.rows("cls_token", "prefix", 0, 1, 1, d);
    }
    if (config.registers() > 0) {
      pieces.rows("reg_token", "prefix", config.prefixTokens() - config.registers(), 1, config.registers(), d);
    }
    if (config.positions() == VitConfig.Positions.LEARNED) {
      int positions = config.patches() + (config.prefixPositions() ? config.prefixTokens() : 0);
      pieces.whole("pos_embed", "positions", 1, positions, d);
    }
    pieces.norm("norm_pre.", "norm_pre.");
  }

  private void block(String at) {
    switch (config.block()) {
      case SEQUENTIAL -> {
        attention(at, "norm1.", "ls1.gamma", "ls1");
        mlp(at, "norm2.", "ls2.gamma", "ls2");
      }
      case PARALLEL -> parallel(at);
      case THINGS -> {
        for (int j = 0; j < config.branches(); j++) {
          attention(at + "attns." + j + ".", "norm.", "ls.gamma", "ls");
          mlp(at + "ffns." + j + ".", "norm.", "ls.gamma", "ls");
        }
      }
    }
  }

  private void attention(String at, String norm, String gamma, String scale) {
    pieces.norm(at + norm, at + norm);
    pieces.linear(at + "attn.qkv.", at + "attn.qkv.");
    pieces.norm(at + "attn.q_norm.", at + "attn.q_norm.");
    pieces.norm(at + "attn.k_norm.", at + "attn.k_norm.");
    pieces.linear(at + "attn.proj.", at + "attn.proj.");
    pieces.bias(at + gamma, at + scale);
  }

  private void mlp(String at, String norm, String gamma, String scale) {
    pieces.norm(at + norm, at + norm);
    pieces.linear(at + "mlp.fc1.", at + "mlp.fc1.");
    pieces.linear(at + "mlp.fc2.", at + "mlp.fc2.");
    pieces.bias(at + gamma, at + scale);
  }

  private void parallel(String at) {
    int m = config.mlp();
    pieces.norm(at + "in_norm.", at + "in_norm.");
    pieces.same(at + "in_proj.weight", at + "in_proj.weight");
    pieces.bias(config.qkvBias() ? at + "in_proj.bias" : at + "mlp_bias", at + "in_proj.bias");
    pieces.norm(at + "q_norm.", at + "q_norm.");
    pieces.norm(at + "k_norm.", at + "k_norm.");
    // Columns of our output projection are [mlp | attention].
    if (fusedOut) {
      columns(at + "out_proj.weight", d + m, d, at + "out_proj.weight", 0, m);
      columns(at + "out_proj.weight", d + m, 0, at + "out_proj.weight", m, d);
      pieces.bias(at + "out_proj.bias", at + "out_proj.bias");
    } else {
      columns(at + "mlp_out_proj.weight", m, 0, at + "out_proj.weight", 0, m);
      columns(at + "attn_out_proj.weight", d, 0, at + "out_proj.weight", m, d);
      pieces.bias(at + "mlp_out_proj.bias", at + "out_proj.bias");
      pieces.bias(at + "attn_out_proj.bias", at + "attn_out.bias");
    }
    pieces.bias(at + "ls.gamma", at + "ls");
  }

  private void head() {
    pieces.norm("norm.", "norm.");
    if (config.pool() == VitConfig.Pool.MAP) {
      pieces.whole("attn_pool.latent", "pool.probe", 1, 1, d);
      pieces.linear("attn_pool.q.", "pool.q.");
      pieces.linear("attn_pool.kv.", "pool.kv.");
      pieces.linear("attn_pool.proj.", "pool.proj.");
      pieces.norm("attn_pool.norm.", "pool.norm.");
      pieces.linear("attn_pool.mlp.fc1.", "pool.mlp.fc1.");
      pieces.linear("attn_pool.mlp.fc2.", "pool.mlp.fc2.");
    }
    pieces.norm("fc_norm.", "head_norm.");
    if (config.classes() > 0) {
      pieces.linear("head.", "head.");
    }
  }

  /** {@code count} columns of a [d, width] matrix from {@code first} on, into ours from {@code column} on. */
  private void columns(String from, long width, long first, String to, long column, long count) {
    pieces.part(
        from,
        first,
        to,
        column,
        false,
        new long[] {d, width},
        new Axis(d, width, d + config.mlp()),
        new Axis(count, 1, 1));
  }
}
