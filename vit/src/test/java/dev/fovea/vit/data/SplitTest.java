package dev.fovea.vit.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.zip.GZIPOutputStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Pictures of one's own, in every form they may lie in, whole and broken. */
final class SplitTest {
  @TempDir
  private Path folder;

  private static void png(Path file, int side, int red, int green, int blue) throws IOException {
    Files.createDirectories(file.getParent());
    BufferedImage image = new BufferedImage(side, side, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < side * side; i++) {
      image.setRGB(i % side, i / side, red << 16 | green << 8 | blue);
    }
    ImageIO.write(image, "png", file.toFile());
  }

  /** Cats are red, dogs blue; the number is the green. */
  private void animals(Path at, int cats, int dogs) throws IOException {
    for (int i = 0; i < cats; i++) {
      png(at.resolve("cat/%03d.png".formatted(i)), 8, 255, i, 0);
    }
    for (int i = 0; i < dogs; i++) {
      png(at.resolve("dog/deeper/%03d.png".formatted(i)), 8, 0, i, 255);
    }
  }

  private static boolean says(Split split, String part) {
    return split.summary().stream().anyMatch(line -> line.contains(part));
  }

  private static Set<String> contents(Dataset data) throws IOException {
    Set<String> all = new HashSet<>();
    for (int i = 0; i < data.size(); i++) {
      LabelledPicture picture = data.get(i);
      int plane = picture.height() * picture.width();
      assertEquals(picture.label() == 0 ? -1 : 0, picture.pixels()[0], "the label is that of the folder");
      all.add(picture.label() + " " + picture.pixels()[plane]);
    }
    return all;
  }

  @Test
  void foldersAreClasses() throws IOException {
    animals(folder, 40, 3);
    Files.createDirectories(folder.resolve("empty"));
    Files.writeString(folder.resolve("cat/notes.txt"), "cats");
    Split split = Split.open(folder, 1, 8);
    assertEquals(List.of("cat", "dog"), split.training().classes());
    assertEquals(38, split.training().size());
    assertEquals(5, split.validation().size(), "a tenth of the cats and one dog");
    Set<String> trained = contents(split.training());
    Set<String> unseen = contents(split.validation());
    assertEquals(43, trained.size() + unseen.size());
    trained.retainAll(unseen);
    assertEquals(Set.of(), trained, "no picture is in both");
    assertEquals(unseen, contents(Split.open(folder, 1, 8).validation()), "the same by the same seed");
    assertNotEquals(unseen, contents(Split.open(folder, 2, 8).validation()));
    assertTrue(
        says(split, "2 classes of 2 (dog) to 36 (cat) pictures: out of balance"),
        split.summary().toString());
    assertTrue(says(split, "empty: holds no pictures"), split.summary().toString());
    assertTrue(
        says(split, "notes.txt: is not named like a picture"), split.summary().toString());
  }

  @Test
  void trainAndValAreTakenAsTheyAre() throws IOException {
    animals(folder.resolve("train"), 4, 4);
    animals(folder.resolve("val"), 2, 1);
    png(folder.resolve("val/emu/1.png"), 8, 1, 2, 3);
    Split split = Split.open(folder, 0, 8);
    assertEquals(8, split.training().size());
    assertEquals(3, split.validation().size());
    assertEquals(2, contents(split.validation()).size() - 1);
    assertTrue(says(split, "2 classes of 4 pictures each"), split.summary().toString());
    assertTrue(
        says(split, "emu: a class to evaluate on but not to train on"),
        split.summary().toString());
  }

  @Test
  void largePicturesAreAveragedAtOnce() throws IOException {
    animals(folder, 2, 2);
    Path file = folder.resolve("cat/000.png");
    BufferedImage image = new BufferedImage(64, 96, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < 64 * 96; i++) {
      image.setRGB(i % 64, i / 64, i % 2 == 0 ? 0xFF0000 : 0x010203);
    }
    ImageIO.write(image, "png", file.toFile());
    Dataset one = new PictureFiles(List.of(file), new int[] {0}, List.of("cat"), 8);
    LabelledPicture picture = one.get(0);
    assertEquals(16, picture.width());
    assertEquals(24, picture.height());
    assertEquals((byte) 128, picture.pixels()[5]);
    assertEquals((byte) 1, picture.pixels()[16 * 24 + 5]);
  }

