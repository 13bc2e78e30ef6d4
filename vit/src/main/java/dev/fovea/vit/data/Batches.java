package dev.fovea.vit.data;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Cuts a data set into batches. Which pictures a step gets, and what augmentation makes of them, is a function of the
 * seed and the step alone.
 */
public final class Batches {
  /** Of pictures of which none can be read. */
  private static final int CHANNELS = 3;

  private final Dataset data;
  private final int batch;
  private final int height;
  private final int width;
  private final Augmentation augmentation;
  private final RandAugment operations;
  private final Mixing mixing;
  private final @Nullable Order order;
  private final long seed;
  private final Map<Integer, String> broken = new ConcurrentSkipListMap<>();

  private Batches(
      Dataset data,
      int batch,
      int height,
      int width,
      Augmentation augmentation,
      RandAugment operations,
      Mixing mixing,
      @Nullable Order order,
      long seed) {
    if (batch < 1) {
      throw new IllegalArgumentException("batch: got " + batch + ", expected at least 1");
    }
    this.data = data;
    this.batch = batch;
    this.height = height;
    this.width = width;
    this.augmentation = augmentation;
    this.operations = operations;
    this.mixing = mixing;
    this.order = order;
    this.seed = seed;
  }

  /** For training: without end, each epoch in an order of its own. */
  public static Batches training(
      Dataset data, int batch, int height, int width, Augmentation augmentation, Mixing mixing, long seed) {
    return training(data, batch, height, width, augmentation, RandAugment.NONE, mixing, seed);
  }

  /**
   * As {@link #training(Dataset, int, int, int, Augmentation, Mixing, long)}, with operations on each picture after it
   * was cut and before it is mixed.
   */
  public static Batches training(
      Dataset data,
      int batch,
      int height,
      int width,
      Augmentation augmentation,
      RandAugment operations,
      Mixing mixing,
      long seed) {
    Order order = new Order(data.size(), RandomStream.seed(seed, "order"));
    return new Batches(
        data, batch, height, width, augmentation, operations, mixing, order, RandomStream.seed(seed, "augmentation"));
  }

  /** For evaluation: every picture once, in order, as it is; the last batch may be smaller. */
  public static Batches evaluation(Dataset data, int batch, int height, int width) {
    return new Batches(data, batch, height, width, Augmentation.NONE, RandAugment.NONE, Mixing.NONE, null, 0);
  }

  /** Batches until every picture was seen once, the last one perhaps in part. */
  public int perEpoch() {
    return Math.ceilDiv(data.size(), batch);
  }

  /** Pictures that could not be read so far, with the reason, by index. */
  public Map<Integer, String> broken() {
    return broken;
  }

  /** Names of the first few pictures of a step, counted from 0, in their order. */
  public List<String> names(long step, int most) {
    long first = step * batch;
    int count = order == null ? (int) Math.min(batch, data.size() - first) : batch;
    return IntStream.range(0, Math.min(count, most))
        .mapToObj(b -> data.name(index(first + b)))
        .toList();
  }

  private int index(long at) {
    return order == null ? (int) at : order.at(at);
  }

  /** The pictures of a step, counted from 0. Any thread may call it. */
  public Batch batch(long step) {
    long first = step * batch;
    int count = order == null ? (int) Math.min(batch, data.size() - first) : batch;
    int[] labels = new int[count];
    float[] pixels = new float[0];
    for (int b = 0; b < count; b++) {
      int index = index(first + b);
      LabelledPicture picture = read(index);
      if (picture == null) {
        labels[b] = -1;
        continue;
      }
      int size = picture.channels() * height * width;
      if (pixels.length == 0) {
        pixels = new float[count * size];
      }
      RandomStream random = new RandomStream(seed, first + b);
      augmentation.apply(picture, random, height, width, pixels, b * size);
      if (operations.on()) {
        operations.apply(pixels, b * size, picture.channels(), height, width, random);
      }
      labels[b] = picture.label();
    }
    if (pixels.length == 0) {
      if (broken.size() >= data.size()) {
        throw new IllegalStateException(
            "none of the %d pictures can be read, the first because: %s".formatted(data.size(), anyReason()));
      }
      pixels = new float[count * CHANNELS * height * width];
    }
    float[] targets = null;
    if (mixing.on() && Arrays.stream(labels).allMatch(label -> label >= 0)) {
      var random = new RandomStream(RandomStream.seed(seed, "mixing"), step);
      targets = mixing.apply(random, pixels, labels, data.classes().size(), height, width);
    }
    return new Batch(pixels, labels, targets);
  }

  private @Nullable LabelledPicture read(int index) {
    try {
      return data.get(index);
    } catch (IOException e) {
      broken.put(index, String.valueOf(e.getMessage()));
      return null;
    }
  }

  private String anyReason() {
    return broken.values().stream().findFirst().orElse("unknown");
  }
}
