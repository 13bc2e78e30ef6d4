package dev.fovea.vit.train;

import dev.fovea.tensor.Device;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Tensor;
import dev.fovea.vit.data.Batch;
import dev.fovea.vit.data.Batches;
import dev.fovea.vit.data.Masking;
import dev.fovea.vit.data.Prefetch;
import dev.fovea.vit.data.RandomStream;
import dev.fovea.vit.model.Initialisation;
import dev.fovea.vit.model.MaskedConfig;
import dev.fovea.vit.model.MaskedModel;
import dev.fovea.vit.model.PatchMask;
import dev.fovea.vit.model.Training;
import dev.fovea.vit.model.VisionTransformer;
import dev.fovea.vit.model.VitConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Learns to fill in hidden patches: no classes are needed.
 *
 * @param masked what fills them in
 * @param masking which are hidden
 * @param seed of masks and stochastic depth
 */
record Reconstruction(MaskedModel masked, Masking masking, long seed) implements Objective {
  private static final String VALIDATION = "validation";

  /** Of a run. */
  static Reconstruction of(TrainConfig config, Device device) throws IOException {
    TrainConfig.Masked its = config.masked();
    if (config.tuning().trainOnly() != TrainOnly.ALL) {
      throw new IllegalArgumentException("train_only: got %s, expected all: patches are filled in by the whole model"
          .formatted(config.tuning().trainOnly()));
    }
    VisionTransformer encoder = StartingModel.of(config, 0, 0, device);
    try {
      boolean normalized = its.target() == TrainConfig.Target.NORMALIZED;
      VitConfig vit = encoder.config();
      MaskedConfig shape = its.decoderDepth() == 0
          ? MaskedConfig.tokens(vit, normalized)
          : new MaskedConfig(vit, normalized, its.decoderDepth(), its.decoderWidth(), its.decoderHeads());
      Masking masking = new Masking(its.pattern(), its.ratio());
      masking.count(vit.patches());
      MaskedModel model =
          MaskedModel.around(encoder, shape, Initialisation.of(config.run().seed()));
      return new Reconstruction(model, masking, RandomStream.seed(config.run().seed(), "mask"));
    } catch (RuntimeException e) {
      encoder.close();
      throw e;
    }
  }

  @Override
  public VisionTransformer model() {
    return masked.encoder();
  }

  @Override
  public Map<String, Tensor> parameters() {
    return masked.parameters();
  }

  @Override
  public Factoring factoring() {
    MaskedConfig shape = masked.config();
    Factoring encoder = Factoring.of(shape.vit());
    if (!shape.drops()) {
      return encoder;
    }
    Factoring decoder = Factoring.of(shape.decoder());
    return (name, dims) -> name.startsWith(MaskedConfig.DECODER)
        ? decoder.parts(name.substring(MaskedConfig.DECODER.length()), dims)
        : encoder.parts(name, dims);
  }

  @Override
  public Reconstruction with(Map<String, Tensor> parameters) {
    return new Reconstruction(new MaskedModel(masked.config(), parameters), masking, seed);
  }

  @Override
  public Answer on(Batch pictures, long number) {
    Batch whole = readable(pictures);
    PatchMask mask = mask(seed, number * pictures.size(), whole.size());
    return new Answer(masked.loss(Evaluation.pixels(model(), whole), mask, new Training(seed, number)), null);
  }

  /** Those that could be read, if there are any. */
  private static Batch readable(Batch batch) {
    int[] read =
        IntStream.range(0, batch.size()).filter(b -> batch.labels()[b] >= 0).toArray();
    if (read.length == 0 || read.length == batch.size()) {
      return batch;
    }
    int size = batch.pixels().length / batch.size();
    float[] pixels = new float[read.length * size];
    for (int i = 0; i < read.length; i++) {
      System.arraycopy(batch.pixels(), read[i] * size, pixels, i * size, size);
    }
    return new Batch(pixels, new int[read.length], null);
  }

  /** The masks of so many pictures, of which each has a number of its own. */
  private PatchMask mask(long stream, long first, int pictures) {
    VitConfig vit = model().config();
    int[][] hidden = new int[pictures][];
    Arrays.setAll(hidden, b -> masking.sample(vit.gridRows(), vit.gridColumns(), new RandomStream(stream, first + b)));
    return new PatchMask(vit.patches(), hidden);
  }

  /** A mask for each picture that is the same at every evaluation. */
  PatchMask validationMask(long first, int pictures) {
    return mask(RandomStream.seed(seed, VALIDATION), first, pictures);
  }

  @Override
  public Evaluation evaluate(Batches pictures) {
    double total = 0;
    long count = 0;
    int batches = pictures.perEpoch();
    try (Prefetch prefetch = new Prefetch(pictures, 0, batches, 1)) {
      for (int step = 0; step < batches; step++) {
        Batch batch = readable(prefetch.take());
        try (Scope scope = Scope.open(Evaluation.device(model()))) {
          PatchMask mask = validationMask(count, batch.size());
          double mean =
              masked.loss(Evaluation.pixels(model(), batch), mask, null).item();
          total += batch.size() * mean;
        }
        count += batch.size();
      }
    }
    return Evaluation.ofLoss(total / Math.max(1, count));
  }

  @Override
  public void draw(Pictures pictures, Evaluation evaluation, Path folder) throws IOException {
    Reconstructions.draw(this, pictures.validation(), folder.resolve("reconstructions.png"));
  }

  @Override
  public void close() {
    masked.close();
  }
}