  /** Broken files are counted out of the loss and named; the others stay where they were, however many threads read. */
  @Test
  void brokenFilesAreNamedAndPassedOver() throws IOException {
    animals(folder, 12, 12);
    Path cut = folder.resolve("cat/003.png");
    Files.write(cut, Arrays.copyOf(Files.readAllBytes(cut), 40));
    Files.write(folder.resolve("cat/004.png"), new byte[0]);
    Files.writeString(folder.resolve("dog/deeper/005.png"), "no picture");
    // The header of a picture of 2^31 - 1 times 2^31 - 1 pixels.
    ByteBuffer hostile = ByteBuffer.wrap(Files.readAllBytes(folder.resolve("dog/deeper/006.png")));
    hostile.putInt(16, Integer.MAX_VALUE).putInt(20, Integer.MAX_VALUE);
    Files.write(folder.resolve("dog/deeper/006.png"), hostile.array());
    Dataset training = Split.open(folder, 0, 8).training();
    List<Batch> expected = null;
    for (int threads : new int[] {1, 3}) {
      Batches batches = Batches.training(training, 5, 8, 8, new Augmentation(true, 0.5, true), Mixing.NONE, 7);
      List<Batch> got = new ArrayList<>();
      try (Prefetch prefetch = new Prefetch(batches, 0, 10, threads)) {
        for (int i = 0; i < 10; i++) {
          got.add(prefetch.take());
        }
      }
      Set<String> reasons = new HashSet<>(batches.broken().values());
      assertTrue(batches.broken().size() >= 3, reasons.toString());
      assertTrue(reasons.stream().allMatch(reason -> reason.contains(".png: ")), reasons.toString());
      assertEquals(24 - 2 - 4, Math.min(18, readable(got)));
      if (expected != null) {
        for (int i = 0; i < 10; i++) {
          assertArrayEquals(expected.get(i).labels(), got.get(i).labels());
          assertArrayEquals(expected.get(i).pixels(), got.get(i).pixels());
        }
      }
      expected = got;
    }
  }

  private static int readable(List<Batch> batches) {
    int count = 0;
    for (Batch batch : batches) {
      count += (int) Arrays.stream(batch.labels()).filter(label -> label >= 0).count();
    }
    return count;
  }

  @Test
  void aBatchOfBrokenFilesIsEmpty() throws IOException {
    Files.createDirectories(folder.resolve("a"));
    Path bad = Files.writeString(folder.resolve("a/1.png"), "x");
    Path good = folder.resolve("a/2.png");
    png(good, 8, 1, 2, 3);
    Dataset data = new PictureFiles(List.of(bad, good), new int[] {0, 0}, List.of("a"), 8);
    Batches batches = Batches.evaluation(data, 1, 8, 8);
    assertArrayEquals(new int[] {-1}, batches.batch(0).labels());
    assertEquals(3 * 64, batches.batch(0).pixels().length);
    assertArrayEquals(new int[] {0}, batches.batch(1).labels());
    Dataset none = new PictureFiles(List.of(bad), new int[] {0}, List.of("a"), 8);
    IllegalStateException e = assertThrows(
        IllegalStateException.class, () -> Batches.evaluation(none, 1, 8, 8).batch(0));
    assertTrue(String.valueOf(e.getMessage()).contains("1.png: is no picture"), e.getMessage());
  }

