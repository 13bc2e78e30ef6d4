package dev.fovea.vit.model;

import dev.fovea.tensor.Tape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.ops.Ops;
import dev.fovea.vit.model.Parameters.LinearLayer;
import dev.fovea.vit.model.Parameters.NormLayer;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Fills in the patches that an encoder did not see: a few narrow blocks over all patches, with a mask token for each
 * hidden one and fixed positions (MAE, section 3). Prefix tokens stay behind.
 */
record Decoder(LinearLayer embed, Tensor maskToken, Tensor positions, List<Blocks.Block> blocks, NormLayer norm) {
  static Decoder of(Parameters p, MaskedConfig config, Tensor positions) {
    VitConfig own = config.decoder();
    Parameters inner = p.at(MaskedConfig.DECODER);
    return new Decoder(
        inner.linear("embed."),
        p.get(MaskedConfig.MASK_TOKEN),
        positions,
        IntStream.range(0, own.depth()).mapToObj(i -> Blocks.of(inner, own, i)).toList(),
        inner.norm("norm.", own.norm()));
  }

  /**
   * [pictures, prefixes + visible, width] to [hidden patches of all pictures, decoder's width].
   *
   * @param prefixes tokens to leave behind
   */
  Tensor on(Tensor features, PatchMask mask, int prefixes, Pass pass) {
    Tensor seen = prefixes == 0
        ? features
        : Ops.slice(features, 1, prefixes, features.shape().dim(1) - prefixes);
    Tensor embedded = embed.on(seen).apply();
    int width = Math.toIntExact(embedded.shape().dim(-1));
    Tensor all = withMaskTokens(embedded.reshape(1, -1, width), maskToken, mask);
    Tensor x = Ops.assemble(all, null, positions);
    for (Blocks.Block block : blocks) {
      x = Tape.block(x, in -> block.on(in, pass));
    }
    return norm.on(Ops.gather(x, mask.hiddenRows(0)));
  }

  /**
   * Visible tokens in their places and a mask token in all others: [1, visible, width] to [pictures, patches, width].
   */
  static Tensor withMaskTokens(Tensor visible, Tensor maskToken, PatchMask mask) {
    Tensor table = Ops.assemble(visible, maskToken, null);
    return Ops.gather(table, mask.places()).reshape(mask.pictures(), mask.patches(), -1);
  }
}
