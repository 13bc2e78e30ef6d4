package dev.fovea.vit.weights;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.fovea.kernels.Activation;
import dev.fovea.vit.model.Resampling;
import dev.fovea.vit.model.VitConfig;
import dev.fovea.vit.model.VitConfig.Norm;
import dev.fovea.vit.model.VitConfigBuilder;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * timm's architectures: a table of their structure, read off timm itself, and how a model folder's {@code config.json}
 * changes it.
 */
public final class TimmConfig {
  static final Map<String, Activation> ACTIVATIONS = Map.of(
      "gelu", Activation.GELU_ERF,
      "gelu_tanh", Activation.GELU_TANH,
      "quick_gelu", Activation.GELU_QUICK,
      "silu", Activation.SILU);
  private static final Map<String, VitConfig.Block> BLOCKS = Map.of(
      "Block", VitConfig.Block.SEQUENTIAL,
      "ParallelScalingBlock", VitConfig.Block.PARALLEL,
      "ParallelThingsBlock", VitConfig.Block.THINGS);
  static final Map<String, VitConfig.Pool> POOLS =
      Map.of("token", VitConfig.Pool.CLASS, "avg", VitConfig.Pool.MEAN, "map", VitConfig.Pool.MAP);
  private static final Map<String, VitConfig.Positions> POSITIONS = Map.of(
      "learn", VitConfig.Positions.LEARNED,
      "none", VitConfig.Positions.NONE,
      "", VitConfig.Positions.NONE);
  private static final Map<String, Norm> NORMS = Map.of("layernorm", Norm.layer(1e-6f), "rmsnorm", Norm.rms(1e-6f));
  private static final Map<String, Boolean> MLPS = Map.of("Mlp", false, "SwiGLUPacked", true);

  /** MLP ratios that timm states with few digits, so that a hidden width over a width is not quite them. */
  private static final Map<String, Double> RATIOS =
      Map.of("so400m", 3.7362, "so150m_", 2.572, "giant_patch14_dinov2", 5.33334, "giant_patch14_reg", 5.33334);

  /** What {@code model_args} may hold without any effect on what a model computes. */
  private static final Set<String> INERT = Set.of(
      "weight_init",
      "fix_init",
      "drop_rate",
      "pos_drop_rate",
      "patch_drop_rate",
      "proj_drop_rate",
      "attn_drop_rate",
      "drop_path_rate",
      "strict_img_size");

  /** What timm can do and we cannot: known only as switched off. */
  private static final Set<String> REFUSED =
      Set.of("dynamic_img_pad", "pool_include_prefix", "scale_attn_norm", "scale_mlp_norm");

  /** What {@code model_args} may set; anything else is refused rather than passed over. */
  private static final Set<String> KNOWN = Set.of(
      "img_size",
      "patch_size",
      "in_chans",
      "embed_dim",
      "depth",
      "num_heads",
      "mlp_ratio",
      "qkv_bias",
      "qk_norm",
      "proj_bias",
      "class_token",
      "reg_tokens",
      "no_embed_class",
      "pos_embed",
      "pre_norm",
      "final_norm",
      "fc_norm",
      "norm_layer",
      "act_layer",
      "mlp_layer",
      "global_pool",
      "block_fn",
      "num_classes",
      "init_values",
      "dynamic_img_size");

  private static final class Table {
    static final Map<String, VitConfig> ARCHITECTURES = read();

