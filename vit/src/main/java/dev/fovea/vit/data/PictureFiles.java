package dev.fovea.vit.data;

import dev.fovea.vit.image.Picture;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;

/** Picture files with labels, decoded when they are asked for. */
final class PictureFiles implements Labelled {
  private final List<Path> files;
  private final int[] labels;
  private final List<String> classes;
  private final int side;

  /**
   * These files.
   *
   * @param side of what the model takes: pictures of which more than twice as much would be left are made smaller at
   *     once, by averages over squares, so that little memory is held
   */
  PictureFiles(List<Path> files, int[] labels, List<String> classes, int side) {
    this.files = List.copyOf(files);
    this.labels = labels.clone();
    this.classes = List.copyOf(classes);
    this.side = side;
  }

  @Override
  public List<String> classes() {
    return classes;
  }

  @Override
  public String name(int index) {
    return files.get(index).toString();
  }

  @Override
  public int size() {
    return labels.length;
  }

  @Override
  public int label(int index) {
    return labels[index];
  }

  @Override
  public LabelledPicture get(int index) throws IOException {
    Path file = files.get(index);
    try {
      return planes(Picture.read(file), labels[index]);
    } catch (NoSuchFileException e) {
      throw new IOException(file + ": no such file", e);
    }
  }

  private LabelledPicture planes(Picture picture, int label) {
    int factor = Math.max(1, Math.min(picture.width(), picture.height()) / (2 * side));
    int height = picture.height() / factor;
    int width = picture.width() / factor;
    byte[] from = picture.rgb();
    byte[] to = new byte[3 * height * width];
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        int first = 3 * (y * factor * picture.width() + x * factor);
        for (int c = 0; c < 3; c++) {
          to[(c * height + y) * width + x] =
              factor == 1 ? from[first + c] : mean(from, first + c, 3 * picture.width(), factor);
        }
      }
    }
    return new LabelledPicture(3, height, width, to, label);
  }

  /** Of a square of {@code side} pixels; rows of samples are {@code stride} apart. */
  private static byte mean(byte[] samples, int first, int stride, int side) {
    long sum = 0;
    for (int y = 0; y < side; y++) {
      for (int x = 0; x < side; x++) {
        sum += samples[first + y * stride + 3 * x] & 255;
      }
    }
    int area = side * side;
    return (byte) ((sum + area / 2) / area);
  }
}
