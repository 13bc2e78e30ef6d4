package dev.fovea.vit.image;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The EXIF orientation 1 to 8: how a stored picture must be turned to be looked at. */
final class Orientation {
  private static final int TAG = 0x0112;
  private static final int SHORT = 3;

  private Orientation() {}

  /** The orientation that a TIFF structure (EXIF without its "Exif" mark) states; 1 if it states none or is broken. */
  static int ofTiff(byte[] tiff) {
    if (tiff.length < 8) {
      return 1;
    }
    ByteBuffer data = ByteBuffer.wrap(tiff).order(tiff[0] == 'I' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
    int directory = data.getInt(4);
    if (directory < 8 || directory > tiff.length - 2) {
      return 1;
    }
    int entries = data.getShort(directory) & 0xffff;
    for (int i = 0, at = directory + 2; i < entries && at <= tiff.length - 12; i++, at += 12) {
      if ((data.getShort(at) & 0xffff) == TAG && data.getShort(at + 2) == SHORT) {
        int value = data.getShort(at + 8);
        return value >= 1 && value <= 8 ? value : 1;
      }
    }
    return 1;
  }

  /** The picture as it is to be looked at. */
  static Picture apply(int orientation, Picture stored) {
    if (orientation == 1) {
      return stored;
    }
    int w = stored.width();
    int h = stored.height();
    boolean turned = orientation >= 5;
    int width = turned ? h : w;
    int height = turned ? w : h;
    byte[] from = stored.samples();
    byte[] to = new byte[from.length];
    for (int y = 0, at = 0; y < height; y++) {
      for (int x = 0; x < width; x++, at += 3) {
        int sx = turned ? y : x;
        int sy = turned ? x : y;
        // 2 3 7 8 run from the right, 3 4 6 7 from the bottom.
        sx = orientation == 2 || orientation == 3 || orientation >= 7 ? w - 1 - sx : sx;
        sy = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7 ? h - 1 - sy : sy;
        System.arraycopy(from, 3 * (sy * w + sx), to, at, 3);
      }
    }
    return new Picture(width, height, to);
  }
}
