package dev.fovea.vit.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.tensor.Scope;
import dev.fovea.tensor.io.TensorFile;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files of every kind are read as Pillow reads them; those that cannot be are named. */
class PictureTest {
  @TempDir
  private Path folder;

  static Stream<String> files() throws IOException {
    try (TensorFile expected = TensorFile.open(Pictures.file("pictures/expected.safetensors"))) {
      return expected.names().stream().filter(name -> name.contains(".")).sorted();
    }
  }

  @ParameterizedTest
  @MethodSource("files")
  void isReadAsPillowReadsIt(String name) throws IOException {
    // Decoders of lossy formats may round differently, and libwebp smooths chroma where TwelveMonkeys repeats it.
    int tolerance = name.equals("lossy.webp") ? 8 : name.endsWith(".jpg") ? 1 : 0;
    try (TensorFile expected = TensorFile.open(Pictures.file("pictures/expected.safetensors"));
        Scope scope = Scope.open()) {
      Pictures.assertSame(expected.load(name), Picture.read(Pictures.file("pictures/" + name)), tolerance);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"rgb.png", "rgb.bmp", "palette.gif", "lossless.webp", "rgb.jpg", "cmyk.jpg", "lossy.webp"})
  void aFileCutShortIsNamed(String name) throws IOException {
    byte[] whole = Files.readAllBytes(Pictures.file("pictures/" + name));
    for (int length : new int[] {1, 12, 40, whole.length / 2, whole.length - whole.length / 8}) {
      Path file = Files.write(folder.resolve(name), Arrays.copyOf(whole, length));
      var e = assertThrows(PictureException.class, () -> Picture.read(file), name + " of " + length);
      assertTrue(e.getMessage().startsWith(file + ": is "), e.getMessage());
      assertEquals(file.toString(), e.file());
    }
  }

  @Test
  void whatIsNoPictureIsNamed() throws IOException {
    assertRefused("is empty", Files.createFile(folder.resolve("empty.png")));
    assertRefused("is no picture", Files.writeString(folder.resolve("text.jpg"), "Once upon a time"));
    assertRefused("is a folder", Files.createDirectory(folder.resolve("folder.png")));
    assertThrows(NoSuchFileException.class, () -> Picture.read(folder.resolve("absent.png")));
  }

  private static void assertRefused(String why, Path file) {
    var e = assertThrows(PictureException.class, () -> Picture.read(file));
    assertTrue(e.getMessage().startsWith(file + ": " + why), e.getMessage());
  }

  /** The name says nothing: content does. */
  @Test
  void aWrongEndingDoesNotMatter() throws IOException {
    Path file = Files.copy(Pictures.file("pictures/rgb.png"), folder.resolve("rgb.jpg"));
    assertArrayEquals(
        Picture.read(Pictures.file("pictures/rgb.png")).rgb(),
        Picture.read(file).rgb());
  }

  @Test
  void tooManyPixelsAreRefusedByTheHeader() throws IOException {
    Path file = Pictures.file("pictures/rgb.png");
    assertEquals(34, Picture.read(file, 34 * 22).width());
    var e = assertThrows(PictureException.class, () -> Picture.read(file, 34 * 22 - 1));
    assertEquals(file + ": has 34 x 22 pixels, expected at most 747", e.getMessage());

    // A header that promises 3.6 billion pixels, and no more than a header.
    byte[] bomb = Files.readAllBytes(file);
    for (int i = 16; i < 24; i += 4) {
      bomb[i + 2] = (byte) 0xea;
    }
    Path large = Files.write(folder.resolve("bomb.png"), bomb);
    e = assertThrows(PictureException.class, () -> Picture.read(large));
    assertTrue(e.getMessage().contains("pixels, expected at most 100000000"), e.getMessage());
  }

  @Test
  void imagesInMemoryBecomePictures() {
    Picture grey = Pictures.grey(2, 1, 100, 200);
    for (int type : new int[] {
      BufferedImage.TYPE_INT_RGB,
      BufferedImage.TYPE_INT_ARGB,
      BufferedImage.TYPE_INT_ARGB_PRE,
      BufferedImage.TYPE_3BYTE_BGR,
      BufferedImage.TYPE_4BYTE_ABGR,
      BufferedImage.TYPE_4BYTE_ABGR_PRE
    }) {
      BufferedImage image = new BufferedImage(2, 1, type);
      image.setRGB(0, 0, 0xff646464);
      image.setRGB(1, 0, 0xffc8c8c8);
      assertArrayEquals(grey.rgb(), Picture.of(image).rgb(), "type " + type);
    }
    BufferedImage image = new BufferedImage(2, 1, BufferedImage.TYPE_BYTE_GRAY);
    image.getRaster().setSample(0, 0, 0, 100);
    image.getRaster().setSample(1, 0, 0, 200);
    assertArrayEquals(grey.rgb(), Picture.of(image).rgb());
    assertArrayEquals(grey.rgb(), Picture.of(grey.toBufferedImage()).rgb());
  }
}
