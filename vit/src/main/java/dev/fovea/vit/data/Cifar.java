package dev.fovea.vit.data;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** CIFAR-10 and CIFAR-100 in the binary form of their authors: labels and 32 x 32 pictures in files without headers. */
final class Cifar {
  private static final int SIDE = 32;
  private static final int PIXELS = 3 * SIDE * SIDE;
  private static final List<String> TEN =
      List.of("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck");

  private final Path folder;
  private final boolean fine;
  private final Remarks remarks;

  /**
   * The files of a folder.
   *
   * @param fine whether they are CIFAR-100's, with two labels a picture, of which the second counts
   */
  private Cifar(Path folder, boolean fine, Remarks remarks) {
    this.folder = folder;
    this.fine = fine;
    this.remarks = remarks;
  }

  /** What a folder holds; null if it is not of this kind. */
  static @Nullable Split open(Path folder, long seed, Remarks remarks) throws IOException {
    for (Path at : List.of(folder, folder.resolve("cifar-10-batches-bin"), folder.resolve("cifar-100-binary"))) {
      if (Files.isRegularFile(at.resolve("data_batch_1.bin"))) {
        return new Cifar(at, false, remarks).read(seed);
      }
      if (Files.isRegularFile(at.resolve("train.bin"))) {
        return new Cifar(at, true, remarks).read(seed);
      }
      if (Files.isRegularFile(at.resolve("data_batch_1")) && Files.isRegularFile(at.resolve("batches.meta"))) {
        throw new IllegalArgumentException(
            at + ": holds CIFAR as pickles of Python, which are not read here: expected the binary version");
      }
    }
    return null;
  }

  private Split read(long seed) throws IOException {
    List<String> classes = classes();
    List<String> parts = fine
        ? List.of("train.bin")
        : IntStream.rangeClosed(1, 5).mapToObj("data_batch_%d.bin"::formatted).toList();
    Labelled training = pictures(parts, classes);
    Labelled test = pictures(List.of(fine ? "test.bin" : "test_batch.bin"), classes);
    return Split.of(folder, fine ? "CIFAR-100" : "CIFAR-10", training, test, seed, remarks);
  }

  private List<String> classes() throws IOException {
    Path names = folder.resolve(fine ? "fine_label_names.txt" : "batches.meta.txt");
    int count = fine ? 100 : 10;
    if (Files.isRegularFile(names)) {
      List<String> found = new String(Files.readAllBytes(names), StandardCharsets.ISO_8859_1)
          .lines()
          .map(String::strip)
          .filter(line -> !line.isEmpty())
          .toList();
      if (found.size() == count) {
        return found;
      }
      remarks.add("%s: names %d classes, expected %d: not used".formatted(names, found.size(), count));
    }
    return fine ? IntStream.range(0, count).mapToObj("class %d"::formatted).toList() : TEN;
  }

  private Labelled pictures(List<String> parts, List<String> classes) throws IOException {
    int before = fine ? 2 : 1;
    int record = before + PIXELS;
    List<RawPictures.Records> records = new ArrayList<>();
    for (String part : parts) {
      Path file = folder.resolve(part);
      if (!Files.isRegularFile(file)) {
        remarks.add(file + ": is missing");
        continue;
      }
      MemorySegment bytes = map(file);
      long count = bytes.byteSize() / record;
      if (bytes.byteSize() % record != 0) {
        remarks.add("%s: is cut short after %,d whole pictures".formatted(file, count));
      }
      if (count > 0) {
        records.add(new RawPictures.Records(
            file.toString(),
            bytes.asSlice(before),
            record,
            bytes.asSlice(before - 1L),
            record,
            Math.toIntExact(count)));
      }
    }
    return new RawPictures(records, classes, 3, SIDE, SIDE);
  }

  /** The file's content, which the operating system reads when it is used. */
  static MemorySegment map(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file)) {
      return channel.map(MapMode.READ_ONLY, 0, channel.size(), Arena.ofAuto());
    }
  }
}
