package dev.fovea.vit.data;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/** Pictures of one size that lie uncompressed in files, one after the other. */
final class RawPictures implements Labelled {
  private static final int CHANNELS = 3;

  private final List<Records> records;
  private final List<String> classes;
  private final int planes;
  private final int height;
  private final int width;
  private final int size;

  /**
   * Some of the pictures, with their labels of one byte each.
   *
   * @param name of the file, for messages
   * @param pixels where the first picture begins, and
   * @param stride bytes from one to the next
   * @param labels where the first label is, and
   * @param labelStride bytes from one to the next
   * @param count of pictures
   */
  record Records(String name, MemorySegment pixels, long stride, MemorySegment labels, long labelStride, int count) {}

  /**
   * These pictures.
   *
   * @param planes 3, or 1 for grey ones, which are given out with three equal planes
   */
  RawPictures(List<Records> records, List<String> classes, int planes, int height, int width) {
    this.records = List.copyOf(records);
    this.classes = List.copyOf(classes);
    this.planes = planes;
    this.height = height;
    this.width = width;
    size = Math.toIntExact(records.stream().mapToLong(Records::count).sum());
  }

  @Override
  public List<String> classes() {
    return classes;
  }

  @Override
  public int size() {
    return size;
  }

  @Override
  public int label(int index) {
    int label = stored(place(index));
    return label < classes.size() ? label : -1;
  }

  @Override
  public LabelledPicture get(int index) throws IOException {
    Place place = place(index);
    int label = stored(place);
    if (label >= classes.size()) {
      throw new IOException("%s: picture %d: got the label %d, expected 0 to %d"
          .formatted(place.records.name, place.at, label, classes.size() - 1));
    }
    int bytes = planes * height * width;
    byte[] pixels = new byte[CHANNELS * height * width];
    for (int at = 0; at < pixels.length; at += bytes) {
      MemorySegment.copy(
          place.records.pixels, ValueLayout.JAVA_BYTE, place.at * place.records.stride, pixels, at, bytes);
    }
    return new LabelledPicture(CHANNELS, height, width, pixels, label);
  }

  /** A picture as the n-th of its file. */
  private record Place(Records records, long at) {}

  private Place place(int index) {
    int at = index;
    for (Records some : records) {
      if (at >= 0 && at < some.count) {
        return new Place(some, at);
      }
      at -= some.count;
    }
    throw new IndexOutOfBoundsException("picture: got %d, expected 0 to %d".formatted(index, size - 1));
  }

  private static int stored(Place place) {
    return place.records.labels.get(ValueLayout.JAVA_BYTE, place.at * place.records.labelStride) & 255;
  }
}
