package dev.fovea.vit.weights;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.fovea.kernels.Activation;
import dev.fovea.vit.model.Resampling;
import dev.fovea.vit.model.VitConfig;
import dev.fovea.vit.model.VitConfigBuilder;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * timm's architectures: a table of their structure, read off timm itself, and how a model folder's {@code config.json}
 * changes it.
 */
public final class TimmConfig {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Map<String, Activation> ACTIVATIONS = Map.of(
      "gelu", Activation.GELU_ERF,
      "gelu_tanh", Activation.GELU_TANH,
      "quick_gelu", Activation.GELU_QUICK,
      "silu", Activation.SILU);
  private static final Map<String, String> BLOCKS =
      Map.of("Block", "SEQUENTIAL", "ParallelScalingBlock", "PARALLEL", "ParallelThingsBlock", "THINGS");
  private static final Map<String, String> POOLS = Map.of("token", "CLASS", "avg", "MEAN", "map", "MAP");

  /** What {@code model_args} may set; anything else is refused rather than passed over. */
  private static final Set<String> KNOWN = Set.of(
      "img_size",
      "patch_size",
      "embed_dim",
      "depth",
      "num_heads",
      "mlp_ratio",
      "qkv_bias",
      "qk_norm",
      "class_token",
      "reg_tokens",
      "no_embed_class",
      "global_pool",
      "block_fn",
      "num_classes",
      "init_values",
      "dynamic_img_size",
      "weight_init",
      "drop_rate",
      "drop_path_rate",
      "strict_img_size");

  private static final class Table {
    static final JsonNode ARCHITECTURES = read();