  @ParameterizedTest
  @ValueSource(strings = {"%s,%s\n", "\"%s\",\"%s\"\r\n", "%s;%s\n"})
  void csvOfPathAndLabel(String format) throws IOException {
    animals(folder.resolve("pictures"), 10, 10);
    StringBuilder text = new StringBuilder("\uFEFF" + format.formatted("label", "path"));
    for (int i = 0; i < 10; i++) {
      text.append(format.formatted("10", "pictures/dog/deeper/%03d.png".formatted(i)));
      text.append(format.formatted("2", folder.resolve("pictures/cat/%03d.png".formatted(i))));
    }
    text.append("\nlonely\n").append(format.formatted("2", "missing.png"));
    Path file = Files.writeString(folder.resolve("list.csv"), text);
    Split split = Split.open(file, 0, 8);
    assertEquals(List.of("2", "10"), split.training().classes(), "numbers in their order");
    assertEquals(19, split.training().size());
    assertEquals(2, split.validation().size());
    assertTrue(says(split, "line 23: got 1 columns"), split.summary().toString());
    Batches all = Batches.evaluation(split.training(), 19, 8, 8);
    all.batch(0);
    Batches others = Batches.evaluation(split.validation(), 2, 8, 8);
    others.batch(0);
    Set<String> broken = new HashSet<>(all.broken().values());
    broken.addAll(others.broken().values());
    assertEquals(Set.of(folder.resolve("missing.png") + ": no such file"), broken);
  }

  @Test
  void csvFilesOfTwoParts() throws IOException {
    animals(folder, 3, 3);
    Files.writeString(
        folder.resolve("train.csv"), "cat/000.png,cat\ncat/001.png,cat\ndog/deeper/000.png,\"a \"\"dog\"\"\"");
    Files.writeString(folder.resolve("val.csv"), "cat/002.png,cat\ndog/deeper/001.png,emu\n");
    Split split = Split.open(folder, 0, 8);
    assertEquals(List.of("a \"dog\"", "cat"), split.training().classes());
    assertEquals(3, split.training().size());
    assertEquals(1, split.validation().size());
    assertTrue(says(split, "emu: a class to evaluate on"), split.summary().toString());
  }

