package dev.fovea.vit.weights;

import dev.fovea.vit.model.Resampling;
import dev.fovea.vit.model.VitConfig;
import dev.fovea.vit.model.VitConfig.Norm;
import dev.fovea.vit.model.VitConfigBuilder;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** The configuration of a timm model of which there are only the tensors. */
final class TimmShapes {
  private static final String PATCHES = "patch_embed.proj.weight";

  private final Found found;
  private final Names names;

  private TimmShapes(Found found) {
    this.found = found;
    names = found.names();
  }

  /** @param name of the file and its folder, which may say which architecture it is */
  static VitConfig of(Found found, String name) throws IOException {
    return KnownShapes.complete(new TimmShapes(found).observed(), found, name);
  }

  private VitConfig observed() throws IOException {
    int width = found.dim(PATCHES, 0, 1);
    boolean parallel = names.has("blocks.0.in_proj.weight");
    boolean things = names.starts("blocks.0.attns.");
    VitConfig.Block block =
        parallel ? VitConfig.Block.PARALLEL : things ? VitConfig.Block.THINGS : VitConfig.Block.SEQUENTIAL;
    String attention = "blocks.0." + (things ? "attns.0." : "") + (parallel ? "" : "attn.");
    String mlp = "blocks.0." + (things ? "ffns.0." : "") + "mlp.";
    int hidden = parallel
        ? Math.max(1, found.dim("blocks.0.in_proj.weight", 0, 1) - 3 * width)
        : found.dim(mlp + "fc1.weight", 0, 4 * width);
    Norm norm = norm("blocks.0." + (things ? "attns.0.norm." : parallel ? "in_norm." : "norm1."));
    boolean projBias = parallel ? names.has("blocks.0.attn_out_proj.bias") : names.has(attention + "proj.bias");
    VitConfigBuilder builder = VitConfig.builder()
        .channels(found.dim(PATCHES, 1, 3))
        .patchHeight(found.dim(PATCHES, 2, 16))
        .patchWidth(found.dim(PATCHES, 3, 16))
        .patchBias(names.has("patch_embed.proj.bias"))
        .shape(width, Math.max(1, names.count("blocks.", ".")), hidden, 1)
        .gated(!parallel && found.dim(mlp + "fc2.weight", 1, hidden) * 2 == hidden)
        .block(block)
        .branches(things ? names.count("blocks.0.attns.", ".") : 1)
        .norm(norm)
        .qkNorm(optionalNorm(attention + "q_norm."))
        .qkvBias(names.has(parallel ? "blocks.0.in_proj.bias" : attention + "qkv.bias"))
        .projBias(projBias)
        .mlpBias(parallel || projBias)
        .layerScale(names.ends("gamma"))
        .classToken(names.has("cls_token"))
        .registers(found.dim("reg_token", 1, 0))
        .resampling(Resampling.BICUBIC_ANTIALIAS)
        .preNorm(optionalNorm("norm_pre."))
        .finalNorm(optionalNorm("norm."))
        .headNorm(optionalNorm("fc_norm."))
        .pool(pool())
        .poolHeads(1)
        .classes(found.dim("head.weight", 0, 0));
    positions(builder);
    return builder.build();
  }

  private VitConfig.Pool pool() {
    if (names.starts("attn_pool.")) {
      return VitConfig.Pool.MAP;
    }
    return names.has("cls_token") && !names.starts("fc_norm.") ? VitConfig.Pool.CLASS : VitConfig.Pool.MEAN;
  }

  /** Pictures are taken to be square: that tells whether prefix tokens have positions. */
  private void positions(VitConfigBuilder builder) throws IOException {
    int count = found.dim("pos_embed", 1, 0);
    if (count == 0) {
      throw new IllegalArgumentException(
          found.file() + ": got no pos_embed, expected learned positions: without, as with rotary ones (DINOv3), a"
              + " model is not known by its tensors");
    }
    int prefixes = (names.has("cls_token") ? 1 : 0) + found.dim("reg_token", 1, 0);
    boolean without = Found.side(count) > 0;
    int side = Found.side(without ? count : count - prefixes);
    if (side <= 0) {
      throw new IllegalArgumentException(("%s: pos_embed of %d positions does not tell the size of the pictures:"
              + " expected a config.json beside it, with the model's architecture")
          .formatted(found.file(), count));
    }
    builder
        .imageHeight(side * found.dim(PATCHES, 2, 16))
        .imageWidth(side * found.dim(PATCHES, 3, 16))
        .prefixPositions(!without || prefixes == 0);
  }

  private @Nullable Norm optionalNorm(String at) {
    return names.has(at + "weight") ? norm(at) : null;
  }

  private Norm norm(String at) {
    boolean bias = names.has(at + "bias");
    return new Norm(bias, bias, 1e-6f);
  }
}
