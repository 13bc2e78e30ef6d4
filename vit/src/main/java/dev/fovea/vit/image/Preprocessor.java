package dev.fovea.vit.image;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.util.Arrays;
import java.util.List;

/** Makes of pictures what a model takes. Immutable: any number of threads may use it at once. */
public final class Preprocessor {
  private final Preprocessing how;

  /** The result for each of 256 samples, for red, then green, then blue. */
  private final float[] values = new float[3 * 256];

  public Preprocessor(Preprocessing how) {
    this.how = how;
    for (int c = 0; c < 3; c++) {
      float mean = how.mean().get(c).floatValue();
      float deviation = how.deviation().get(c).floatValue();
      for (int v = 0; v < 256; v++) {
        values[c * 256 + v] = ((float) (v * how.rescale()) - mean) / deviation;
      }
    }
  }

  /** What it does. */
  public Preprocessing preprocessing() {
    return how;
  }

  /** The picture resized, before anything is cut off. */
  public Picture resize(Picture picture) {
    double h = picture.height();
    double w = picture.width();
    int size = how.fitHeight();
    double ratio = switch (how.fit()) {
      case COVER -> Math.min(h / how.fitHeight(), w / how.fitWidth());
      case CONTAIN -> Math.max(h / how.fitHeight(), w / how.fitWidth());
      case NONE, SQUASH, SHORTER, SHORTER_NEAREST -> 1;
    };
    return switch (how.fit()) {
      case NONE -> picture;
      case SQUASH -> resize(picture, how.fitHeight(), how.fitWidth());
      case COVER, CONTAIN -> resize(picture, Math.rint(h / ratio), Math.rint(w / ratio));
      case SHORTER -> h <= w ? resize(picture, size, size * w / h) : resize(picture, size * h / w, size);
      case SHORTER_NEAREST -> {
        double factor = size / Math.min(h, w);
        yield resize(picture, Math.rint(h * factor), Math.rint(w * factor));
      }
    };
  }

  /** Sizes are rounded down, to 1 at least. */
  private Picture resize(Picture picture, double height, double width) {
    return Resize.to(Math.max(1, (int) width), Math.max(1, (int) height), picture, how.interpolation());
  }

  /** The picture resized and cut: as the model sees it, before samples are normalised. */
  public Picture crop(Picture picture) {
    Picture resized = resize(picture);
    int height = how.height();
    int width = how.width();
    if (resized.height() == height && resized.width() == width) {
      return resized;
    }
    byte[] from = resized.samples();
    byte[] to = new byte[Math.toIntExact(3L * height * width)];
    for (int i = 0; i < to.length; i++) {
      to[i] = how.padding().get(i % 3).byteValue();
    }
    int top = offset(resized.height(), height);
    int left = offset(resized.width(), width);
    int x = Math.max(0, -left);
    int count = Math.min(width, resized.width() - left) - x;
    for (int y = Math.max(0, -top); y < Math.min(height, resized.height() - top); y++) {
      int at = 3 * ((y + top) * resized.width() + x + left);
      System.arraycopy(from, at, to, 3 * (y * width + x), 3 * count);
    }
    return new Picture(width, height, to);
  }

  /** Where the middle begins; negative if there must be padding before it. */
  private int offset(int have, int want) {
    if (have < want) {
      return -((want - have) / 2);
    }
    double half = (have - want) / 2.0;
    return (int) (how.crop() == Preprocessing.Crop.HALF_EVEN ? Math.rint(half) : half);
  }

  /** What the model takes, [3, height, width]. */
  public float[] toFloats(Picture picture) {
    byte[] rgb = crop(picture).samples();
    int plane = rgb.length / 3;
    float[] result = new float[rgb.length];
    for (int c = 0; c < 3; c++) {
      for (int i = 0; i < plane; i++) {
        result[c * plane + i] = values[c * 256 + (rgb[3 * i + c] & 0xff)];
      }
    }
    return result;
  }

  /** What the model takes: F32 [pictures, 3, height, width], in the current scope. */
  public Tensor apply(List<Picture> pictures) {
    return stack(pictures.stream().map(this::toFloats).toList());
  }

  /** As {@link #apply(List)}, of several results of {@link #toFloats}. */
  public Tensor stack(List<float[]> pictures) {
    Tensor pixels = Tensor.empty(Shape.of(pictures.size(), 3, how.height(), how.width()), DType.F32);
    for (int i = 0; i < pictures.size(); i++) {
      try (Tensor one = pixels.narrow(i, 1)) {
        one.copyFrom(pictures.get(i));
      }
    }
    return pixels;
  }

  /** As {@link #apply(List)}, of a single picture or several. */
  public Tensor apply(Picture... pictures) {
    return apply(Arrays.asList(pictures));
  }
}
