package dev.fovea.vit.model;

import dev.fovea.kernels.Activation;
import dev.fovea.tensor.Device;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.ops.Ops;
import dev.fovea.vit.model.Parameters.LinearLayer;
import dev.fovea.vit.model.Parameters.NormLayer;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A Vision Transformer: its configuration and its parameters, which it owns and closes. Several threads may run it at
 * once, each in scopes of its own.
 */
public final class VisionTransformer implements AutoCloseable {
  private final VitConfig config;
  private final Map<String, Tensor> tensors;
  private final Scope scope;
  private final Embedding embedding;
  private final List<Blocks.Block> blocks;
  private final @Nullable NormLayer finalNorm;
  private final @Nullable MapPool mapPool;
  private final @Nullable NormLayer headNorm;
  private final @Nullable LinearLayer preLogits;
  private final @Nullable LinearLayer head;

  /** Told by us, since of a tensor nobody knows whose it was. */
  private volatile boolean closed;

  /**
   * What a forward pass yields.
   *
   * @param features of all tokens after the last norm, [batch, tokens, width]
   * @param preLogits what the model says about each picture, [batch, representation]
   * @param logits [batch, classes]; null without a classifier
   */
  public record Output(
      Tensor features, Tensor preLogits, @Nullable Tensor logits) {}

  /**
   * A model of these parameters, which it takes over.
   *
   * @param parameters by the names and in the shapes of {@link ParameterShapes}, all on one device
   * @throws IllegalArgumentException if one is missing, of another shape, or unknown
   */
  public VisionTransformer(VitConfig config, Map<String, Tensor> parameters) {
    check(config, parameters);
    this.config = config;
    this.tensors = Collections.unmodifiableMap(parameters);
    scope = Scope.unbound(parameters.values().iterator().next().device());
    parameters.values().forEach(scope::adopt);
    var p = new Parameters(parameters);
    embedding = embedding(p);
    blocks = IntStream.range(0, config.depth())
        .mapToObj(i -> Blocks.of(p, config, i))
        .toList();
    finalNorm = p.optionalNorm("norm.", config.finalNorm());
    mapPool = config.pool() == VitConfig.Pool.MAP ? MapPool.of(p, config) : null;
    headNorm = p.optionalNorm("head_norm.", config.headNorm());
    preLogits = config.preLogits() == 0 ? null : p.linear("pre_logits.");
    head = config.classes() == 0 ? null : p.linear("head.");
  }

  /**
   * This model for inference alone, and faster: the weights of linear layers in the order the device multiplies by
   * fastest ({@link Tensor#packed}). They take the place of the plain ones, one after the other; this model is closed,
   * and what shares parameters with it keeps its own. The two biases of a parallel block's output become one, as its
   * {@linkplain VitConfig#projBias configuration} then says.
   */
  public VisionTransformer frozen() {
    checkOpen("used after close");
    Map<String, Tensor> frozen = new LinkedHashMap<>();
    try (Scope inside = Scope.open(scope.device())) {
      tensors.forEach((name, tensor) -> {
        boolean ofLayer = name.endsWith(".weight") && tensor.shape().rank() == 2;
        Tensor kept = ofLayer ? tensor.packed() : tensor.reshape(tensor.shape());
        frozen.put(name, kept);
        tensor.close();
      });
      close();
      boolean twoBiases = config.block() == VitConfig.Block.PARALLEL && config.projBias() && config.mlpBias();
      return new VisionTransformer(twoBiases ? withOneBias(frozen) : config, frozen);
    }
  }

  /** Adds up what every block would add up every time. */
  private VitConfig withOneBias(Map<String, Tensor> parameters) {
    for (int i = 0; i < config.depth(); i++) {
      String at = "blocks." + i + ".";
      try (Tensor attention = Objects.requireNonNull(parameters.remove(at + "attn_out.bias"))) {
        parameters.computeIfPresent(at + "out_proj.bias", (name, mlp) -> {
          try (mlp) {
            return Ops.add(mlp, attention);
          }
        });
      }
    }
    return config.toBuilder().projBias(false).build();
  }

  /** A model to be trained, on the CPU; see {@link Initialisation}. */
  public static VisionTransformer create(VitConfig config, long seed) {
    return create(config, Initialisation.of(seed), Device.cpu());
  }

