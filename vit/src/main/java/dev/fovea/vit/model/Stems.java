package dev.fovea.vit.model;

import dev.fovea.kernels.Activation;
import dev.fovea.kernels.DType;
import dev.fovea.kernels.ImageKernels.Patches;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.ops.Ops;
import dev.fovea.vit.model.Parameters.LinearLayer;
import dev.fovea.vit.model.Parameters.NormLayer;
import org.jspecify.annotations.Nullable;

/** How pictures become tokens: [batch, channels, height, width] to [batch, patches, width]. */
final class Stems {
  private Stems() {}

  /** One kind of stem. */
  interface Stem {
    Tensor on(Tensor pixels);
  }

  static Stem of(Parameters p, VitConfig config) {
    return switch (config.stem()) {
      case LINEAR -> new Linear(config.patchHeight(), config.patchWidth(), p.linear("patch_embed."));
      case HMLP ->
        new Hmlp(
            config.patchHeight() / 4,
            config.patchWidth() / 4,
            Layer.of(p, config, "patch_embed.0."),
            Layer.of(p, config, "patch_embed.1."),
            Layer.of(p, config, "patch_embed.2."));
    };
  }

  /** A linear layer on each patch. */
  record Linear(int patchHeight, int patchWidth, LinearLayer layer) implements Stem {
    @Override
    public Tensor on(Tensor pixels) {
      return layer
          .on(cut(pixels, patchHeight, patchWidth, layer.weight().dtype()))
          .apply();
    }
  }

  /**
   * A patch grows in three steps, each a convolution whose stride is its kernel: no patch sees another (Three things,
   * section 5 and appendix C).
   */
  record Hmlp(int firstHeight, int firstWidth, Layer first, Layer second, Layer third) implements Stem {
    @Override
    public Tensor on(Tensor pixels) {
      int rows = Math.toIntExact(pixels.shape().dim(2)) / firstHeight;
      int columns = Math.toIntExact(pixels.shape().dim(3)) / firstWidth;
      Tensor x =
          first.on(cut(pixels, firstHeight, firstWidth, first.linear.weight().dtype()), Activation.GELU_ERF);
      x = second.on(twoByTwo(x, rows, columns), Activation.GELU_ERF);
      return third.on(twoByTwo(x, rows / 2, columns / 2), Activation.NONE);
    }
  }

  /** {@code f(norm(W x + b))}. */
  record Layer(LinearLayer linear, @Nullable NormLayer norm) {
    static Layer of(Parameters p, VitConfig config, String at) {
      return new Layer(p.linear(at), p.optionalNorm(at + "norm.", config.stemNorm()));
    }

    Tensor on(Tensor x, Activation f) {
      if (norm == null) {
        return linear.on(x).activation(f).apply();
      }
      Tensor y = norm.on(linear.on(x).apply());
      return f == Activation.NONE ? y : Ops.activation(f, y);
    }
  }

  private static Tensor cut(Tensor pixels, int height, int width, DType dtype) {
    var patches = new Patches(
        Math.toIntExact(pixels.shape().dim(0)),
        Math.toIntExact(pixels.shape().dim(1)),
        Math.toIntExact(pixels.shape().dim(2)),
        Math.toIntExact(pixels.shape().dim(3)),
        height,
        width,
        false);
    return Ops.patchify(patches, pixels, null, null, dtype);
  }

  /** Rows of two by two neighbours of a map, [batch, rows columns, channels]. */
  private static Tensor twoByTwo(Tensor map, int rows, int columns) {
    var patches = new Patches(
        Math.toIntExact(map.shape().dim(0)), Math.toIntExact(map.shape().dim(2)), rows, columns, 2, 2, true);
    return Ops.patchify(patches, map, null, null, map.dtype());
  }
}
