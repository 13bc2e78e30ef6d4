package dev.fovea.vit.weights;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.fovea.kernels.Activation;
import dev.fovea.vit.model.Resampling;
import dev.fovea.vit.model.VitConfig;
import java.util.Comparator;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * A configuration in timm's words: the architecture that is nearest, and the arguments that make it this one.
 *
 * @param architecture its name
 * @param arguments as {@code model_args} of a {@code config.json}, without the number of classes
 */
record TimmArguments(String architecture, ObjectNode arguments) {
  /** Empty if timm has no such model. */
  static Optional<TimmArguments> of(VitConfig config) {
    VitConfig wanted = comparable(config);
    return TimmConfig.architectures().stream()
        .map(name -> new TimmArguments(name, arguments(name, wanted)))
        .filter(candidate -> candidate.makes(wanted))
        .min(Comparator.comparingInt((TimmArguments candidate) -> candidate.arguments.size())
            .thenComparing(TimmArguments::architecture));
  }

  private boolean makes(VitConfig wanted) {
    try {
      VitConfig own = TimmConfig.of(architecture);
      return comparable(TimmConfig.change(architecture, own, Settings.of(arguments)))
          .equals(wanted);
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  /** Without what a stored model does not say. */
  private static VitConfig comparable(VitConfig config) {
    return config.toBuilder()
        .classes(0)
        .dropPath(0)
        .dropPathGrows(true)
        .resampling(Resampling.BICUBIC_ANTIALIAS)
        .prefixPositions(config.prefixPositions() && config.prefixTokens() > 0)
        .activation(config.gated() ? Activation.SILU : config.activation())
        .build();
  }

  private static ObjectNode arguments(String architecture, VitConfig to) {
    VitConfig from = TimmConfig.of(architecture);
    ObjectNode args = JsonNodeFactory.instance.objectNode();
    if (from.imageHeight() != to.imageHeight() || from.imageWidth() != to.imageWidth()) {
      args.putArray("img_size").add(to.imageHeight()).add(to.imageWidth());
    }
    if (from.patchHeight() != to.patchHeight() || from.patchWidth() != to.patchWidth()) {
      args.putArray("patch_size").add(to.patchHeight()).add(to.patchWidth());
    }
    put(args, "in_chans", from.channels(), to.channels());
    put(args, "embed_dim", from.width(), to.width());
    put(args, "depth", from.depth(), to.depth());
    put(args, "num_heads", from.heads(), to.heads());
    if (from.width() != to.width() || from.mlp() != to.mlp()) {
      double ratio = (double) to.mlp() / to.width();
      // timm cuts off what is behind the point: a ratio that falls short by rounding is raised.
      args.put("mlp_ratio", (int) (to.width() * ratio) == to.mlp() ? ratio : (to.mlp() + 0.5) / to.width());
    }
    put(args, "qkv_bias", from.qkvBias(), to.qkvBias());
    put(args, "qk_norm", from.qkNorm() != null, to.qkNorm() != null);
    put(args, "proj_bias", from.projBias(), to.projBias());
    if (from.layerScale() && !to.layerScale()) {
      args.putNull("init_values");
    } else if (!from.layerScale() && to.layerScale()) {
      args.put("init_values", 1e-5);
    }
    put(args, "class_token", from.classToken(), to.classToken());
    put(args, "reg_tokens", from.registers(), to.registers());
    if (to.prefixTokens() > 0) {
      put(args, "no_embed_class", !from.prefixPositions(), !to.prefixPositions());
    }
    if (from.positions() != to.positions()) {
      args.put("pos_embed", to.positions() == VitConfig.Positions.LEARNED ? "learn" : "none");
    }
    put(args, "pre_norm", from.preNorm() != null, to.preNorm() != null);
    put(args, "dynamic_img_size", from.dynamicSize(), to.dynamicSize());
    if (!from.norm().equals(to.norm())) {
      args.put("norm_layer", to.norm().centered() ? "layernorm" : "rmsnorm");
    }
    if (from.activation() != to.activation()) {
      args.put("act_layer", key(TimmConfig.ACTIVATIONS, to.activation()));
    }
    if (from.pool() != to.pool()) {
      args.put("global_pool", key(TimmConfig.POOLS, to.pool()));
    }
    lastNorm(args, architecture, to);
    return args;
  }

  /** Where the last norm stands is said only if it does not follow from how tokens are pooled. */
  private static void lastNorm(ObjectNode args, String architecture, VitConfig to) {
    VitConfig sofar;
    try {
      sofar = TimmConfig.change(architecture, TimmConfig.of(architecture), Settings.of(args));
    } catch (IllegalArgumentException e) {
      return;
    }
    boolean any = to.finalNorm() != null || to.headNorm() != null;
    put(args, "final_norm", sofar.finalNorm() != null || sofar.headNorm() != null, any);
    if (any) {
      put(args, "fc_norm", sofar.headNorm() != null, to.headNorm() != null);
    }
  }

  private static void put(ObjectNode args, String name, int from, int to) {
    if (from != to) {
      args.put(name, to);
    }
  }

  private static void put(ObjectNode args, String name, boolean from, boolean to) {
    if (from != to) {
      args.put(name, to);
    }
  }

  private static <T> String key(Map<String, T> names, T value) {
    return names.entrySet().stream()
        .filter(entry -> Objects.equals(entry.getValue(), value))
        .map(Map.Entry::getKey)
        .findFirst()
        .orElse("");
  }
}