  /** A model to be trained. */
  public static VisionTransformer create(VitConfig config, Initialisation start, Device device) {
    return new VisionTransformer(config, start.parameters(config, device));
  }

  /**
   * This model for pictures of another size: with learned positions resampled, and all other parameters shared, in
   * memory and as trainable tensors. Either may be closed first.
   */
  public VisionTransformer resized(int imageHeight, int imageWidth) {
    checkOpen("used after close");
    VitConfig other =
        config.toBuilder().imageHeight(imageHeight).imageWidth(imageWidth).build();
    try (Scope inside = Scope.open(scope.device())) {
      Map<String, Tensor> shared = views();
      Tensor positions = shared.get("positions");
      if (positions != null && !other.grid().equals(config.grid())) {
        Tensor resampled = Embedding.resampled(positions, config, other.grid());
        shared.put("positions", positions.isTrainable() ? resampled.trainable() : resampled);
      }
      return new VisionTransformer(other, shared);
    }
  }

  /**
   * This trained sequential model with every {@code branches} blocks side by side in one (Three things, section 3). All
   * parameters are shared, in memory and as trainable tensors. Either may be closed first.
   *
   * @throws IllegalArgumentException if the blocks are not sequential or {@code branches} does not divide their number
   */
  public VisionTransformer parallel(int branches) {
    VitConfig other = Things.parallel(config, branches);
    try (Scope inside = Scope.open(scope.device())) {
      return new VisionTransformer(other, Things.rename(views(), branches));
    }
  }

  /** The parameters again, in the current scope. */
  private Map<String, Tensor> views() {
    Map<String, Tensor> views = new LinkedHashMap<>();
    tensors.forEach((name, tensor) -> views.put(name, tensor.reshape(tensor.shape())));
    return views;
  }

  private Embedding embedding(Parameters p) {
    try (Scope inside = Scope.open(scope.device())) {
      Embedding made = Embedding.of(p, config);
      if (made.positions() != null) {
        // Those that are no parameter belong to the model too.
        scope.adopt(made.positions());
      }
      return made;
    }
  }

  private static void check(VitConfig config, Map<String, Tensor> parameters) {
    Map<String, Shape> expected = ParameterShapes.of(config);
    StringBuilder wrong = new StringBuilder();
    expected.forEach((name, shape) -> {
      Tensor tensor = parameters.get(name);
      if (tensor == null) {
        wrong.append("\n  missing: ").append(name).append(' ').append(shape);
      } else if (!tensor.shape().equals(shape)) {
        wrong
            .append("\n  shape: ")
            .append(name)
            .append(" is ")
            .append(tensor.shape())
            .append(", expected ")
            .append(shape);
      }
    });
    parameters.keySet().stream()
        .filter(name -> !expected.containsKey(name))
        .forEach(name -> wrong.append("\n  unknown: ").append(name));
    if (!wrong.isEmpty()) {
      throw new IllegalArgumentException("parameters do not fit the configuration:" + wrong);
    }
  }

  public VitConfig config() {
    return config;
  }

  /** The parameters by name. */
  public Map<String, Tensor> parameters() {
    return tensors;
  }

  /**
   * Runs the model on pictures; results belong to the current scope.
   *
   * @param pixels [batch, channels, height, width] of the configured size, or of any if that is
   *     {@linkplain VitConfig#dynamicSize dynamic}; normalised as the model expects
   */
  public Output forward(Tensor pixels) {
    return forward(pixels, null);
  }

  /**
   * As {@link #forward(Tensor)}, in training: with stochastic depth.
   *
   * @param training null in inference
   */
  public Output forward(Tensor pixels, @Nullable Training training) {
    check(pixels);
    var pass = new Pass(Math.toIntExact(pixels.shape().dim(0)), training);
    Tensor features = features(embed(pixels), pass);
    Tensor pooled = pool(features);
    Tensor representation = headNorm == null ? pooled : headNorm.on(pooled);
    if (preLogits != null) {
      representation = preLogits.on(representation).activation(Activation.TANH).apply();
    }
    return new Output(
        features, representation, head == null ? null : head.on(representation).apply());
  }

  /** Blocks and last norm, on tokens that are freed. */
  private Tensor features(Tensor tokens, Pass pass) {
    Tensor x = tokens;
    for (Blocks.Block block : blocks) {
      Tensor y = Tape.block(x, in -> block.on(in, pass));
      x.close();
      x = y;
    }
    return finalNorm == null ? x : finalNorm.on(x);
  }

