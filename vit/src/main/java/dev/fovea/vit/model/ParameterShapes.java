package dev.fovea.vit.model;

import dev.fovea.tensor.Shape;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The parameters of a model by name, from its configuration alone: nothing is allocated. */
public final class ParameterShapes {
  private final VitConfig config;
  private final Map<String, Shape> shapes = new LinkedHashMap<>();

  private ParameterShapes(VitConfig config) {
    this.config = config;
  }

  /** Names and shapes in the order of the forward pass. */
  public static Map<String, Shape> of(VitConfig config) {
    var all = new ParameterShapes(config);
    all.embedding();
    for (int i = 0; i < config.depth(); i++) {
      all.block("blocks." + i + ".");
    }
    all.head();
    return all.shapes;
  }

  /** Number of parameters. */
  public static long count(VitConfig config) {
    return of(config).values().stream().mapToLong(Shape::count).sum();
  }

  private void embedding() {
    int d = config.width();
    int patch = config.patchHeight() * config.patchWidth();
    switch (config.stem()) {
      case LINEAR -> linear("patch_embed.", d, config.channels() * patch, config.patchBias());
      case HMLP -> {
        stemLayer("patch_embed.0.", d / 4, config.channels() * patch / 16);
        stemLayer("patch_embed.1.", d / 4, d);
        stemLayer("patch_embed.2.", d, d);
      }
    }
    if (config.prefixTokens() > 0) {
      add("prefix", config.prefixTokens(), d);
    }
    if (config.positions() == VitConfig.Positions.LEARNED) {
      add("positions", config.patches() + (config.prefixPositions() ? config.prefixTokens() : 0), d);
    }
    norm("norm_pre.", config.preNorm(), d);
  }

  private void stemLayer(String at, int out, int in) {
    linear(at, out, in, config.patchBias());
    norm(at + "norm.", config.stemNorm(), out);
  }

  private void block(String at) {
    switch (config.block()) {
      case SEQUENTIAL -> {
        attention(at, "norm1.", "attn.", "ls1");
        mlp(at, "norm2.", "mlp.", "ls2");
      }
      case PARALLEL -> parallel(at);
      case THINGS -> {
        for (int j = 0; j < config.branches(); j++) {
          attention(at + "attns." + j + ".", "norm.", "attn.", "ls");
        }
        for (int j = 0; j < config.branches(); j++) {
          mlp(at + "ffns." + j + ".", "norm.", "mlp.", "ls");
        }
      }
    }
  }

  private void attention(String at, String norm, String attention, String scale) {
    int d = config.width();
    norm(at + norm, config.norm(), d);
    linear(at + attention + "qkv.", 3 * d, d, config.qkvBias());
    norm(at + attention + "q_norm.", config.qkNorm(), config.headDim());
    norm(at + attention + "k_norm.", config.qkNorm(), config.headDim());
    linear(at + attention + "proj.", d, d, config.projBias());
    scale(at + scale);
  }

  private void mlp(String at, String norm, String mlp, String scale) {
    int d = config.width();
    norm(at + norm, config.norm(), d);
    linear(at + mlp + "fc1.", config.mlp(), d, config.mlpBias());
    linear(at + mlp + "fc2.", d, config.mlpInner(), config.mlpBias());
    scale(at + scale);
  }

  /**
   * Rows of the input projection are [mlp | q | k | v], columns of the output projection [mlp | attention]. Each of the
   * two may have a bias of the output.
   */
  private void parallel(String at) {
    int d = config.width();
    norm(at + "in_norm.", config.norm(), d);
    add(at + "in_proj.weight", config.mlp() + 3 * d, d);
    if (config.qkvBias() || config.mlpBias()) {
      add(at + "in_proj.bias", config.mlp() + (config.qkvBias() ? 3 * d : 0));
    }
    norm(at + "q_norm.", config.qkNorm(), config.headDim());
    norm(at + "k_norm.", config.qkNorm(), config.headDim());
    linear(at + "out_proj.", d, config.mlp() + d, config.mlpBias());
    if (config.projBias()) {
      add(at + "attn_out.bias", d);
    }
    scale(at + "ls");
  }

  private void head() {
    int d = config.width();
    norm("norm.", config.finalNorm(), d);
    if (config.pool() == VitConfig.Pool.MAP) {
      add("pool.probe", 1, d);
      linear("pool.q.", d, d, true);
      linear("pool.kv.", 2 * d, d, true);
      linear("pool.proj.", d, d, true);
      norm("pool.norm.", config.norm(), d);
      linear("pool.mlp.fc1.", config.poolMlp(), d, true);
      linear("pool.mlp.fc2.", d, config.poolMlp(), true);
    }
    norm("head_norm.", config.headNorm(), d);
    if (config.preLogits() > 0) {
      linear("pre_logits.", config.preLogits(), config.pooled(), true);
    }
    if (config.classes() > 0) {
      linear("head.", config.classes(), config.representation(), true);
    }
  }

  private void linear(String at, int out, int in, boolean bias) {
    add(at + "weight", out, in);
    if (bias) {
      add(at + "bias", out);
    }
  }

  private void norm(String at, VitConfig.@Nullable Norm norm, int width) {
    if (norm != null) {
      add(at + "weight", width);
      if (norm.bias()) {
        add(at + "bias", width);
      }
    }
  }

  private void scale(String name) {
    if (config.layerScale()) {
      add(name, config.width());
    }
  }

  private void add(String name, long... shape) {
    shapes.put(name, Shape.of(shape));
  }
}
