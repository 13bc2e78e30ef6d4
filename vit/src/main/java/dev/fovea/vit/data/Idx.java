package dev.fovea.vit.data;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;
import org.jspecify.annotations.Nullable;

/**
 * Grey pictures in the IDX files of MNIST, and of the sets that took over its form: a header with the numbers of
 * pictures, rows and columns, then one byte for each pixel, and labels in a file of their own. Compressed by gzip or
 * not.
 */
final class Idx {
  private static final int PICTURES = 0x803;
  private static final int LABELS = 0x801;
  private static final int CHUNK = 1 << 16;
  private static final int LARGEST_SIDE = 1 << 14;
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
  private static final List<String> DIGITS =
      IntStream.range(0, 10).mapToObj(String::valueOf).toList();

  private final Path folder;
  private final Remarks remarks;

  private Idx(Path folder, Remarks remarks) {
    this.folder = folder;
    this.remarks = remarks;
  }

  /** The pictures of one part. */
  private record Part(RawPictures.Records records, int height, int width) {}

  /** What a folder holds; null if it is not of this kind. */
  static @Nullable Split open(Path folder, long seed, Remarks remarks) throws IOException {
    for (Path at : List.of(folder, folder.resolve("raw"), folder.resolve("MNIST/raw"))) {
      Idx files = new Idx(at, remarks);
      Part training = files.part("train");
      if (training != null) {
        Part test = files.part("t10k");
        if (test != null && (test.height != training.height || test.width != training.width)) {
          remarks.add("%s: has %d x %d pixels, those to train on %d x %d: not used"
              .formatted(test.records.name(), test.width, test.height, training.width, training.height));
          test = null;
        }
        List<String> classes = classes(training);
        return Split.of(
            at,
            "pictures in IDX files",
            pictures(training, classes),
            test == null ? null : pictures(test, classes),
            seed,
            remarks);
      }
    }
    return null;
  }

  private static RawPictures pictures(Part part, List<String> classes) {
    return new RawPictures(List.of(part.records), classes, 1, part.height, part.width);
  }

  private static List<String> classes(Part part) {
    int most = 0;
    for (long i = 0; i < part.records.count(); i++) {
      most = Math.max(most, part.records.labels().get(ValueLayout.JAVA_BYTE, i) & 255);
    }
    return most < DIGITS.size()
        ? DIGITS
        : IntStream.rangeClosed(0, most).mapToObj(String::valueOf).toList();
  }

  private @Nullable Part part(String name) throws IOException {
    Path pictures = find(name + "-images");
    if (pictures == null) {
      return null;
    }
    Path labels = find(name + "-labels");
    if (labels == null) {
      throw new IllegalArgumentException("%s: has no file of labels beside it".formatted(pictures));
    }
    MemorySegment values = read(labels, LABELS);
    MemorySegment pixels = read(pictures, PICTURES);
    int height = pixels.get(INT, 8);
    int width = pixels.get(INT, 12);
    long stored = (pixels.byteSize() - 16) / ((long) height * width);
    long labelled = values.byteSize() - 8;
    if (stored != labelled) {
      remarks.add("%s: holds %,d pictures and %s %,d labels: the others are left out"
          .formatted(pictures, stored, labels.getFileName(), labelled));
    }
    int count = Math.toIntExact(Math.min(stored, labelled));
    var records = new RawPictures.Records(
        pictures.toString(), pixels.asSlice(16), (long) height * width, values.asSlice(8), 1, count);
    return new Part(records, height, width);
  }

  /** As they were published, and as some unpack them. */
  private @Nullable Path find(String name) {
    String rank = name.endsWith("images") ? "idx3" : "idx1";
    for (String separator : new String[] {"-", "."}) {
      for (String end : new String[] {"", ".gz"}) {
        Path file = folder.resolve(name + separator + rank + "-ubyte" + end);
        if (Files.isRegularFile(file)) {
          return file;
        }
      }
    }
    return null;
  }

  /** Header and content, as far as it goes; no more is taken than the header says. */
  private MemorySegment read(Path file, int magic) throws IOException {
    int headerBytes = magic == PICTURES ? 16 : 8;
    MemorySegment all;
    if (file.toString().endsWith(".gz")) {
      all = unpacked(file, magic, headerBytes);
    } else {
      all = Cifar.map(file);
      long expected = expected(file, all, magic, headerBytes);
      if (all.byteSize() > expected) {
        all = all.asSlice(0, expected);
      } else if (all.byteSize() < expected) {
        cutShort(file);
      }
    }
    return all;
  }

  /** Grows with what is read: a header that promises too much costs nothing. */
  private MemorySegment unpacked(Path file, int magic, int headerBytes) throws IOException {
    ByteArrayOutputStream content = new ByteArrayOutputStream();
    long expected = headerBytes;
    try (InputStream in = new GZIPInputStream(new BufferedInputStream(Files.newInputStream(file)), CHUNK)) {
      content.write(in.readNBytes(headerBytes));
      expected = expected(file, MemorySegment.ofArray(content.toByteArray()), magic, headerBytes);
      if (expected > Integer.MAX_VALUE - CHUNK) {
        throw new IllegalArgumentException("%s: has %,d bytes: unpack it first".formatted(file, expected));
      }
      byte[] chunk = new byte[CHUNK];
      for (int got = 0; got >= 0 && content.size() < expected; ) {
        got = in.read(chunk, 0, (int) Math.min(CHUNK, expected - content.size()));
        content.write(chunk, 0, Math.max(got, 0));
      }
    } catch (ZipException | EOFException e) {
      if (content.size() < headerBytes) {
        throw new IllegalArgumentException(file + ": is not compressed by gzip, or cut short", e);
      }
    }
    if (content.size() < expected) {
      cutShort(file);
    }
    return MemorySegment.ofArray(content.toByteArray());
  }

  private void cutShort(Path file) {
    remarks.add(file + ": is cut short: what is whole is used");
  }

  /** Bytes of the file by its header. */
  private static long expected(Path file, MemorySegment header, int magic, int headerBytes) {
    if (header.byteSize() < headerBytes || header.get(INT, 0) != magic) {
      throw new IllegalArgumentException(
          "%s: is no IDX file of %s".formatted(file, magic == PICTURES ? "pictures" : "labels"));
    }
    long count = header.get(INT, 4) & 0xFFFFFFFFL;
    if (magic == LABELS) {
      return headerBytes + count;
    }
    long height = header.get(INT, 8) & 0xFFFFFFFFL;
    long width = header.get(INT, 12) & 0xFFFFFFFFL;
    if (height < 1 || width < 1 || height > LARGEST_SIDE || width > LARGEST_SIDE) {
      throw new IllegalArgumentException("%s: says that pictures have %d x %d pixels, expected 1 to %d a side"
          .formatted(file, width, height, LARGEST_SIDE));
    }
    return headerBytes + count * height * width;
  }
}
