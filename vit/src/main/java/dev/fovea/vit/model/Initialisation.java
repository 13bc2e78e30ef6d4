package dev.fovea.vit.model;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.RandomKernels;
import dev.fovea.tensor.Device;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Where training starts, as in big_vision: matrices of blocks uniform after Glorot, patches normal after LeCun, learned
 * positions normal of deviation 1 / sqrt(width), biases of MLPs of deviation 1e-6, norms 1, and the rest 0: other
 * biases, class token and classifier, so that the first logits are the head's bias. Registers get numbers of deviation
 * 1e-6, since equal ones would stay equal.
 *
 * <p>A parameter is a function of the seed, its name and its shape: the same on every device and in every larger model.
 *
 * @param seed of all random numbers
 * @param layerScale what LayerScale starts from
 * @param headBias what the classifier's bias starts from; negative for a sigmoid loss over many classes, -10 with JFT
 * @param dtype F32 or BF16
 */
public record Initialisation(long seed, float layerScale, float headBias, DType dtype) {
  private static final float SMALL = 1e-6f;

  /** Of F32 parameters, with LayerScale from 1e-4 and a head's bias of 0. */
  public static Initialisation of(long seed) {
    return new Initialisation(seed, 1e-4f, 0, DType.F32);
  }

  /** With another start of LayerScale. */
  public Initialisation withLayerScale(float value) {
    return new Initialisation(seed, value, headBias, dtype);
  }

  /** With another start of the classifier's bias. */
  public Initialisation withHeadBias(float value) {
    return new Initialisation(seed, layerScale, value, dtype);
  }

  /** With parameters in another dtype. */
  public Initialisation withDtype(DType value) {
    return new Initialisation(seed, layerScale, headBias, value);
  }

  /** The parameters of a model, owned by nobody: {@link VisionTransformer} takes them over. */
  Map<String, Tensor> parameters(VitConfig config, Device device) {
    Map<String, Tensor> made = new LinkedHashMap<>();
    try (Scope scope = Scope.open(device)) {
      ParameterShapes.of(config).forEach((name, shape) -> {
        Tensor tensor = Tensor.zeros(shape, dtype);
        new Start(this, config, name, tensor).fill();
        made.put(name, tensor);
      });
      made.values().forEach(scope::keep);
    }
    return made;
  }

  /** One parameter. */
  private record Start(Initialisation how, VitConfig config, String name, Tensor tensor) {
    void fill() {
      int d = config.width();
      Shape shape = tensor.shape();
      boolean vector = shape.rank() == 1;
      String last = name.substring(name.lastIndexOf('.') + 1);
      if (last.startsWith("ls")) {
        fill(how.layerScale);
      } else if (vector && last.equals("weight")) {
        fill(1);
      } else if (vector) {
        bias();
      } else if (name.equals("positions")) {
        normal(1 / Math.sqrt(d));
      } else if (name.equals("prefix")) {
        prefix();
      } else if (name.equals("pool.probe")) {
        uniform(0, shape.count(), 1 + d);
      } else if (name.startsWith("patch_embed.") || name.startsWith("pre_logits.")) {
        lecun(shape.dim(1));
      } else if (!name.startsWith("head.")) {
        matrix();
      }
    }

    private void bias() {
      if (name.equals("head.bias")) {
        fill(how.headBias);
      } else if (name.contains("mlp.")) {
        normal(SMALL);
      } else if (name.endsWith("in_proj.bias")) {
        random().normal(tensor.span().slice(0, config.mlp()), 0, SMALL, how.seed, stream());
      } else if (name.endsWith("out_proj.bias")) {
        normal(SMALL);
      }
    }

    private void prefix() {
      long d = config.width();
      if (config.registers() > 0) {
        long first = config.classToken() ? d : 0;
        random().normal(tensor.span().slice(first, config.registers() * d), 0, SMALL, how.seed, stream());
      }
    }

    /** Matrices that a product makes together keep the bounds that each would have alone. */
    private void matrix() {
      long d = config.width();
      long m = config.mlp();
      long out = tensor.shape().dim(0);
      long in = tensor.shape().dim(1);
      if (name.endsWith("qkv.weight") || name.endsWith("kv.weight")) {
        uniform(0, out * in, d + d);
      } else if (name.endsWith("in_proj.weight")) {
        uniform(0, m * d, m + d);
        uniform(m * d, 3 * d * d, d + d);
      } else if (name.endsWith("out_proj.weight")) {
        // Columns of two matrices alternate row by row: draw each for itself.
        columns(0, m, m + d);
        columns(m, d, d + d);
      } else if (config.gated() && name.endsWith("fc1.weight")) {
        uniform(0, out * in, out / 2 + in);
      } else {
        uniform(0, out * in, out + in);
      }
    }

    private void uniform(long first, long count, long fans) {
      float bound = (float) Math.sqrt(6.0 / fans);
      random().uniform(tensor.span().slice(first, count), -bound, bound, how.seed, stream() + first);
    }

    private void columns(long first, long count, long fans) {
      float bound = (float) Math.sqrt(6.0 / fans);
      long rows = tensor.shape().dim(0);
      try (Scope scope = Scope.open(tensor.device())) {
        Tensor part = Tensor.empty(Shape.of(rows, count), how.dtype);
        random().uniform(part.span(), -bound, bound, how.seed, stream() + first);
        scope
            .device()
            .kernels()
            .elementwise()
            .copy(
                rows,
                (int) count,
                part.span(),
                count,
                tensor.span().from(first),
                tensor.shape().dim(1));
      }
    }

    private void normal(double deviation) {
      random().normal(tensor.span(), 0, (float) deviation, how.seed, stream());
    }

    /** Normal of variance 1 / fanIn, cut off at two deviations: what lies beyond is drawn again. */
    private void lecun(long fanIn) {
      double deviation = Math.sqrt(1.0 / fanIn) / TRUNCATED;
      float[] values = new float[Math.toIntExact(tensor.shape().count())];
      try (Scope scope = Scope.open(tensor.device())) {
        Tensor drawn = Tensor.empty(tensor.shape(), DType.F32);
        boolean[] done = new boolean[values.length];
        int left = values.length;
        for (int round = 0; left > 0; round++) {
          random().normal(drawn.span(), 0, 1, how.seed, stream() + round);
          float[] fresh = drawn.toFloats();
          for (int i = 0; i < values.length; i++) {
            if (!done[i] && Math.abs(fresh[i]) <= 2) {
              values[i] = (float) (fresh[i] * deviation);
              done[i] = true;
              left--;
            }
          }
        }
        tensor.copyFrom(values);
      }
    }

    private void fill(float value) {
      tensor.device().kernels().elementwise().fill(tensor.span(), value);
    }

    private RandomKernels random() {
      return tensor.device().kernels().random();
    }

    /** A stream of numbers of the parameter's own: its name, hashed (FNV-1a). */
    private long stream() {
      long hash = 0xcbf29ce484222325L;
      for (int i = 0; i < name.length(); i++) {
        hash = (hash ^ name.charAt(i)) * 0x100000001b3L;
      }
      return hash;
    }
  }

  /** The deviation of a standard normal number that was cut off at 2. */
  private static final double TRUNCATED = 0.8796256610342398;
}
