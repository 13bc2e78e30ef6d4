package dev.fovea.vit.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.vit.data.RandAugment.Operation;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** RandAugment's operations against Pillow's, and its draws. */
final class RandAugmentTest {
  private static final int HEIGHT = 20;
  private static final int WIDTH = 24;

  private static LabelledPicture stored(int index) throws IOException {
    int size = 3 * HEIGHT * WIDTH;
    try (InputStream in = RandAugmentTest.class.getResourceAsStream("randaugment/operations.bin")) {
      Objects.requireNonNull(in).skipNBytes((long) index * size);
      return new LabelledPicture(3, HEIGHT, WIDTH, in.readNBytes(size), 7);
    }
  }

  /** What each operation of the file is, and which share of the samples has to be Pillow's. */
  static Stream<Arguments> operations() {
    return Stream.of(
        Arguments.of(1, Operation.AUTO_CONTRAST, 0, 1),
        Arguments.of(2, Operation.EQUALIZE, 0, 1),
        Arguments.of(3, Operation.SOLARIZE, 0.3, 1),
        Arguments.of(4, Operation.POSTERIZE, -0.7, 1),
        Arguments.of(5, Operation.COLOR, 0.7, 1),
        Arguments.of(6, Operation.COLOR, -0.7, 1),
        Arguments.of(7, Operation.CONTRAST, 0.7, 1),
        Arguments.of(8, Operation.CONTRAST, -0.7, 1),
        Arguments.of(9, Operation.BRIGHTNESS, 0.7, 1),
        Arguments.of(10, Operation.BRIGHTNESS, -0.7, 1),
        Arguments.of(11, Operation.SHARPNESS, 0.7, 1),
        Arguments.of(12, Operation.SHARPNESS, -0.7, 1),
        // Pillow computes places in fixed point: a few nearest pixels are others.
        Arguments.of(13, Operation.ROTATE, 0.7, 0.99),
        Arguments.of(14, Operation.SHEAR_X, -0.7, 0.99),
        Arguments.of(15, Operation.SHEAR_Y, 0.7, 0.99),
        Arguments.of(16, Operation.TRANSLATE_X, 0.7, 0.99),
        Arguments.of(17, Operation.TRANSLATE_Y, -0.7, 0.99));
  }

  @ParameterizedTest
  @MethodSource("operations")
  void areThoseOfPillow(int index, Operation operation, double strength, double share) throws IOException {
    LabelledPicture got = operation.apply(stored(0), strength);
    byte[] expected = stored(index).pixels();
    assertEquals(7, got.label());
    assertFalse(Arrays.equals(stored(0).pixels(), expected), "something happens");
    int same = 0;
    for (int i = 0; i < expected.length; i++) {
      same += got.pixels()[i] == expected[i] ? 1 : 0;
    }
    assertTrue(same >= share * expected.length, same + " of " + expected.length);
  }

  @Test
  void thereAreFourteen() {
    assertEquals(14, Operation.values().length);
  }

  /** Pictures of one colour or one pixel, and grey ones. */
  @ParameterizedTest
  @EnumSource(Operation.class)
  void takesAnyPicture(Operation operation) {
    for (int side : new int[] {1, 2, 5}) {
      for (int channels : new int[] {1, 3}) {
        byte[] pixels = new byte[channels * side * side];
        Arrays.fill(pixels, (byte) 200);
        for (double strength : new double[] {-1, 0, 1}) {
          LabelledPicture got = operation.apply(new LabelledPicture(channels, side, side, pixels, 0), strength);
          assertEquals(pixels.length, got.pixels().length);
        }
      }
    }
  }

  @Test
  void drawsBySeedAndLeavesTheRangeAlone() throws IOException {
    float[] pixels = new float[10 + 3 * HEIGHT * WIDTH];
    byte[] samples = stored(0).pixels();
    for (int i = 0; i < samples.length; i++) {
      pixels[10 + i] = (samples[i] & 255) / 127.5f - 1;
    }
    RandAugment operations = new RandAugment(2, 10);
    float[][] got = new float[20][];
    int unlike = 0;
    for (int i = 0; i < got.length; i++) {
      got[i] = pixels.clone();
      operations.apply(got[i], 10, 3, HEIGHT, WIDTH, new RandomStream(1, i));
      float[] again = pixels.clone();
      operations.apply(again, 10, 3, HEIGHT, WIDTH, new RandomStream(1, i));
      assertArrayEquals(got[i], again);
      for (float value : got[i]) {
        assertTrue(value >= -1 && value <= 1);
      }
      assertArrayEquals(Arrays.copyOf(pixels, 10), Arrays.copyOf(got[i], 10));
      unlike += Arrays.equals(got[i], pixels) ? 0 : 1;
    }
    assertTrue(unlike > 10, unlike + " of 20 are changed");
    float[] same = pixels.clone();
    RandAugment.NONE.apply(same, 10, 3, HEIGHT, WIDTH, new RandomStream(1, 0));
    assertArrayEquals(pixels, same, "bytes come back as they were");
  }

  @Test
  void isPartOfTraining() {
    Shapes shapes = new Shapes("train", 32, 100, 0, Shapes.Cue.INDEPENDENT);
    Batches plain = Batches.training(shapes, 8, 32, 32, Augmentation.NONE, Mixing.NONE, 3);
    RandAugment strong = RandAugment.parse(" 2, 9");
    Batches changed = Batches.training(shapes, 8, 32, 32, Augmentation.NONE, strong, Mixing.NONE, 3);
    assertArrayEquals(plain.batch(5).labels(), changed.batch(5).labels());
    assertFalse(Arrays.equals(plain.batch(5).pixels(), changed.batch(5).pixels()));
    assertArrayEquals(changed.batch(5).pixels(), changed.batch(5).pixels());
    assertNotEquals(RandAugment.NONE, strong);
  }

  @ParameterizedTest
  @ValueSource(strings = {"2", "2,11", "-1,3", "a,b", "2,9,1", "11,2"})
  void saysWhatItExpected(String text) {
    IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> RandAugment.parse(text));
    assertTrue(String.valueOf(e.getMessage()).startsWith("rand_augment: got "), e.getMessage());
  }
}