  private static byte[] idx(int magic, int count, int... dims) throws IOException {
    int each = 1;
    ByteBuffer header = ByteBuffer.allocate(8 + 4 * dims.length).putInt(magic).putInt(count);
    for (int dim : dims) {
      header.putInt(dim);
      each *= dim;
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(header.array());
    for (int i = 0; i < count * each; i++) {
      out.write(dims.length == 0 ? i % 10 : i / each);
    }
    return out.toByteArray();
  }

  private void store(String name, byte[] content, boolean packed) throws IOException {
    Path file = folder.resolve(name + (packed ? ".gz" : ""));
    try (OutputStream out = packed ? new GZIPOutputStream(Files.newOutputStream(file)) : Files.newOutputStream(file)) {
      out.write(content);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void mnist(boolean packed) throws IOException {
    store("train-images-idx3-ubyte", idx(0x803, 40, 5, 4), packed);
    store("train-labels-idx1-ubyte", idx(0x801, 40), packed);
    Split halved = Split.open(folder, 0, 8);
    assertEquals(30, halved.training().size());
    assertEquals(10, halved.validation().size());
    store("t10k-images-idx3-ubyte", idx(0x803, 20, 5, 4), packed);
    store("t10k-labels-idx1-ubyte", Arrays.copyOf(idx(0x801, 20), 8 + 19), packed);
    Split split = Split.open(folder, 0, 8);
    assertEquals(40, split.training().size());
    assertEquals(19, split.validation().size());
    assertEquals("7", split.training().classes().get(7));
    LabelledPicture picture = split.training().get(37);
    assertEquals(7, picture.label());
    assertEquals(5, picture.height());
    assertEquals(4, picture.width());
    assertEquals(60, picture.pixels().length);
    for (byte pixel : picture.pixels()) {
      assertEquals(37, pixel);
    }
    assertTrue(says(split, "is cut short"), split.summary().toString());
    assertTrue(says(split, "10 classes of 4 pictures each"), split.summary().toString());
  }

  /** Headers that promise the sky cost nothing, and say so. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void hostileHeaders(boolean packed) throws IOException {
    store("train-labels-idx1-ubyte", idx(0x801, 40), packed);
    byte[] images = idx(0x803, 40, 5, 4);
    store(
        "train-images-idx3-ubyte",
        ByteBuffer.wrap(images.clone()).putInt(4, 1 << 26).array(),
        packed);
    assertEquals(40, Split.open(folder, 0, 8).training().size() + 10);
    ByteBuffer huge =
        ByteBuffer.wrap(images.clone()).putInt(4, -1).putInt(8, 1 << 14).putInt(12, 1 << 14);
    store("train-images-idx3-ubyte", huge.array(), packed);
    assertThrows(IllegalArgumentException.class, () -> Split.open(folder, 0, 8));
    store(
        "train-images-idx3-ubyte", ByteBuffer.wrap(images.clone()).putInt(8, -5).array(), packed);
    assertMessage("expected 1 to 16384 a side");
    store(
        "train-images-idx3-ubyte", ByteBuffer.wrap(images.clone()).putInt(12, 0).array(), packed);
    assertMessage("expected 1 to 16384 a side");
    store("train-images-idx3-ubyte", new byte[] {0, 0, 8}, packed);
    assertMessage("is no IDX file of pictures");
  }

  private void assertMessage(String part) {
    IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> Split.open(folder, 0, 8));
    assertTrue(String.valueOf(e.getMessage()).contains(part), e.getMessage());
  }

  private void cifar(String name, int before, int count, int extra) throws IOException {
    byte[] content = new byte[count * (before + 3072) + extra];
    for (int i = 0; i < count; i++) {
      int at = i * (before + 3072);
      content[at + before - 1] = (byte) (i % 10);
      Arrays.fill(content, at + before, at + before + 3072, (byte) i);
    }
    Files.write(folder.resolve(name), content);
  }

  @Test
  void cifarTen() throws IOException {
    cifar("data_batch_1.bin", 1, 20, 0);
    cifar("data_batch_3.bin", 1, 30, 17);
    cifar("test_batch.bin", 1, 10, 0);
    byte[] last = Files.readAllBytes(folder.resolve("test_batch.bin"));
    last[9 * 3073] = 77;
    Files.write(folder.resolve("test_batch.bin"), last);
    Split split = Split.open(folder, 0, 32);
    assertEquals(50, split.training().size());
    assertEquals(10, split.validation().size());
    LabelledPicture picture = split.training().get(20 + 23);
    assertEquals(3, picture.label());
    assertEquals(23, picture.pixels()[3071]);
    assertEquals("cat", split.training().classes().get(3));
    assertTrue(says(split, "data_batch_2.bin: is missing"), split.summary().toString());
    assertTrue(
        says(split, "data_batch_3.bin: is cut short after 30 whole pictures"),
        split.summary().toString());
    Batches all = Batches.evaluation(split.validation(), 10, 32, 32);
    assertEquals(-1, all.batch(0).labels()[9]);
    assertTrue(
        all.broken().get(9).endsWith("picture 9: got the label 77, expected 0 to 9"),
        all.broken().toString());
  }

  @Test
  void cifarHundred() throws IOException {
    cifar("train.bin", 2, 50, 0);
    cifar("test.bin", 2, 10, 0);
    Split split = Split.open(folder, 0, 32);
    assertEquals(100, split.training().classes().size());
    assertEquals(50, split.training().size());
    assertEquals(4, split.training().get(14).label());
    assertEquals(14, split.training().get(14).pixels()[0]);
    Files.delete(folder.resolve("test.bin"));
    assertEquals(10, Split.open(folder, 0, 32).validation().size());
  }

  @Test
  void saysWhatItExpected() throws IOException {
    assertMessage("holds no folders of pictures, no CSV, MNIST or CIFAR files");
    Files.write(folder.resolve("data_batch_1"), new byte[9]);
    Files.write(folder.resolve("batches.meta"), new byte[9]);
    assertMessage("pickles of Python");
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> Split.open(folder.resolve("nothing"), 0, 8));
    assertTrue(String.valueOf(e.getMessage()).startsWith("data: got "), e.getMessage());
  }
}
