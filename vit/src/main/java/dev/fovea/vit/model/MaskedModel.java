package dev.fovea.vit.model;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.ImageKernels.Patches;
import dev.fovea.tensor.Device;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.ops.Ops;
import dev.fovea.vit.model.Parameters.LinearLayer;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Learns from pictures without labels: some patches are hidden, and their pixels are to be told from the others. What
 * remains is the {@link #encoder}, a {@link VisionTransformer} to fine-tune. Owns its parameters and closes them.
 *
 * <p>The stem sees visible patches only. Kernel and stride are equal in every stem, so that masking before it is the
 * same as masking after it, with less work (Three things, section 5).
 */
public final class MaskedModel implements AutoCloseable {
  private static final float EPS = 1e-6f;
  private static final float MASK_DEVIATION = 0.02f;

  private final MaskedConfig config;
  private final VisionTransformer encoder;
  private final Map<String, Tensor> all;
  private final Scope scope;
  private final @Nullable Decoder decoder;
  private final Tensor maskToken;
  private final LinearLayer pixels;

  /**
   * A model of these parameters, which it takes over.
   *
   * @param parameters the encoder's by their own names, and those of {@link MaskedConfig#shapes}
   * @throws IllegalArgumentException if one is missing, of another shape, or unknown
   */
  public MaskedModel(MaskedConfig config, Map<String, Tensor> parameters) {
    this.config = config;
    Map<String, Tensor> inner = new LinkedHashMap<>(parameters);
    Map<String, Tensor> own = new LinkedHashMap<>();
    config.shapes().forEach((name, shape) -> own.put(name, take(inner, name, shape)));
    encoder = new VisionTransformer(config.vit(), inner);
    all = Collections.unmodifiableMap(new LinkedHashMap<>(parameters));
    Parameters p = new Parameters(own);
    maskToken = p.get(MaskedConfig.MASK_TOKEN);
    pixels = p.linear(MaskedConfig.DECODER + "pixels.");
    scope = Scope.unbound(maskToken.device());
    own.values().forEach(scope::adopt);
    try (Scope making = Scope.open(maskToken.device())) {
      decoder = config.drops()
          ? Decoder.of(
              p, config, scope.adopt(SinCos.positions(config.vit().grid(), config.decoderWidth(), maskToken.dtype())))
          : null;
    }
  }

  private static Tensor take(Map<String, Tensor> from, String name, Shape shape) {
    Tensor tensor = from.remove(name);
    if (tensor == null || !tensor.shape().equals(shape)) {
      throw new IllegalArgumentException(
          "%s: got %s, expected %s".formatted(name, tensor == null ? "none" : tensor.shape(), shape));
    }
    return tensor;
  }

  /** A model to be trained; see {@link Initialisation}. */
  public static MaskedModel create(MaskedConfig config, Initialisation start, Device device) {
    return around(VisionTransformer.create(config.vit(), start, device), config, start);
  }

  /**
   * A model to be trained whose encoder is trained already.
   *
   * @param encoder taken over
   * @param config whose {@link MaskedConfig#vit} is the encoder's
   * @param start of everything else
   */
  public static MaskedModel around(VisionTransformer encoder, MaskedConfig config, Initialisation start) {
    if (!encoder.config().equals(config.vit())) {
      throw new IllegalArgumentException("encoder: got another configuration, expected that of config");
    }
    Device device = encoder.parameters().values().iterator().next().device();
    Map<String, Tensor> parameters = new LinkedHashMap<>();
    try (encoder;
        Scope making = Scope.open(device)) {
      encoder.parameters().forEach((name, tensor) -> parameters.put(name, tensor.reshape(tensor.shape())));
      parameters.putAll(fresh(config, start));
      return new MaskedModel(config, parameters);
    }
  }

  /** Blocks as in any model, mask token normal, other matrices uniform after Glorot; in the current scope. */
  private static Map<String, Tensor> fresh(MaskedConfig config, Initialisation start) {
    Map<String, Tensor> made = new LinkedHashMap<>();
    Initialisation other = new Initialisation(~start.seed(), start.layerScale(), 0, start.dtype());
    Map<String, Tensor> blocks =
        config.drops() ? other.parameters(config.decoder(), Scope.current().device()) : Map.of();
    blocks.values().forEach(Scope.current()::adopt);
    int stream = 0;
    for (Map.Entry<String, Shape> entry : config.shapes().entrySet()) {
      String name = entry.getKey();
      Shape shape = entry.getValue();
      Tensor ready =
          name.startsWith(MaskedConfig.DECODER) ? blocks.get(name.substring(MaskedConfig.DECODER.length())) : null;
      Tensor tensor = ready == null ? Tensor.zeros(shape, start.dtype()) : ready;
      var random = tensor.device().kernels().random();
      stream++;
      if (name.equals(MaskedConfig.MASK_TOKEN)) {
        random.normal(tensor.span(), 0, MASK_DEVIATION, other.seed(), stream);
      } else if (ready == null && shape.rank() == 2) {
        float bound = (float) Math.sqrt(6.0 / (shape.dim(0) + shape.dim(1)));
        random.uniform(tensor.span(), -bound, bound, other.seed(), stream);
      }
      made.put(name, tensor);
    }
    return made;
  }

  /** What this is made of. */
  public MaskedConfig config() {
    return config;
  }

  /** What is left when this is trained; closed with this. */
  public VisionTransformer encoder() {
    return encoder;
  }

  /** All parameters by name, the encoder's and the others. */
  public Map<String, Tensor> parameters() {
    return all;
  }

  /**
   * What the hidden patches hold, as far as can be told from the others; in the current scope.
   *
   * @param pictures [batch, channels, height, width] of the configured size
   * @param training null in inference
   * @return [hidden patches of all pictures, values of a patch], values over channel, then y, then x
   */
  public Tensor predict(Tensor pictures, PatchMask mask, @Nullable Training training) {
    int prefixes = config.vit().prefixTokens();
    try (Scope inside = Scope.open(pictures.device())) {
      Tensor features = encoder.features(pictures, mask, decoder == null ? maskToken : null, training);
      Tensor hidden = decoder == null
          ? Ops.gather(features, mask.hiddenRows(prefixes))
          : decoder.on(features, mask, prefixes, new Pass(mask.pictures(), null));
      return inside.keep(pixels.on(hidden).apply());
    }
  }

  /** What is to be predicted: the hidden patches' values, normalised if so configured; F32. */
  public Tensor targets(Tensor pictures, PatchMask mask) {
    try (Scope inside = Scope.open(pictures.device())) {
      Tensor cut = Ops.patchify(patches(pictures), pictures, null, null, DType.F32);
      Tensor hidden = Ops.gather(cut, mask.hiddenRows(0));
      return inside.keep(config.normalized() ? Ops.layerNorm(hidden, null, null, EPS) : hidden);
    }
  }

  /** The mean squared error of {@link #predict} over the hidden patches' values, a scalar. */
  public Tensor loss(Tensor pictures, PatchMask mask, @Nullable Training training) {
    return Ops.meanSquaredError(predict(pictures, mask, training), targets(pictures, mask));
  }

  /**
   * The pictures with what {@link #predict} says in the place of hidden patches, [batch, channels, height, width].
   * Where values are predicted normalised, mean and deviation are those of the hidden patch itself.
   */
  public float[] fill(Tensor pictures, PatchMask mask) {
    float[] filled = pictures.toFloats();
    float[] predicted;
    float[] hidden;
    try (Scope inside = Scope.open(pictures.device())) {
      predicted = predict(pictures, mask, null).toFloats();
      Tensor cut = Ops.patchify(patches(pictures), pictures, null, null, DType.F32);
      hidden = Ops.gather(cut, mask.hiddenRows(0)).toFloats();
    }
    int size = config.patchSize();
    int[] rows = mask.hidden();
    for (int i = 0; i < rows.length; i++) {
      double mean = 0;
      double deviation = 1;
      if (config.normalized()) {
        double sum = 0;
        double squares = 0;
        for (int j = i * size; j < (i + 1) * size; j++) {
          sum += hidden[j];
          squares += (double) hidden[j] * hidden[j];
        }
        mean = sum / size;
        deviation = Math.sqrt(Math.max(0, squares / size - mean * mean) + EPS);
      }
      paste(filled, rows[i], predicted, i * size, mean, deviation);
    }
    return filled;
  }

  private void paste(float[] filled, int patch, float[] values, int at, double mean, double deviation) {
    VitConfig vit = config.vit();
    int inPicture = patch % vit.patches();
    int top = inPicture / vit.gridColumns() * vit.patchHeight();
    int left = inPicture % vit.gridColumns() * vit.patchWidth();
    int next = at;
    for (int c = 0; c < vit.channels(); c++) {
      int plane = (patch / vit.patches() * vit.channels() + c) * vit.imageHeight();
      for (int y = top; y < top + vit.patchHeight(); y++) {
        for (int x = left; x < left + vit.patchWidth(); x++) {
          filled[(plane + y) * vit.imageWidth() + x] = (float) (values[next++] * deviation + mean);
        }
      }
    }
  }

  private Patches patches(Tensor pictures) {
    VitConfig vit = config.vit();
    return Embedding.patches(vit, pictures);
  }

  /** Frees all parameters. */
  @Override
  public void close() {
    encoder.close();
    scope.close();
  }
}
