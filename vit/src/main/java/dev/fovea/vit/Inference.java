package dev.fovea.vit;

import dev.fovea.tensor.Device;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Tensor;
import dev.fovea.vit.image.Picture;
import dev.fovea.vit.image.PictureLoader;
import dev.fovea.vit.image.Preprocessor;
import dev.fovea.vit.model.VisionTransformer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * Pictures through a model, batch by batch. Any number of threads may use one at once: they share the weights, and each
 * result is the same, bit for bit, as if it were alone.
 */
public final class Inference {
  private final VisionTransformer model;
  private final Preprocessor preprocessor;
  private final Device device;

  /**
   * How to go about it.
   *
   * @param batch pictures that run at once
   * @param maxPixels the most pixels that a picture may have
   */
  public record Options(int batch, long maxPixels) {
    /** Eight pictures at once, each of at most {@link Picture#MAX_PIXELS}. */
    public static final Options DEFAULT = new Options(8, Picture.MAX_PIXELS);

    public Options {
      if (batch < 1) {
        throw new IllegalArgumentException("batch: got " + batch + ", expected at least 1");
      }
    }
  }

  /** Takes results, in the order of the files. */
  public interface Results {
    /** What the model said about a file. */
    void accept(Path file, float[] values) throws IOException;

    /** A file could not be read: throws unless told otherwise, and then the next one follows. */
    default void failed(Path file, IOException failure) throws IOException {
      throw failure;
    }
  }

  /** Takes over nothing: the model is its owner's to close. */
  public Inference(VisionTransformer model, Preprocessor preprocessor) {
    if (model.config().channels() != 3) {
      throw new IllegalArgumentException("model: got one of %d channels, expected 3 for pictures"
          .formatted(model.config().channels()));
    }
    this.model = model;
    this.preprocessor = preprocessor;
    device = model.parameters().values().iterator().next().device();
  }

  /** What makes tensors of pictures. */
  public Preprocessor preprocessor() {
    return preprocessor;
  }

  /**
   * Embeds picture files: what the model says about each before its classifier ({@code preLogits}). Files are decoded
   * while the model runs on those before.
   */
  public void embed(List<Path> files, Options options, Results results) throws IOException {
    run(files, options, VisionTransformer.Output::preLogits, results);
  }

  /**
   * The logits of picture files, as {@link #embed(List, Options, Results)}.
   *
   * @throws IllegalStateException if the model has no classifier
   */
  public void classify(List<Path> files, Options options, Results results) throws IOException {
    requireClassifier();
    run(files, options, Inference::logits, results);
  }

  /** The embeddings of pictures in memory. */
  public float[][] embed(List<Picture> pictures) {
    return forward(pictures.stream().map(preprocessor::toFloats).toList(), VisionTransformer.Output::preLogits);
  }

  /** The logits of pictures in memory. */
  public float[][] classify(List<Picture> pictures) {
    requireClassifier();
    return forward(pictures.stream().map(preprocessor::toFloats).toList(), Inference::logits);
  }

  private void requireClassifier() {
    if (model.config().classes() == 0) {
      throw new IllegalStateException("the model has no classifier: it can embed pictures but not name what they show");
    }
  }

  private static Tensor logits(VisionTransformer.Output output) {
    Tensor logits = output.logits();
    if (logits == null) {
      throw new AssertionError("was checked");
    }
    return logits;
  }

  private void run(List<Path> files, Options options, Function<VisionTransformer.Output, Tensor> what, Results results)
      throws IOException {
    try (PictureLoader loader = new PictureLoader(files, preprocessor, options.maxPixels, 2 * options.batch + 1)) {
      List<PictureLoader.Loaded> batch = new ArrayList<>();
      List<float[]> pixels = new ArrayList<>();
      while (loader.hasNext()) {
        PictureLoader.Loaded loaded = loader.next();
        batch.add(loaded);
        if (loaded.pixels() != null) {
          pixels.add(loaded.pixels());
        }
        if (pixels.size() == options.batch || !loader.hasNext()) {
          deliver(batch, forward(pixels, what), results);
          batch.clear();
          pixels.clear();
        }
      }
    }
  }

  private static void deliver(List<PictureLoader.Loaded> batch, float[][] rows, Results results) throws IOException {
    int row = 0;
    for (PictureLoader.Loaded loaded : batch) {
      if (loaded.failure() == null) {
        results.accept(loaded.file(), rows[row++]);
      } else {
        results.failed(loaded.file(), loaded.failure());
      }
    }
  }

  private float[][] forward(List<float[]> pictures, Function<VisionTransformer.Output, Tensor> what) {
    if (pictures.isEmpty()) {
      return new float[0][];
    }
    try (Scope scope = Scope.open(device)) {
      float[] values = what.apply(model.forward(preprocessor.stack(pictures))).toFloats();
      int width = values.length / pictures.size();
      return IntStream.range(0, pictures.size())
          .mapToObj(i -> Arrays.copyOfRange(values, i * width, (i + 1) * width))
          .toArray(float[][]::new);
    }
  }

  /** The most probable classes, the best first; all if there are fewer than {@code top}. */
  public static List<Prediction> best(float[] logits, int top, Labels labels) {
    if (top < 0) {
      throw new IllegalArgumentException("top: got " + top + ", expected at least 0");
    }
    double largest = Double.NEGATIVE_INFINITY;
    for (float logit : logits) {
      largest = Math.max(largest, logit);
    }
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - largest);
    }
    double max = largest;
    double total = sum;
    return IntStream.range(0, logits.length)
        .boxed()
        .sorted(Comparator.comparing((Integer i) -> logits[i], Comparator.reverseOrder()))
        .limit(top)
        .map(i -> new Prediction(i, labels.name(i), Math.exp(logits[i] - max) / total))
        .toList();
  }
}
