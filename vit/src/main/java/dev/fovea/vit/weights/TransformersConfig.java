package dev.fovea.vit.weights;

import dev.fovea.kernels.Activation;
import dev.fovea.vit.model.Resampling;
import dev.fovea.vit.model.VitConfig;
import dev.fovea.vit.model.VitConfig.Norm;
import dev.fovea.vit.model.VitConfigBuilder;
import java.io.IOException;
import java.util.Map;

/**
 * The configurations of transformers' ViT, DINOv2 and SigLIP. What a {@code config.json} leaves out is as the tensors'
 * shapes say, or where they say nothing, as transformers takes it.
 */
final class TransformersConfig {
  private static final Map<String, Activation> ACTIVATIONS = Map.ofEntries(
      Map.entry("gelu", Activation.GELU_ERF),
      Map.entry("gelu_python", Activation.GELU_ERF),
      Map.entry("gelu_new", Activation.GELU_TANH),
      Map.entry("gelu_fast", Activation.GELU_TANH),
      Map.entry("gelu_accurate", Activation.GELU_TANH),
      Map.entry("gelu_pytorch_tanh", Activation.GELU_TANH),
      Map.entry("gelu_python_tanh", Activation.GELU_TANH),
      Map.entry("quick_gelu", Activation.GELU_QUICK),
      Map.entry("silu", Activation.SILU),
      Map.entry("swish", Activation.SILU),
      Map.entry("tanh", Activation.TANH));

  private final Settings settings;
  private final Found found;
  private final Names names;
  private final VitConfigBuilder builder = VitConfig.builder();
  private Settings.Size patch = new Settings.Size(16, 16);

  private TransformersConfig(Settings settings, Found found) {
    this.settings = settings;
    this.found = found;
    names = found.names();
  }

  /** The configuration of a ViT or DINOv2. */
  static VitConfig trunk(Settings settings, Found found) throws IOException {
    settings.choice("model_type", "", Map.of("vit", "", "dinov2", "", "dinov2_with_registers", ""));
    return new TransformersConfig(settings, found).trunk();
  }

  /** The configuration of a SigLIP vision tower, alone or in the model of both towers. */
  static VitConfig siglip(Settings settings, Found found) throws IOException {
    if (found.rank(SiglipNames.prefix(found.names()) + SiglipNames.PATCHES) == 2) {
      throw new IllegalArgumentException(
          found.file() + ": got a SigLIP 2 of the NaFlex kind, expected one of a fixed picture size");
    }
    settings.choice("model_type", "", Map.of("siglip", "", "siglip_vision_model", ""));
    Settings vision = settings.has("vision_config") ? settings.section("vision_config") : settings;
    return new TransformersConfig(vision, found).tower();
  }

  private VitConfig trunk() throws IOException {
    String prefix = TransformersNames.prefix(names);
    String blocks = TransformersNames.blocks(names);
    String block = blocks + "0.";
    boolean dino = names.starts(block + "norm1.");
    int width = shape(prefix + TransformersNames.PATCHES, blocks);
    String hidden = names.pick(block, "intermediate.dense.", "mlp.fc1.", "mlp.weights_in.", TransformersNames.GATE);
    boolean halves = hidden.equals(TransformersNames.GATE);
    boolean gated = settings.flag("use_swiglu_ffn", halves || hidden.equals("mlp.weights_in."));
    int mlp = found.dim(block + hidden + "weight", 0, 4 * width) * (halves ? 2 : 1);
    String registers = prefix + TransformersNames.REGISTERS;
    boolean registered = names.has(registers) || settings.text("model_type", "").endsWith("registers");
    int registerCount = registered && !found.empty(registers)
        ? settings.integer("num_register_tokens", found.dim(registers, 1, 4), 1, Limits.REGISTERS)
        : 0;
    String pooler = prefix + "pooler.dense.weight";
    int preLogits = 0;
    if (names.has(pooler)) {
      settings.choice("pooler_act", "tanh", Map.of("tanh", "tanh"));
      preLogits = settings.integer("pooler_output_size", found.dim(pooler, 0, width), 1, Limits.WIDTH);
    }
    Norm norm = norm(dino ? 1e-6 : 1e-12);
    image(prefix + "embeddings.position_embeddings", 1, 1);
    int classes = classes();
    return builder
        .mlp(
            dino && !settings.isEmpty()
                ? dinoMlp(width, gated)
                : settings.integer("intermediate_size", mlp, 1, Limits.MLP))
        .gated(gated)
        .activation(gated ? Activation.SILU : settings.choice("hidden_act", Activation.GELU_ERF, ACTIVATIONS))
        .norm(norm)
        .qkvBias(settings.flag("qkv_bias", true))
        .layerScale(dino)
        .classToken(true)
        .registers(registerCount)
        .prefixPositions(registerCount == 0)
        .resampling(registerCount > 0 ? Resampling.BICUBIC_ANTIALIAS : Resampling.BICUBIC)
        .dynamicSize(dino)
        .finalNorm(norm)
        .pool(dino && classes > 0 ? VitConfig.Pool.CLASS_AND_MEAN : VitConfig.Pool.CLASS)
        .preLogits(preLogits)
        .classes(classes)
        .build();
  }

