package dev.fovea.vit;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.Device;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Tensor;
import dev.fovea.vit.model.VisionTransformer;
import dev.fovea.vit.model.VitConfig;
import dev.fovea.vit.weights.Checkpoint;
import dev.fovea.vit.weights.WeightMap;
import java.io.IOException;
import java.nio.file.Path;

/**
 * A Vision Transformer with weights from a file or folder.
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
  public static Vit load(Path path) throws IOException {
    return load(path, Device.cpu());
  }

  /**
   * Loads a model, whose kind is recognised by its content ({@link Checkpoint#open}). Weights become F32.
   *
   * @param path a folder as published on Hugging Face, or a file of weights
   * @throws java.nio.file.NoSuchFileException if there is nothing, or no weights are in the folder
   * @throws IllegalArgumentException if the model is of no known kind, or the weights do not fit its configuration:
   *     then listing everything that is wrong
   */
  public static Vit load(Path path, Device device) throws IOException {
    try (Checkpoint checkpoint = Checkpoint.open(path);
        Scope scope = Scope.open(device)) {
      return new Vit(new VisionTransformer(checkpoint.config(), checkpoint.load(DType.F32)), checkpoint.weights());
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
