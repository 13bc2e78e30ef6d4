package dev.fovea.vit.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.io.TensorFile;
import dev.fovea.vit.image.Preprocessing.Crop;
import dev.fovea.vit.image.Preprocessing.Fit;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Preprocessing gives what Pillow, torchvision and big_vision give. */
class PreprocessorTest {
  /** timm's evaluation of four pictures: the same bytes after resizing, the same numbers for the model. */
  @Test
  void agreesWithTimm() throws IOException {
    JsonNode cases =
        new ObjectMapper().readTree(Pictures.file("preprocess.json").toFile());
    try (TensorFile expected = TensorFile.open(Pictures.file("preprocess.safetensors"));
        Scope scope = Scope.open()) {
      for (int i = 0; i < cases.size(); i++) {
        JsonNode one = cases.get(i);
        int size = one.get("size").asInt();
        boolean imagenet = one.get("mean").asText().equals("imagenet");
        var preprocessor = new Preprocessor(Preprocessing.center(
            size,
            size,
            one.get("crop_pct").asDouble(),
            one.get("interpolation").asText().equals("bicubic") ? Interpolation.BICUBIC : Interpolation.BILINEAR,
            imagenet ? Preprocessing.IMAGENET_MEAN : Preprocessing.HALF,
            imagenet ? Preprocessing.IMAGENET_DEVIATION : Preprocessing.HALF));
        Picture picture = Picture.read(Pictures.file(one.get("file").asText()));

        Pictures.assertSame(expected.load("resized." + i), preprocessor.resize(picture), 0);
        Tensor pixels = preprocessor.apply(picture);
        assertEquals("[1, 3, %d, %d]".formatted(size, size), pixels.shape().toString());
        assertArrayEquals(expected.load("tensor." + i).toFloats(), pixels.toFloats(), 1e-6f);
      }
    }
  }

  @Test
  void everyFilterGivesPillowsBytes() throws IOException {
    Picture picture = Picture.read(Pictures.file("pictures/rgb.png"));
    int seen = 0;
    try (TensorFile expected = TensorFile.open(Pictures.file("pictures/expected.safetensors"));
        Scope scope = Scope.open()) {
      for (String name : expected.names()) {
        String[] words = name.split(" ");
        if (words.length == 3) {
          Picture resized = Resize.to(
              Integer.parseInt(words[1]), Integer.parseInt(words[2]), picture, Interpolation.valueOf(words[0]));
          Pictures.assertSame(expected.load(name), resized, 0);
          seen++;
        }
      }
    }
    assertEquals(36, seen);
  }

  /** TensorFlow's bilinear looks at four pixels only, its area at all of them; both are cut to whole numbers. */
  @Test
  void tensorflowsWays() {
    Picture row = Pictures.grey(6, 1, 0, 10, 20, 30, 40, 51);
    assertArrayEquals(
        Pictures.grey(2, 1, 10, 40).rgb(),
        Resize.to(2, 1, row, Interpolation.BILINEAR_PLAIN).rgb());
    assertArrayEquals(
        Pictures.grey(4, 1, 3, 16, 33, 47).rgb(),
        Resize.to(4, 1, row, Interpolation.AREA).rgb());
    assertArrayEquals(
        Pictures.grey(4, 1, 0, 2, 7, 10).rgb(),
        Resize.to(4, 1, Pictures.grey(2, 1, 0, 10), Interpolation.BILINEAR_PLAIN)
            .rgb());
  }

  @Test
  void eachWayToFitHasItsSizes() {
    Picture picture = Pictures.grey(100, 67, new int[6700]);
    Preprocessing how = Preprocessing.squash(32, 32, Interpolation.BILINEAR, Preprocessing.HALF, Preprocessing.HALF);
    assertEquals("100 67", size(how, Fit.NONE, 1, 1, picture));
    assertEquals("40 30", size(how, Fit.SQUASH, 30, 40, picture));
    assertEquals("47 32", size(how, Fit.SHORTER, 32, 32, picture));
    assertEquals("48 32", size(how, Fit.SHORTER_NEAREST, 32, 32, picture));
    assertEquals("75 50", size(how, Fit.COVER, 50, 32, picture));
    assertEquals("32 21", size(how, Fit.CONTAIN, 50, 32, picture));
    Picture tall = Pictures.grey(67, 100, new int[6700]);
    assertEquals("32 47", size(how, Fit.SHORTER, 32, 32, tall));
  }

  private static String size(Preprocessing how, Fit fit, int height, int width, Picture picture) {
    Picture resized = new Preprocessor(how.withFit(fit, height, width, Interpolation.BILINEAR)).resize(picture);
    return resized.width() + " " + resized.height();
  }

  @Test
  void theMiddleIsCutOutAndSmallPicturesArePadded() {
    Preprocessing how = Preprocessing.squash(1, 2, Interpolation.BILINEAR, Preprocessing.HALF, Preprocessing.HALF)
        .withFit(Fit.NONE, 0, 0, Interpolation.BILINEAR);
    Picture row = Pictures.grey(5, 1, 1, 2, 3, 4, 5);
    List<Integer> fill = List.of(9, 9, 9);
    assertArrayEquals(
        Pictures.grey(2, 1, 2, 3).rgb(),
        new Preprocessor(how.withCrop(Crop.DOWN, fill)).crop(row).rgb());
    assertArrayEquals(
        Pictures.grey(2, 1, 3, 4).rgb(),
        new Preprocessor(how.withCrop(Crop.HALF_EVEN, fill)).crop(row).rgb());
    Picture tall = Pictures.grey(1, 2, 7, 8);
    assertArrayEquals(
        Pictures.grey(2, 1, 7, 9).rgb(),
        new Preprocessor(how.withCrop(Crop.HALF_EVEN, fill)).crop(tall).rgb());
  }

  @Test
  void wrongArgumentsAreNamed() {
    var e = assertThrows(
        IllegalArgumentException.class,
        () -> Preprocessing.squash(8, 8, Interpolation.BOX, List.of(0.5), Preprocessing.HALF));
    assertTrue(e.getMessage().contains("mean"), e.getMessage());
    e = assertThrows(
        IllegalArgumentException.class,
        () -> Preprocessing.squash(8, 8, Interpolation.BOX, Preprocessing.HALF, List.of(1.0, 0.0, 1.0)));
    assertTrue(e.getMessage().contains("deviation"), e.getMessage());
    e = assertThrows(IllegalArgumentException.class, () -> Picture.of(2, 2, new byte[3]));
    assertTrue(e.getMessage().contains("got 3 samples"), e.getMessage());
  }
}
