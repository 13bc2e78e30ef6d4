package dev.fovea.vit.weights;

import dev.fovea.tensor.Shape;
import dev.fovea.vit.model.VitConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What timm calls the parameters of a model, and where each stands in ours. */
final class TimmNames {
  private final VitConfig config;
  private final int d;
  private final boolean fusedOut;
  private final List<Piece> pieces = new ArrayList<>();

  private TimmNames(VitConfig config, boolean fusedOut) {
    this.config = config;
    this.fusedOut = fusedOut;
    d = config.width();
  }

  /** @param names the file's names: parallel blocks come with one output projection or with two */
  static List<Piece> of(VitConfig config, Set<String> names) {
    var all = new TimmNames(config, names.contains("blocks.0.out_proj.weight"));
    all.embedding();
    for (int i = 0; i < config.depth(); i++) {
      all.block("blocks." + i + ".");
    }
    all.head();
    return all.pieces;
  }

  private void embedding() {
    whole(
        "patch_embed.proj.weight",
        "patch_embed.weight",
        d,
        config.channels(),
        config.patchHeight(),
        config.patchWidth());
    if (config.patchBias()) {
      whole("patch_embed.proj.bias", "patch_embed.bias", d);
    }
    int prefixes = 0;
    if (config.classToken()) {
      rows("cls_token", "prefix", prefixes++, 1, 1, d);
    }
    if (config.registers() > 0) {
      rows("reg_token", "prefix", prefixes, 1, config.registers(), d);
    }
    int positions = config.patches() + (config.prefixPositions() ? config.prefixTokens() : 0);
    whole("pos_embed", "positions", 1, positions, d);
    norm("norm_pre.", "norm_pre.", config.preNorm(), d);
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
    norm(at + norm, at + norm, config.norm(), d);
    linear(at + "attn.qkv.", at + "attn.qkv.", 3 * d, d, config.qkvBias());
    norm(at + "attn.q_norm.", at + "attn.q_norm.", config.qkNorm(), config.headDim());
    norm(at + "attn.k_norm.", at + "attn.k_norm.", config.qkNorm(), config.headDim());
    linear(at + "attn.proj.", at + "attn.proj.", d, d, config.projBias());
    scale(at + gamma, at + scale);
  }

  private void mlp(String at, String norm, String gamma, String scale) {
    norm(at + norm, at + norm, config.norm(), d);
    linear(at + "mlp.fc1.", at + "mlp.fc1.", config.mlp(), d, config.mlpBias());
    linear(at + "mlp.fc2.", at + "mlp.fc2.", d, config.mlpInner(), config.mlpBias());
    scale(at + gamma, at + scale);
  }

  private void parallel(String at) {
    int m = config.mlp();
    norm(at + "in_norm.", at + "in_norm.", config.norm(), d);
    whole(at + "in_proj.weight", at + "in_proj.weight", m + 3 * d, d);
    whole(
        config.qkvBias() ? at + "in_proj.bias" : at + "mlp_bias",
        at + "in_proj.bias",
        m + (config.qkvBias() ? 3 * d : 0));
    norm(at + "q_norm.", at + "q_norm.", config.qkNorm(), config.headDim());
    norm(at + "k_norm.", at + "k_norm.", config.qkNorm(), config.headDim());
    if (fusedOut) {
      // Their columns are [attention | mlp], ours [mlp | attention].
      columns(at + "out_proj.weight", d + m, d, at + "out_proj.weight", 0, m);
      columns(at + "out_proj.weight", d + m, 0, at + "out_proj.weight", m, d);
      if (config.mlpBias()) {
        whole(at + "out_proj.bias", at + "out_proj.bias", d);
      }
    } else {
      columns(at + "mlp_out_proj.weight", m, 0, at + "out_proj.weight", 0, m);
      columns(at + "attn_out_proj.weight", d, 0, at + "out_proj.weight", m, d);
      if (config.mlpBias()) {
        whole(at + "mlp_out_proj.bias", at + "out_proj.bias", d);
      }
      if (config.projBias()) {
        whole(at + "attn_out_proj.bias", at + "attn_out.bias", d);
      }
    }
    scale(at + "ls.gamma", at + "ls");
  }

  private void head() {
    norm("norm.", "norm.", config.finalNorm(), d);
    if (config.pool() == VitConfig.Pool.MAP) {
      whole("attn_pool.latent", "pool.probe", 1, 1, d);
      linear("attn_pool.q.", "pool.q.", d, d, true);
      linear("attn_pool.kv.", "pool.kv.", 2 * d, d, true);
      linear("attn_pool.proj.", "pool.proj.", d, d, true);
      norm("attn_pool.norm.", "pool.norm.", config.norm(), d);
      linear("attn_pool.mlp.fc1.", "pool.mlp.fc1.", config.poolMlp(), d, true);
      linear("attn_pool.mlp.fc2.", "pool.mlp.fc2.", d, config.poolMlp(), true);
    }
    norm("fc_norm.", "head_norm.", config.headNorm(), d);
    if (config.classes() > 0) {
      linear("head.", "head.", config.classes(), d, true);
    }
  }

  private void linear(String from, String to, int out, int in, boolean bias) {
    whole(from + "weight", to + "weight", out, in);
    if (bias) {
      whole(from + "bias", to + "bias", out);
    }
  }

  private void norm(String from, String to, VitConfig.@Nullable Norm norm, int width) {
    if (norm != null) {
      whole(from + "weight", to + "weight", width);
      if (norm.bias()) {
        whole(from + "bias", to + "bias", width);
      }
    }
  }

  private void scale(String from, String to) {
    if (config.layerScale()) {
      whole(from, to, d);
    }
  }

  private void whole(String from, String to, long... shape) {
    Shape whole = Shape.of(shape);
    pieces.add(new Piece(from, whole, to, 1, whole.count(), 0, 0, 0));
  }

  /** Rows of width d, from {@code row} of the target on. */
  private void rows(String from, String to, long row, long... shape) {
    Shape whole = Shape.of(shape);
    pieces.add(new Piece(from, whole, to, whole.count() / d, d, 0, row, 0));
  }

  /** {@code count} columns of a [d, width] matrix. */
  private void columns(String from, long width, long first, String to, long column, long count) {
    pieces.add(new Piece(from, Shape.of(d, width), to, d, count, first, 0, column));
  }
}
