package dev.fovea.vit;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.Device;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.io.TensorFile;
import dev.fovea.vit.model.VisionTransformer;
import dev.fovea.vit.model.VitConfig;
import dev.fovea.vit.weights.TimmConfig;
import dev.fovea.vit.weights.WeightMap;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;

/**
 * A Vision Transformer with weights from a model folder.
 *
 * <pre>{@code
 * try (Vit vit = Vit.load(Path.of("vit_base_patch16_224"));
 *     Scope scope = Scope.open()) {
 *   Tensor logits = vit.forward(pixels).logits();
 * }
 * }</pre>
 */
public final class Vit implements AutoCloseable {
  private final VisionTransformer model;
  private final WeightMap weights;

  private Vit(VisionTransformer model, WeightMap weights) {
    this.model = model;
    this.weights = weights;
  }

  /** As {@link #load(Path, Device)}, on the CPU. */
  public static Vit load(Path folder) throws IOException {
    return load(folder, Device.cpu());
  }

  /**
   * Loads a folder in the layout of timm on Hugging Face: {@code config.json} beside {@code model.safetensors}, or its
   * shards beside {@code model.safetensors.index.json}. Weights become F32.
   *
   * @throws java.nio.file.NoSuchFileException if one of the files is missing
   * @throws IllegalArgumentException if the architecture is not known or the weights do not fit it
   */
  public static Vit load(Path folder, Device device) throws IOException {
    VitConfig config = TimmConfig.read(folder.resolve("config.json"));
    Path sharded = folder.resolve("model.safetensors.index.json");
    Path file = Files.exists(sharded) ? sharded : folder.resolve("model.safetensors");
    try (TensorFile tensors = TensorFile.open(file);
        Scope scope = Scope.open(device)) {
      WeightMap weights = WeightMap.timm(config, new HashSet<>(tensors.names()));
      return new Vit(new VisionTransformer(config, weights.load(tensors, DType.F32)), weights);
    }
  }

  public VitConfig config() {
    return model.config();
  }

  /** The model itself. */
  public VisionTransformer model() {
    return model;
  }

  /** How the folder's tensors make up the model's parameters. */
  public WeightMap weights() {
    return weights;
  }

  /** Runs the model; see {@link VisionTransformer#forward}. */
  public VisionTransformer.Output forward(Tensor pixels) {
    return model.forward(pixels);
  }

  /** Frees the parameters. */
  @Override
  public void close() {
    model.close();
  }
}
