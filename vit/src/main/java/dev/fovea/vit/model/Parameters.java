package dev.fovea.vit.model;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.ops.Linear;
import dev.fovea.tensor.ops.Ops;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A model's parameters by name, and the layers that are made of them. */
final class Parameters {
  private final Map<String, Tensor> tensors;

  Parameters(Map<String, Tensor> tensors) {
    this.tensors = tensors;
  }

  /** Those whose names begin so, without that. */
  Parameters at(String prefix) {
    Map<String, Tensor> inner = new LinkedHashMap<>();
    tensors.forEach((name, tensor) -> {
      if (name.startsWith(prefix)) {
        inner.put(name.substring(prefix.length()), tensor);
      }
    });
    return new Parameters(inner);
  }

  Tensor get(String name) {
    Tensor tensor = tensors.get(name);
    if (tensor == null) {
      throw new IllegalArgumentException("parameters: got no " + name + ", expected one as the configuration says");
    }
    return tensor;
  }

  @Nullable
  Tensor optional(String name) {
    return tensors.get(name);
  }

  /** The dtype of all of them. */
  DType dtype() {
    return tensors.values().iterator().next().dtype();
  }

  LinearLayer linear(String at) {
    return new LinearLayer(get(at + "weight"), optional(at + "bias"));
  }

  NormLayer norm(String at, VitConfig.Norm norm) {
    return new NormLayer(norm, get(at + "weight"), optional(at + "bias"));
  }

  @Nullable
  NormLayer optionalNorm(String at, VitConfig.@Nullable Norm norm) {
    return norm == null ? null : norm(at, norm);
  }

  /** A weight [out, in] and perhaps a bias. */
  record LinearLayer(Tensor weight, @Nullable Tensor bias) {
    Linear on(Tensor x) {
      return Linear.of(x, weight).bias(bias);
    }

    Linear on(Tensor x, Tensor x2) {
      return Linear.of(x, x2, weight).bias(bias);
    }
  }

  /** LayerNorm or RMSNorm with its scale and perhaps a bias. */
  record NormLayer(
      VitConfig.Norm norm, Tensor weight, @Nullable Tensor bias) {
    Tensor on(Tensor x) {
      return norm.centered() ? Ops.layerNorm(x, weight, bias, norm.eps()) : Ops.rmsNorm(x, weight, norm.eps());
    }
  }

  /** Per-head norms of queries and keys. */
  record QkNorm(int heads, NormLayer q, NormLayer k) {
    Linear on(Linear projection) {
      VitConfig.Norm norm = q.norm;
      return projection.qkNorm(heads, norm.eps(), norm.centered(), q.weight, q.bias, k.weight, k.bias);
    }

    /** With the norms if there are any. */
    static Linear apply(@Nullable QkNorm norm, Linear projection) {
      return norm == null ? projection : norm.on(projection);
    }
  }

  @Nullable
  QkNorm qkNorm(String at, VitConfig config) {
    VitConfig.Norm norm = config.qkNorm();
    return norm == null ? null : new QkNorm(config.heads(), norm(at + "q_norm.", norm), norm(at + "k_norm.", norm));
  }
}
