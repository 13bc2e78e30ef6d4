package dev.fovea.vit.weights;

import dev.fovea.kernels.Activation;
import dev.fovea.vit.model.Resampling;
import dev.fovea.vit.model.VitConfig;
import dev.fovea.vit.model.VitConfig.Norm;
import java.io.IOException;
import java.util.Map;

/**
 * The configuration of a big_vision checkpoint. Its shapes tell nearly all; a {@code config.json} beside it, with the
 * arguments of {@code big_vision.models.vit}, is needed only for pictures that are not square and for fixed positions.
 */
final class BigVisionConfig {
  private static final Norm NORM = Norm.layer(1e-6f);
  private static final Map<String, VitConfig.Pool> POOLS =
      Map.of("tok", VitConfig.Pool.CLASS, "gap", VitConfig.Pool.MEAN, "map", VitConfig.Pool.MAP);
  private static final Map<String, VitConfig.Positions> POSITIONS =
      Map.of("learn", VitConfig.Positions.LEARNED, "sincos2d", VitConfig.Positions.SINCOS);

  private final Settings settings;
  private final Found found;
  private final FlaxNames.Style style;

  private BigVisionConfig(Settings settings, Found found, FlaxNames.Style style) {
    this.settings = settings;
    this.found = found;
    this.style = style;
  }

  static VitConfig of(Settings settings, Found found, FlaxNames.Style style) throws IOException {
    return new BigVisionConfig(settings, found, style).read();
  }

  private VitConfig read() throws IOException {
    Names names = found.names();
    String kernel = style.prefix() + FlaxNames.PATCHES;
    int width = settings.integer("width", found.dim(kernel, -1, 768), 1, Limits.WIDTH);
    String block = style.block(0);
    int skip = style.scan() ? 1 : 0;
    String attention = block + style.attention();
    int heads = settings.integer("num_heads", found.dim(attention + "query/kernel", skip + 1, 12), 1, Limits.WIDTH);
    String dense = style.mlp() + "Dense_0/kernel";
    int depth = style.scan()
        ? found.dim(block + dense, 0, 12)
        : Math.max(1, names.count(style.prefix() + "Transformer/encoderblock_", "/"));
    String map = style.prefix() + style.map();
    Settings.Size patch = patch(kernel);
    boolean classToken = names.has(style.prefix() + "cls");
    VitConfig.Pool guess =
        names.has(map + "probe") ? VitConfig.Pool.MAP : classToken ? VitConfig.Pool.CLASS : VitConfig.Pool.MEAN;
    VitConfig.Positions positions = settings.choice(
        "posemb",
        found.rank(style.prefix() + style.positions()) > 0 ? VitConfig.Positions.LEARNED : VitConfig.Positions.SINCOS,
        POSITIONS);
    boolean prefixPositions = classToken && prefixPositions(patch);
    Settings.Size image = image(patch, prefixPositions ? 1 : 0);
    return VitConfig.builder()
        .imageHeight(image.height())
        .imageWidth(image.width())
        .channels(style.flat() ? 3 : found.dim(kernel, 2, 3))
        .patchHeight(patch.height())
        .patchWidth(patch.width())
        .width(width)
        .depth(settings.integer("depth", depth, 1, Limits.DEPTH))
        .heads(heads)
        .mlp(settings.integer("mlp_dim", found.dim(block + dense, skip + 1, 4 * width), 1, Limits.MLP))
        .activation(Activation.GELU_TANH)
        .norm(NORM)
        .qkNorm(names.has(attention + "query_ln/scale") ? new Norm(true, false, 1e-6f) : null)
        .qkvBias(names.has(attention + "query/bias"))
        .classToken(classToken)
        .positions(positions)
        .prefixPositions(prefixPositions)
        .resampling(Resampling.BILINEAR_CORNERS)
        .finalNorm(NORM)
        .pool(settings.choice("pool_type", guess, POOLS))
        .poolHeads(found.dim(map + "MultiHeadDotProductAttention_0/query/kernel", 1, heads))
        .poolMlp(found.dim(map + "MlpBlock_0/Dense_0/kernel", 1, 4 * width))
        .preLogits(found.dim(style.prefix() + "pre_logits/kernel", 1, 0))
        .classes(settings.integer("num_classes", found.dim(style.prefix() + "head/kernel", 1, 0), 0, Limits.CLASSES))
        .build();
  }

  private Settings.Size patch(String kernel) throws IOException {
    Settings.Size shape = new Settings.Size(found.dim(kernel, 0, 16), found.dim(kernel, 1, 16));
    if (style.flat()) {
      int side = Found.side(found.dim(kernel, 0, 768) / 3);
      shape = new Settings.Size(side, side);
    }
    return settings.size("patch_size", shape, Limits.PATCH);
  }

  /** The code before big_vision gave the class token a position; later files count patches only. */
  private boolean prefixPositions(Settings.Size patch) throws IOException {
    int count = found.dim(style.prefix() + style.positions(), 1, 0);
    if (settings.has("image_size")) {
      Settings.Size image = settings.size("image_size", patch, Limits.IMAGE);
      return count == (image.height() / patch.height()) * (image.width() / patch.width()) + 1;
    }
    return Found.side(count) == 0 && Found.side(count - 1) != 0;
  }

  private Settings.Size image(Settings.Size patch, int prefixes) throws IOException {
    String positions = style.prefix() + style.positions();
    int rows = found.dim(positions, 0, 0);
    int columns = found.dim(positions, 1, 0);
    if (!style.flat()) {
      rows = Found.side(columns - prefixes);
      columns = rows;
    }
    if (rows == 0 && !settings.has("image_size")) {
      throw settings.bad("the tensors of %s do not tell the size of the pictures: expected {\"image_size\": [height,"
              .formatted(found.file())
          + " width]}");
    }
    return settings.size("image_size", new Settings.Size(rows * patch.height(), columns * patch.width()), Limits.IMAGE);
  }
}