    private static JsonNode read() {
      try (InputStream in = TimmConfig.class.getResourceAsStream("timm.json")) {
        return JSON.readTree(in);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private TimmConfig() {}

  /** Names of all known architectures, sorted. */
  public static Set<String> architectures() {
    Set<String> names = new TreeSet<>();
    Table.ARCHITECTURES.fieldNames().forEachRemaining(names::add);
    return names;
  }

  /**
   * The configuration of an architecture, with its own number of classes.
   *
   * @throws IllegalArgumentException if it is not known
   */
  public static VitConfig of(String architecture) {
    return config(find(architecture));
  }

  /**
   * The configuration that a model folder's {@code config.json} describes: its architecture, changed by
   * {@code model_args} and {@code num_classes}.
   *
   * @throws IllegalArgumentException if the architecture or one of the arguments is not known, or the file is no JSON
   */
  public static VitConfig read(Path file) throws IOException {
    JsonNode folder;
    try {
      folder = JSON.readTree(file.toFile());
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(file + ": " + e.getOriginalMessage(), e);
    }
    ObjectNode a = find(folder.path("architecture").asText()).deepCopy();
    if (folder.has("num_classes")) {
      a.set("classes", folder.get("num_classes"));
    }
    JsonNode args = folder.path("model_args");
    args.fieldNames().forEachRemaining(name -> {
      if (!KNOWN.contains(name)) {
        throw new IllegalArgumentException(
            "model_args: got %s, expected one of %s".formatted(name, new TreeSet<>(KNOWN)));
      }
    });
    resize(a, args);
    change(a, args);
    return config(a);
  }

  private static ObjectNode find(String architecture) {
    if (Table.ARCHITECTURES.get(architecture) instanceof ObjectNode found) {
      return found;
    }
    throw new IllegalArgumentException(
        "architecture: got %s, expected one of %s".formatted(architecture, architectures()));
  }

  /** Width, and what goes with it: the MLP keeps its ratio. */
  private static void resize(ObjectNode a, JsonNode args) {
    int width = args.path("embed_dim").asInt(a.get("width").asInt());
    double ratio = (double) a.get("mlp_hidden").asInt() / a.get("width").asInt();
    if (args.has("mlp_ratio")) {
      ratio = args.get("mlp_ratio").asDouble();
    }
    a.put("mlp_hidden", hidden(width, ratio));
    if (a.hasNonNull("pool_mlp_hidden")) {
      double poolRatio =
          (double) a.get("pool_mlp_hidden").asInt() / a.get("width").asInt();
      a.put("pool_mlp_hidden", hidden(width, args.has("mlp_ratio") ? ratio : poolRatio));
    }
    a.put("width", width);
  }

  /** timm truncates; a ratio that was itself computed from whole numbers must not fall below one by rounding. */
  private static int hidden(int width, double ratio) {
    return (int) Math.floor(width * ratio + 1e-6);
  }

  private static void change(ObjectNode a, JsonNode args) {
    copy(args, "depth", a, "depth");
    copy(args, "num_heads", a, "heads");
    copy(args, "qkv_bias", a, "qkv_bias");
    copy(args, "class_token", a, "class_token");
    copy(args, "reg_tokens", a, "reg_tokens");
    copy(args, "no_embed_class", a, "no_embed_class");
    copy(args, "global_pool", a, "pool");
    copy(args, "block_fn", a, "block");
    copy(args, "num_classes", a, "classes");
    if (args.has("img_size")) {
      a.set("img_size", pair(args.get("img_size")));
    }
    if (args.has("patch_size")) {
      a.set("patch", pair(args.get("patch_size")));
    }
    if (args.has("init_values")) {
      a.put("layer_scale", !args.get("init_values").isNull());
    }
    if (args.has("qk_norm")) {
      a.set("qk_norm", args.get("qk_norm").asBoolean() ? a.get("norm") : null);
    }
    if (args.has("num_heads") && a.hasNonNull("pool_heads")) {
      a.set("pool_heads", args.get("num_heads"));
    }
    if (a.get("pool").asText().equals("map") && !a.hasNonNull("pool_heads")) {
      a.set("pool_heads", a.get("heads"));
      a.set("pool_mlp_hidden", a.get("mlp_hidden"));
      a.set("pool_act", a.get("act"));
    }
  }

  private static void copy(JsonNode from, String name, ObjectNode to, String as) {
    if (from.has(name)) {
      to.set(as, from.get(name));
    }
  }

  private static JsonNode pair(JsonNode size) {
    return size.isArray() ? size : JSON.valueToTree(List.of(size.asInt(), size.asInt()));
  }

  private static VitConfig config(JsonNode a) {
    VitConfig.Pool pool = VitConfig.Pool.valueOf(known("pool", POOLS, a.get("pool")));
    VitConfig.Block block = VitConfig.Block.valueOf(known("block", BLOCKS, a.get("block")));
    // A parallel block with one output matrix has one output bias: that of the MLP.
    boolean projBias = a.path("proj_bias").asBoolean(true);
    boolean fusedOut = a.path("fused_out").asBoolean(false);
    VitConfigBuilder config = VitConfig.builder()
        .imageHeight(a.get("img_size").get(0).asInt())
        .imageWidth(a.get("img_size").get(1).asInt())
        .patchHeight(a.get("patch").get(0).asInt())
        .patchWidth(a.get("patch").get(1).asInt())
        .patchBias(a.get("patch_bias").asBoolean())
        .shape(
            a.get("width").asInt(),
            a.get("depth").asInt(),
            a.get("mlp_hidden").asInt(),
            a.get("heads").asInt())
        .activation(known("act", ACTIVATIONS, a.get("act")))
        .gated(a.path("mlp_kind").asText().equals("GluMlp"))
        .block(block)
        .branches(block == VitConfig.Block.THINGS ? a.path("branches").asInt(2) : 1)
        .norm(norm(a.get("norm")))
        .qkNorm(optionalNorm(a.get("qk_norm")))
        .qkvBias(a.get("qkv_bias").asBoolean())
        .projBias(projBias && !fusedOut)
        .mlpBias(projBias)
        .layerScale(a.get("layer_scale").asBoolean())
        .classToken(a.get("class_token").asBoolean())
        .registers(a.get("reg_tokens").asInt())
        .prefixPositions(!a.get("no_embed_class").asBoolean())
        .resampling(Resampling.BICUBIC_ANTIALIAS)
        .dynamicSize(a.path("dynamic_img_size").asBoolean())
        .preNorm(optionalNorm(a.get("norm_pre")))
        .finalNorm(optionalNorm(a.get("final_norm")))
        .headNorm(optionalNorm(a.get("fc_norm")))
        .pool(pool)
        .classes(a.get("classes").asInt());
    if (pool == VitConfig.Pool.MAP) {
      config
          .poolHeads(a.get("pool_heads").asInt())
          .poolMlp(a.get("pool_mlp_hidden").asInt())
          .poolActivation(known("pool_act", ACTIVATIONS, a.get("pool_act")));
    }
    return config.build();
  }

  private static VitConfig.@Nullable Norm optionalNorm(@Nullable JsonNode n) {
    return n == null || n.isNull() ? null : norm(n);
  }

  private static VitConfig.Norm norm(JsonNode n) {
    return new VitConfig.Norm(
        n.get("kind").asText().equals("layer"), n.get("bias").asBoolean(), (float)
            n.get("eps").asDouble());
  }

  private static <T> T known(String name, Map<String, T> values, JsonNode value) {
    T found = values.get(value.asText());
    if (found == null) {
      throw new IllegalArgumentException(
          "%s: got %s, expected one of %s".formatted(name, value, new TreeSet<>(values.keySet())));
    }
    return found;
  }
}
