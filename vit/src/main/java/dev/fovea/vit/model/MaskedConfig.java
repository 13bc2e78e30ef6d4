package dev.fovea.vit.model;

import dev.fovea.tensor.Shape;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A model that learns to fill in hidden patches.
 *
 * @param vit the encoder, without classifier
 * @param normalized whether the values of each patch are to be predicted less their mean and by their deviation (MAE,
 *     section 4.1) rather than as they are
 * @param decoderDepth 0: the encoder sees a learned mask token in the place of each hidden patch, and a linear layer
 *     reads the values from its features there (BEiT's masking with pixels as targets). More: the encoder sees only
 *     what is visible, and a decoder of so many blocks fills in the rest (MAE)
 * @param decoderWidth of a token in the decoder, a multiple of 4
 * @param decoderHeads of its attention
 */
public record MaskedConfig(VitConfig vit, boolean normalized, int decoderDepth, int decoderWidth, int decoderHeads) {
  static final String MASK_TOKEN = "mask_token";

  /** What the names of the decoder's parameters begin with. */
  public static final String DECODER = "decoder.";

  private static final int MLP_FACTOR = 4;

  public MaskedConfig {
    if (vit.classes() != 0 || vit.preLogits() != 0) {
      throw new IllegalArgumentException("vit: got a classifier, expected none: no classes are learned");
    }
    if (decoderDepth < 0) {
      throw new IllegalArgumentException("decoderDepth: got " + decoderDepth + ", expected 0 or more");
    }
    if (decoderDepth > 0 && (decoderWidth < 4 || decoderWidth % 4 != 0)) {
      throw new IllegalArgumentException("decoderWidth: got " + decoderWidth + ", expected a positive multiple of 4");
    }
    if (decoderDepth > 0 && (decoderHeads < 1 || decoderWidth % decoderHeads != 0)) {
      throw new IllegalArgumentException(
          "decoderHeads: got %d, expected a divisor of the decoder's width, %d".formatted(decoderHeads, decoderWidth));
    }
  }

  /** Mask tokens in the encoder and a linear layer after it. */
  public static MaskedConfig tokens(VitConfig vit, boolean normalized) {
    return new MaskedConfig(vit, normalized, 0, 0, 0);
  }

  /** Whether the encoder sees visible patches only. */
  public boolean drops() {
    return decoderDepth > 0;
  }

  /** Values of a patch. */
  public int patchSize() {
    return vit.channels() * vit.patchHeight() * vit.patchWidth();
  }

  /** The decoder's blocks as those of a model. */
  public VitConfig decoder() {
    return VitConfig.builder()
        .imageHeight(vit.imageHeight())
        .imageWidth(vit.imageWidth())
        .channels(vit.channels())
        .patchHeight(vit.patchHeight())
        .patchWidth(vit.patchWidth())
        .shape(decoderWidth, decoderDepth, MLP_FACTOR * decoderWidth, decoderHeads)
        .activation(vit.activation())
        .positions(VitConfig.Positions.SINCOS)
        .pool(VitConfig.Pool.MEAN)
        .build();
  }

  /** Whether the decoder takes this parameter from such a model. */
  static boolean ofDecoder(String name) {
    return name.startsWith("blocks.") || name.startsWith("norm.");
  }

  /** Parameters beside the encoder's, by name. */
  public Map<String, Shape> shapes() {
    Map<String, Shape> shapes = new LinkedHashMap<>();
    int width = drops() ? decoderWidth : vit.width();
    shapes.put(MASK_TOKEN, Shape.of(1, width));
    if (drops()) {
      shapes.put(DECODER + "embed.weight", Shape.of(decoderWidth, vit.width()));
      shapes.put(DECODER + "embed.bias", Shape.of(decoderWidth));
      ParameterShapes.of(decoder()).forEach((name, shape) -> {
        if (ofDecoder(name)) {
          shapes.put(DECODER + name, shape);
        }
      });
    }
    shapes.put(DECODER + "pixels.weight", Shape.of(patchSize(), width));
    shapes.put(DECODER + "pixels.bias", Shape.of(patchSize()));
    return shapes;
  }
}