    private static Map<String, VitConfig> read() {
      Map<String, VitConfig> all = new TreeMap<>();
      try (InputStream in = TimmConfig.class.getResourceAsStream("timm.json")) {
        for (Map.Entry<String, JsonNode> entry : new ObjectMapper().readTree(in).properties()) {
          all.put(entry.getKey(), config(entry.getValue()));
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      return Collections.unmodifiableMap(all);
    }
  }

  private TimmConfig() {}

  /** Names of all known architectures, sorted. */
  public static Set<String> architectures() {
    return Table.ARCHITECTURES.keySet();
  }

  /**
   * The configuration of an architecture, with its own number of classes.
   *
   * @throws IllegalArgumentException if it is not known
   */
  public static VitConfig of(String architecture) {
    VitConfig config = Table.ARCHITECTURES.get(architecture);
    if (config == null) {
      throw new IllegalArgumentException(
          ("architecture: got %s, expected one of %d of timm's vit, deit, deit3 and flexivit models (none of them has"
                  + " rotary positions, windows, a distillation token or convolutions)")
              .formatted(architecture, architectures().size()));
    }
    return config;
  }

  /** An architecture's name without the tag of weights that may follow it, as in {@code vit_tiny.augreg_in21k}. */
  public static String untagged(String architecture) {
    int dot = architecture.indexOf('.');
    return dot < 0 ? architecture : architecture.substring(0, dot);
  }

  /**
   * The configuration that a model folder's {@code config.json} describes: its architecture, changed by
   * {@code model_args} and {@code num_classes}.
   *
   * @throws IllegalArgumentException if the architecture or one of the arguments is not known or not of its type, or
   *     the file is no JSON
   */
  public static VitConfig read(Path file) throws IOException {
    return read(Settings.read(file));
  }

  static VitConfig read(Settings folder) {
    String architecture = untagged(folder.text("architecture", ""));
    // In older folders all is on one level.
    Settings pretrained = folder.has("pretrained_cfg") ? folder.section("pretrained_cfg") : folder;
    VitConfig base = of(architecture);
    Settings args = folder.section("model_args");
    VitConfig config = change(architecture, base, args, input(base, pretrained));
    int classes = config.classes();
    for (Settings place : new Settings[] {pretrained, folder, args}) {
      classes = place.integer("num_classes", classes, 0, Limits.CLASSES);
    }
    return config.toBuilder().classes(classes).build();
  }

  /** timm builds a model for the channels of its pretrained weights' pictures, and for their size if it is fixed. */
  private static VitConfig input(VitConfig base, Settings pretrained) {
    JsonNode size = pretrained.json().path("input_size");
    if (!size.isArray() || size.size() != 3) {
      return base;
    }
    for (JsonNode side : size) {
      if (!side.isInt() || side.intValue() < 1 || side.intValue() > Limits.IMAGE) {
        throw pretrained.bad("input_size", size, "[channels, height, width]");
      }
    }
    boolean fixed = pretrained.flag("fixed_input_size", false);
    return base.toBuilder()
        .channels(size.get(0).intValue())
        .imageHeight(fixed ? size.get(1).intValue() : base.imageHeight())
        .imageWidth(fixed ? size.get(2).intValue() : base.imageWidth())
        .build();
  }

  /** An architecture with arguments in the place of its own. */
  static VitConfig change(String architecture, VitConfig own, Settings args) {
    return change(architecture, own, args, own);
  }

  private static VitConfig change(String architecture, VitConfig own, Settings args, VitConfig sized) {
    for (String name : args.names()) {
      boolean off = REFUSED.contains(name) && !args.flag(name, false);
      if (!KNOWN.contains(name) && !INERT.contains(name) && !off) {
        throw args.bad("got %s, expected one of %s".formatted(name, new TreeSet<>(KNOWN)));
      }
    }
    Settings.Size image =
        args.size("img_size", new Settings.Size(sized.imageHeight(), sized.imageWidth()), Limits.IMAGE);
    Settings.Size patch = args.size("patch_size", new Settings.Size(own.patchHeight(), own.patchWidth()), Limits.PATCH);
    VitConfig.Block block = args.choice("block_fn", own.block(), BLOCKS);
    Norm norm = args.choice("norm_layer", own.norm(), NORMS);
    boolean qkNorm = args.flag("qk_norm", own.qkNorm() != null);
    boolean preNorm = args.flag("pre_norm", own.preNorm() != null);
    boolean projBias = args.flag("proj_bias", own.projBias());
    if (!projBias && block == VitConfig.Block.PARALLEL) {
      throw args.bad("proj_bias", false, "true for ParallelScalingBlock");
    }
    boolean gated = args.choice("mlp_layer", own.gated(), MLPS);
    Activation activation = args.choice("act_layer", own.activation(), ACTIVATIONS);
    VitConfigBuilder changed = own.toBuilder()
        .imageHeight(image.height())
        .imageWidth(image.width())
        .channels(args.integer("in_chans", sized.channels(), 1, Limits.CHANNELS))
        .patchHeight(patch.height())
        .patchWidth(patch.width())
        .patchBias(args.has("pre_norm") ? !preNorm : own.patchBias())
        .depth(args.integer("depth", own.depth(), 1, Limits.DEPTH))
        .heads(args.integer("num_heads", own.heads(), 1, Limits.WIDTH))
        .activation(gated ? Activation.SILU : activation)
        .gated(gated)
        .block(block)
        .branches(block == VitConfig.Block.THINGS ? Math.max(own.branches(), 2) : 1)
        .norm(norm)
        .qkNorm(qkNorm ? norm : null)
        .qkvBias(args.flag("qkv_bias", own.qkvBias()))
        .projBias(projBias)
        .mlpBias(projBias)
        .layerScale(scaled(own, block, args))
        .classToken(args.flag("class_token", own.classToken()))
        .registers(args.integer("reg_tokens", own.registers(), 0, Limits.REGISTERS))
        .prefixPositions(!args.flag("no_embed_class", !own.prefixPositions()))
        .positions(args.choice("pos_embed", own.positions(), POSITIONS))
        .dynamicSize(args.flag("dynamic_img_size", own.dynamicSize()))
        .preNorm(preNorm ? norm : null);
    widths(architecture, own, args, changed);
    pool(own, args, norm, changed);
    return changed.build();
  }

  /** timm scales where a start value is given, in sequential and Things blocks only if that is not 0. */
  private static boolean scaled(VitConfig own, VitConfig.Block block, Settings args) {
    if (!args.json().has("init_values")) {
      return own.layerScale();
    }
    return args.has("init_values")
        && (args.number("init_values", 1, -1e6, 1e6) != 0 || block == VitConfig.Block.PARALLEL);
  }

  /** Width, and what goes with it: the MLP keeps its ratio, and timm cuts its width to a whole number. */
  private static void widths(String architecture, VitConfig own, Settings args, VitConfigBuilder changed) {
    int width = args.integer("embed_dim", own.width(), 1, Limits.WIDTH);
    int hidden = own.mlp();
    if (args.has("mlp_ratio") || width != own.width()) {
      hidden = (int) (width * args.number("mlp_ratio", ratio(architecture, own), 1e-3, 64));
    }
    changed.width(width).mlp(hidden);
  }

  private static double ratio(String architecture, VitConfig own) {
    return RATIOS.entrySet().stream()
        .filter(ratio -> architecture.contains(ratio.getKey()))
        .map(Map.Entry::getValue)
        .findFirst()
        .orElse((double) own.mlp() / own.width());
  }

  /** How tokens are pooled decides where the last norm stands, unless the architecture or the arguments do. */
  private static void pool(VitConfig own, Settings args, Norm norm, VitConfigBuilder changed) {
    VitConfig.Pool pool = args.choice("global_pool", own.pool(), POOLS);
    boolean ownStays = own.pool() == VitConfig.Pool.MEAN && own.headNorm() == null;
    boolean headNorm = args.flag("fc_norm", pool == VitConfig.Pool.MEAN && !ownStays);
    boolean last = args.flag("final_norm", own.finalNorm() != null || own.headNorm() != null);
    changed
        .pool(pool)
        .finalNorm(last && !headNorm ? norm : null)
        .headNorm(last && headNorm ? norm : null)
        .poolHeads(0)
        .poolMlp(0)
        .poolActivation(Activation.NONE);
  }

  private static VitConfig config(JsonNode a) {
    VitConfig.Block block = known("block", BLOCKS, a.get("block"));
    VitConfig.Pool pool = known("pool", POOLS, a.get("pool"));
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

  private static @Nullable Norm optionalNorm(@Nullable JsonNode n) {
    return n == null || n.isNull() ? null : norm(n);
  }

  private static Norm norm(JsonNode n) {
    return new Norm(n.get("kind").asText().equals("layer"), n.get("bias").asBoolean(), (float)
        n.get("eps").asDouble());
  }

  private static <T> T known(String name, Map<String, T> values, JsonNode value) {
    T found = values.get(value.asText());
    if (found == null) {
      throw new IllegalArgumentException("%s: got %s, expected one of %s".formatted(name, value, values.keySet()));
    }
    return found;
  }
}
