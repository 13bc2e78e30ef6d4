package dev.fovea.vit.data;

/**
 * A picture with its label.
 *
 * @param channels usually 3: red, green, blue
 * @param height pixels
 * @param width pixels
 * @param pixels [channels, height, width], each 0 to 255
 * @param label index of its class
 */
@SuppressWarnings("ArrayRecordComponent") // Carries the pixels; nobody compares pictures.
public record LabelledPicture(int channels, int height, int width, byte[] pixels, int label) {
  public LabelledPicture {
    if (pixels.length != channels * height * width) {
      throw new IllegalArgumentException(
          "pixels: got %d, expected %d x %d x %d".formatted(pixels.length, channels, height, width));
    }
  }
}