  /**
   * The features of pictures of which some patches are hidden; in the current scope.
   *
   * @param maskToken [1, width], takes the place of each hidden patch; null to leave these out
   * @return [batch, tokens, width], or [batch, prefixes + visible, width] without those that are hidden
   */
  Tensor features(Tensor pixels, PatchMask mask, @Nullable Tensor maskToken, @Nullable Training training) {
    check(pixels);
    Tensor tokens;
    try (Scope inside = Scope.open(pixels.device())) {
      tokens = inside.keep(embedding.on(pixels, mask, maskToken));
    }
    return features(tokens, new Pass(mask.pictures(), training));
  }

  /**
   * Runs the model on one picture to see where it looks.
   *
   * @param pixels [1, channels, height, width], as {@link #forward(Tensor)} takes them
   */
  public AttentionMaps attention(Tensor pixels) {
    check(pixels);
    if (pixels.shape().dim(0) != 1) {
      throw new IllegalArgumentException("pixels: got " + pixels.shape() + ", expected a single picture");
    }
    var maps = new AttentionMaps(
        config,
        new Grid(
            Math.toIntExact(pixels.shape().dim(2) / config.patchHeight()),
            Math.toIntExact(pixels.shape().dim(3) / config.patchWidth())));
    try (Scope inside = Scope.open(pixels.device())) {
      Tensor x = embed(pixels);
      for (Blocks.Block block : blocks) {
        try (Scope layer = Scope.open()) {
          maps.add(block.projections(x), config.heads());
          x = layer.keep(block.on(x, new Pass(1, null)));
        }
      }
      if (mapPool != null) {
        Tensor features = pooled(finalNorm == null ? x : finalNorm.on(x));
        maps.pool(mapPool.queries(1), mapPool.keysAndValues(features), mapPool.heads());
      }
    }
    return maps;
  }

  private void check(Tensor pixels) {
    checkOpen("used after close");
    Shape shape = pixels.shape();
    boolean fits = shape.rank() == 4
        && shape.dim(1) == config.channels()
        && (config.dynamicSize()
            ? shape.dim(2) >= config.patchHeight() && shape.dim(3) >= config.patchWidth()
            : shape.dim(2) == config.imageHeight() && shape.dim(3) == config.imageWidth());
    if (!fits) {
      throw new IllegalArgumentException("pixels: got %s, expected [batch, %d, %d, %d]%s"
          .formatted(
              shape,
              config.channels(),
              config.imageHeight(),
              config.imageWidth(),
              config.dynamicSize() ? ", or other pictures of at least one patch" : ""));
    }
  }

  /** Patches, prefix tokens and positions: [batch, tokens, width]. */
  private Tensor embed(Tensor pixels) {
    try (Scope inside = Scope.open(pixels.device())) {
      return inside.keep(embedding.on(pixels));
    }
  }

  private Tensor pool(Tensor x) {
    return switch (config.pool()) {
      case CLASS -> classToken(x);
      case MEAN -> Ops.meanPool(x, config.prefixTokens(), null);
      case CLASS_AND_MEAN -> Ops.concat(classToken(x), Ops.meanPool(x, config.prefixTokens(), null));
      case MAP -> {
        if (mapPool == null) {
          throw new AssertionError("made with the model");
        }
        yield mapPool.on(pooled(x));
      }
    };
  }

  /** The tokens that MAP pooling looks at: the patches. */
  private Tensor pooled(Tensor x) {
    int prefixes = config.prefixTokens();
    return prefixes == 0 ? x : Ops.slice(x, 1, prefixes, x.shape().dim(1) - prefixes);
  }

  private Tensor classToken(Tensor x) {
    return Ops.slice(x, 1, 0, 1).reshape(x.shape().dim(0), config.width());
  }

  private void checkOpen(String what) {
    if (closed) {
      throw new IllegalStateException(
          "model " + what + " (frozen() and Vit.resized() close the one they are called on)");
    }
  }

  /**
   * Frees the parameters.
   *
   * @throws IllegalStateException if that was done before
   */
  @Override
  public void close() {
    checkOpen("closed twice");
    closed = true;
    scope.close();
  }
}
