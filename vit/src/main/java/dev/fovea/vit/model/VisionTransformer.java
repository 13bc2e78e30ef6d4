package dev.fovea.vit.model;

import dev.fovea.kernels.ImageKernels.Patches;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.ops.Ops;
import dev.fovea.vit.model.Parameters.LinearLayer;
import dev.fovea.vit.model.Parameters.NormLayer;
import java.util.Collections;
import java.util.List;
import java.util.Map;
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
  private final LinearLayer patchEmbedding;
  private final @Nullable Tensor prefix;
  private final Tensor positions;
  private final @Nullable NormLayer preNorm;
  private final List<Blocks.Block> blocks;
  private final @Nullable NormLayer finalNorm;
  private final @Nullable MapPool mapPool;
  private final @Nullable NormLayer headNorm;
  private final @Nullable LinearLayer head;

  /** What a forward pass yields. */
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
    patchEmbedding = p.linear("patch_embed.");
    prefix = p.optional("prefix");
    positions = config.positions() == VitConfig.Positions.LEARNED
        ? p.get("positions")
        : scope.adopt(SinCos.positions(config, patchEmbedding.weight()));
    preNorm = p.optionalNorm("norm_pre.", config.preNorm());
    blocks = IntStream.range(0, config.depth())
        .mapToObj(i -> Blocks.of(p, config, i))
        .toList();
    finalNorm = p.optionalNorm("norm.", config.finalNorm());
    mapPool = config.pool() == VitConfig.Pool.MAP ? MapPool.of(p, config) : null;
    headNorm = p.optionalNorm("head_norm.", config.headNorm());
    head = config.classes() == 0 ? null : p.linear("head.");
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
   * @param pixels [batch, channels, height, width] of the configured size, normalised as the model expects
   */
  public Output forward(Tensor pixels) {
    Shape expected = Shape.of(pixels.shape().dim(0), config.channels(), config.imageHeight(), config.imageWidth());
    if (!pixels.shape().equals(expected)) {
      throw new IllegalArgumentException("pixels: got %s, expected %s".formatted(pixels.shape(), expected));
    }
    Tensor x = embed(pixels);
    for (Blocks.Block block : blocks) {
      Tensor y = Tape.block(x, block::on);
      x.close();
      x = y;
    }
    Tensor features = finalNorm == null ? x : finalNorm.on(x);
    Tensor pooled = pool(features);
    Tensor preLogits = headNorm == null ? pooled : headNorm.on(pooled);
    return new Output(
        features, preLogits, head == null ? null : head.on(preLogits).apply());
  }

  /** Patches, prefix tokens and positions: [batch, tokens, width]. */
  private Tensor embed(Tensor pixels) {
    int batch = Math.toIntExact(pixels.shape().dim(0));
    try (Scope inside = Scope.open(pixels.device())) {
      var grid = new Patches(
          batch,
          config.channels(),
          config.imageHeight(),
          config.imageWidth(),
          config.patchHeight(),
          config.patchWidth(),
          false);
      Tensor patches =
          Ops.patchify(grid, pixels, null, null, patchEmbedding.weight().dtype());
      Tensor x = Ops.assemble(patchEmbedding.on(patches).apply(), prefix, positions);
      return inside.keep(preNorm == null ? x : preNorm.on(x));
    }
  }

  private Tensor pool(Tensor x) {
    return switch (config.pool()) {
      case CLASS -> Ops.slice(x, 1, 0, 1).reshape(x.shape().dim(0), config.width());
      case MEAN -> Ops.meanPool(x, config.prefixTokens(), null);
      case MAP -> {
        if (mapPool == null) {
          throw new AssertionError("made with the model");
        }
        yield mapPool.on(x);
      }
    };
  }

  /** Frees the parameters. */
  @Override
  public void close() {
    scope.close();
  }
}