  /** Hidden width of DINOv2's MLP; a gated one is two thirds as wide, rounded up to a multiple of 8, and doubled. */
  private int dinoMlp(int width, boolean gated) {
    int hidden = (int) (width * settings.number("mlp_ratio", 4, 0.01, 64));
    return gated ? ((int) (hidden * 2 / 3.0) + 7) / 8 * 16 : hidden;
  }

  private VitConfig tower() throws IOException {
    String prefix = SiglipNames.prefix(names);
    String blocks = SiglipNames.blocks(names);
    int width = shape(prefix + SiglipNames.PATCHES, blocks);
    int mlp = found.dim(blocks + "0.mlp.fc1.weight", 0, 4 * width);
    image(prefix + "embeddings.position_embedding.weight", 0, 0);
    Norm norm = norm(1e-6);
    int classes = classes();
    boolean map = settings.flag("vision_use_head", names.starts(prefix + "head.") || classes > 0) && classes == 0;
    return builder
        .mlp(settings.integer("intermediate_size", mlp, 1, Limits.MLP))
        .activation(settings.choice("hidden_act", Activation.GELU_TANH, ACTIVATIONS))
        .norm(norm)
        .resampling(Resampling.BICUBIC)
        .finalNorm(norm)
        .pool(map ? VitConfig.Pool.MAP : VitConfig.Pool.MEAN)
        .classes(classes)
        .build();
  }

  /** Width, depth, heads, channels and patches. */
  private int shape(String patches, String blocks) throws IOException {
    int width = settings.integer("hidden_size", found.dim(patches, 0, 768), 1, Limits.WIDTH);
    int depth = settings.integer("num_hidden_layers", Math.max(1, names.count(blocks, ".")), 1, Limits.DEPTH);
    patch = settings.size(
        "patch_size", new Settings.Size(found.dim(patches, 2, 16), found.dim(patches, 3, 16)), Limits.PATCH);
    if (settings.isEmpty()) {
      builder.heads(KnownShapes.heads(found, width, depth));
    } else {
      builder.heads(settings.integer("num_attention_heads", 12, 1, Limits.WIDTH));
    }
    builder
        .width(width)
        .depth(depth)
        .channels(settings.integer("num_channels", found.dim(patches, 1, 3), 1, Limits.CHANNELS))
        .patchHeight(patch.height())
        .patchWidth(patch.width());
    return width;
  }

  /** Size of the pictures: as stated, or a square of as many patches as there are positions. */
  private void image(String positions, int axis, int prefixes) throws IOException {
    int side = Found.side(found.dim(positions, axis, 0) - prefixes);
    Settings.Size square = new Settings.Size(side * patch.height(), side * patch.width());
    Settings.Size size = settings.size("image_size", side == 0 ? new Settings.Size(224, 224) : square, Limits.IMAGE);
    builder.imageHeight(size.height()).imageWidth(size.width());
  }

  private Norm norm(double eps) {
    return Norm.layer((float) settings.number("layer_norm_eps", eps, 0, 1));
  }

  private int classes() throws IOException {
    return found.dim("classifier.weight", 0, 0);
  }
}
