package dev.fovea.vit.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.tensor.Tensor;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Objects;

/** Pictures that tests use. */
final class Pictures {
  private Pictures() {}

  /** A file of the test resources. */
  static Path file(String name) {
    try {
      return Path.of(
          Objects.requireNonNull(Pictures.class.getResource(name), name).toURI());
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
  }

  static Picture grey(int width, int height, int... samples) {
    byte[] rgb = new byte[3 * samples.length];
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = (byte) samples[i / 3];
    }
    return Picture.of(width, height, rgb);
  }

  /** Compares with U8 [height, width, 3]. */
  static void assertSame(Tensor expected, Picture picture, int tolerance) {
    assertEquals(
        "[%d, %d, 3]".formatted(picture.height(), picture.width()),
        expected.shape().toString());
    float[] e = expected.toFloats();
    byte[] rgb = picture.rgb();
    int worst = 0;
    for (int i = 0; i < e.length; i++) {
      worst = Math.max(worst, Math.abs((int) e[i] - (rgb[i] & 0xff)));
    }
    assertTrue(worst <= tolerance, "differs by " + worst + ", expected at most " + tolerance);
  }
}
