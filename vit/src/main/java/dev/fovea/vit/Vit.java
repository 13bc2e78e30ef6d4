package dev.fovea.vit;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.Device;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Tensor;
import dev.fovea.vit.image.Picture;
import dev.fovea.vit.image.Preprocessing;
import dev.fovea.vit.image.Preprocessor;
import dev.fovea.vit.model.VisionTransformer;
import dev.fovea.vit.model.VitConfig;
import dev.fovea.vit.weights.Checkpoint;
import dev.fovea.vit.weights.ModelWriter;
import dev.fovea.vit.weights.Notes;
import dev.fovea.vit.weights.WeightMap;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A Vision Transformer with weights from a file or folder.
 *
 * <pre>{@code
 * try (Vit vit = Vit.load(Path.of("vit_base_patch16_224"));
 *     Scope scope = Scope.open()) {
 *   Tensor logits = vit.forward(pixels).logits();
 * }
 * }</pre>
 *
 * <p>Any number of threads may use one at once, with one copy of the weights.
 */
public final class Vit implements AutoCloseable {
  private final VisionTransformer model;
  private final WeightMap weights;
  private final Notes notes;
  private final Path path;

  /** Whether pictures are to have the configured size, whatever the folder says. */
  private final boolean resized;

  /** Made when first asked for, so that a folder without word of pictures is no trouble to who has none. */
  private @Nullable Inference inference;

  private Vit(Path path, VisionTransformer model, WeightMap weights, Notes notes, boolean resized) {
    this.path = path;
    this.resized = resized;
    this.model = model;
    this.weights = weights;
    this.notes = notes;
  }

  /** As {@link #load(Path, Device)}, on the CPU. */
  public static Vit load(Path path) throws IOException {
    return load(path, Device.cpu());
  }

  /** As {@link #load(Path, Device, DType)}, in F32. */
  public static Vit load(Path path, Device device) throws IOException {
    return load(path, device, DType.F32);
  }

  /**
   * Loads a model, whose kind is recognised by its content ({@link Checkpoint#open}).
   *
   * @param path a folder as published on Hugging Face, or a file of weights
   * @param dtype what weights become, and the model computes in: F32, or BF16, which on GPUs is many times faster and
   *     rounds every result to 8 bits; sums are in F32 in either case
   * @throws java.nio.file.NoSuchFileException if there is nothing, or no weights are in the folder
   * @throws IllegalArgumentException if the model is of no known kind, or the weights do not fit its configuration:
   *     then listing everything that is wrong
   */
  public static Vit load(Path path, Device device, DType dtype) throws IOException {
    try (Checkpoint checkpoint = Checkpoint.open(path);
        Scope scope = Scope.open(device)) {
      return new Vit(
          checkpoint.file(),
          new VisionTransformer(checkpoint.config(), checkpoint.load(dtype)),
          checkpoint.weights(),
          checkpoint.notes(),
          false);
    }
  }

  public VitConfig config() {
    return model.config();
  }

  /** Where its parameters are and it runs. */
  public Device device() {
    return model.parameters().values().iterator().next().device();
  }

  /** The model itself. */
  public VisionTransformer model() {
    return model;
  }

  /** How the folder's tensors make up the model's parameters. */
  public WeightMap weights() {
    return weights;
  }

  /** This model for inference alone, and faster; this one is closed. See {@link VisionTransformer#frozen}. */
  public Vit frozen() {
    return new Vit(path, model.frozen(), weights, notes, resized);
  }

  /**
   * This model for pictures of another size, which its folder's preparation of pictures then brings them to; learned
   * positions are resampled as the model's configuration says. This one is closed. To be called before {@link #frozen}:
   *
   * <pre>{@code
   * Vit vit = Vit.load(path).resized(384, 384).frozen();
   * }</pre>
   *
   * @param imageHeight pixels, at least a patch
   * @param imageWidth pixels, at least a patch
   */
  public Vit resized(int imageHeight, int imageWidth) {
    VisionTransformer other = model.resized(imageHeight, imageWidth);
    model.close();
    return new Vit(path, other, weights, notes, true);
  }

  /** Runs the model; see {@link VisionTransformer#forward}. */
  public VisionTransformer.Output forward(Tensor pixels) {
    return model.forward(pixels);
  }

  private Preprocessing preprocessing() throws IOException {
    VitConfig fixed =
        config().toBuilder().dynamicSize(config().dynamicSize() && !resized).build();
    return Preprocessing.of(path, fixed);
  }

  /** The folder's notes, where transformers' words on pictures stand in timm's as well, which does not read them. */
  private Notes notesForTimm() throws IOException {
    if (!notes.ofTransformers() || !Files.exists(path)) {
      return notes;
    }
    try {
      return notes.withPictures(preprocessing().inTimm());
    } catch (IllegalArgumentException notUnderstood) {
      // Trained weights are saved all the same, beside the words as they were.
      return notes;
    }
  }

  /**
   * Runs the model on pictures, prepared as its folder says ({@link dev.fovea.vit.image.Preprocessing#of}).
   *
   * @throws IOException if the folder cannot be read any more
   * @throws IllegalArgumentException if what it says about pictures is not understood
   */
  public synchronized Inference inference() throws IOException {
    Inference made = inference;
    if (made == null) {
      made = new Inference(model, new Preprocessor(preprocessing()));
      inference = made;
    }
    return made;
  }

  /**
   * Embeds picture files: for each, what the model says about it before its classifier.
   *
   * @throws dev.fovea.vit.image.PictureException naming the first file that is no picture, or broken
   */
  public float[][] embed(List<Path> pictures) throws IOException {
    List<float[]> rows = new ArrayList<>();
    inference().embed(pictures, Inference.Options.DEFAULT, (file, values) -> rows.add(values));
    return rows.toArray(float[][]::new);
  }

  /** Embeds pictures in memory. */
  public float[][] embed(Picture... pictures) throws IOException {
    return inference().embed(List.of(pictures));
  }

  /**
   * Names what picture files show: for each, the {@code top} most probable classes, the best first, called as the
   * model's folder calls them.
   *
   * @throws IllegalStateException if the model has no classifier
   * @throws dev.fovea.vit.image.PictureException naming the first file that is no picture, or broken
   */
  public List<List<Prediction>> predict(List<Path> pictures, int top) throws IOException {
    Labels labels = Labels.ofModel(path);
    List<List<Prediction>> found = new ArrayList<>();
    inference()
        .classify(
            pictures, Inference.Options.DEFAULT, (file, logits) -> found.add(Inference.best(logits, top, labels)));
    return found;
  }

  /** Names what a picture in memory shows. */
  public List<Prediction> predict(Picture picture, int top) throws IOException {
    return Inference.best(inference().classify(List.of(picture))[0], top, Labels.ofModel(path));
  }

  /**
   * Saves the model as a folder that {@link #load} reads: {@code config.json} and {@code model.safetensors}, in timm's
   * names for models that timm has, else in Fovea's own. A folder appears as a whole; in one that is there, each file
   * is replaced as a whole.
   */
  public void save(Path folder) throws IOException {
    ModelWriter.save(folder, config(), model.parameters(), notesForTimm());
  }

  /**
   * Saves the model as a folder that timm reads.
   *
   * @throws IllegalArgumentException if timm has no such model
   */
  public void exportTimm(Path folder) throws IOException {
    ModelWriter.saveTimm(folder, config(), model.parameters(), notesForTimm());
  }

  /**
   * Frees the parameters.
   *
   * @throws IllegalStateException if that was done before, as by {@link #frozen} and {@link #resized}
   */
  @Override
  public void close() {
    model.close();
  }
}
