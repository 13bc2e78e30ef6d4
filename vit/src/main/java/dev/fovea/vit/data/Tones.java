package dev.fovea.vit.data;

import java.util.Arrays;

/** Operations on the values of pixels, as Pillow's ImageOps and ImageEnhance do them on 8-bit samples. */
final class Tones {
  private static final int VALUES = 256;

  private Tones() {}

  /** Maps the values of one channel. */
  private interface Table {
    int[] of(int[] histogram);
  }

  private static LabelledPicture byChannel(LabelledPicture picture, Table table) {
    int plane = picture.height() * picture.width();
    byte[] from = picture.pixels();
    byte[] to = new byte[from.length];
    for (int first = 0; first < from.length; first += plane) {
      int[] histogram = new int[VALUES];
      for (int i = first; i < first + plane; i++) {
        histogram[from[i] & 255]++;
      }
      int[] values = table.of(histogram);
      for (int i = first; i < first + plane; i++) {
        to[i] = (byte) values[from[i] & 255];
      }
    }
    return with(picture, to);
  }

  private static LabelledPicture with(LabelledPicture picture, byte[] pixels) {
    return new LabelledPicture(picture.channels(), picture.height(), picture.width(), pixels, picture.label());
  }

  /** Stretches each channel from its least and largest value to 0 and 255. */
  static LabelledPicture autoContrast(LabelledPicture picture) {
    return byChannel(picture, histogram -> {
      int least = 0;
      int most = VALUES - 1;
      while (least < most && histogram[least] == 0) {
        least++;
      }
      while (most > least && histogram[most] == 0) {
        most--;
      }
      int[] values = new int[VALUES];
      double scale = most > least ? 255.0 / (most - least) : 1;
      double offset = most > least ? -least * scale : 0;
      for (int v = 0; v < VALUES; v++) {
        values[v] = Math.clamp((int) (v * scale + offset), 0, 255);
      }
      return values;
    });
  }

  /** Makes all values of each channel about equally frequent. */
  static LabelledPicture equalize(LabelledPicture picture) {
    return byChannel(picture, histogram -> {
      int count = 0;
      int last = 0;
      int used = 0;
      for (int v = 0; v < VALUES; v++) {
        if (histogram[v] > 0) {
          count += histogram[v];
          last = histogram[v];
          used++;
        }
      }
      int step = (count - last) / 255;
      int[] values = new int[VALUES];
      int sum = step / 2;
      for (int v = 0; v < VALUES; v++) {
        values[v] = used <= 1 || step == 0 ? v : Math.min(255, sum / step);
        sum += histogram[v];
      }
      return values;
    });
  }

  /** Inverts values from {@code threshold} on. */
  static LabelledPicture solarize(LabelledPicture picture, int threshold) {
    return byChannel(picture, histogram -> {
      int[] values = new int[VALUES];
      for (int v = 0; v < VALUES; v++) {
        values[v] = v < threshold ? v : 255 - v;
      }
      return values;
    });
  }

  /** Keeps the upper {@code bits} bits. */
  static LabelledPicture posterize(LabelledPicture picture, int bits) {
    int mask = -(1 << (8 - bits));
    return byChannel(picture, histogram -> {
      int[] values = new int[VALUES];
      for (int v = 0; v < VALUES; v++) {
        values[v] = v & mask;
      }
      return values;
    });
  }

  /** {@code other + factor (picture - other)}, cut to 0 to 255, the fraction dropped. */
  private static LabelledPicture blend(byte[] other, LabelledPicture picture, double factor) {
    byte[] from = picture.pixels();
    byte[] to = new byte[from.length];
    float share = (float) factor;
    for (int i = 0; i < from.length; i++) {
      int base = other[i] & 255;
      float value = base + share * ((from[i] & 255) - base);
      to[i] = (byte) (value <= 0 ? 0 : value >= 255 ? 255 : (int) value);
    }
    return with(picture, to);
  }

  /** Towards black, or away from it. */
  static LabelledPicture brightness(LabelledPicture picture, double factor) {
    return blend(new byte[picture.pixels().length], picture, factor);
  }

  /** Towards grey, or away from it. */
  static LabelledPicture color(LabelledPicture picture, double factor) {
    byte[] grey = luma(picture);
    byte[] all = new byte[picture.pixels().length];
    for (int at = 0; at < all.length; at += grey.length) {
      System.arraycopy(grey, 0, all, at, grey.length);
    }
    return blend(all, picture, factor);
  }

  /** Towards the mean of the grey picture, or away from it. */
  static LabelledPicture contrast(LabelledPicture picture, double factor) {
    byte[] grey = luma(picture);
    long sum = 0;
    for (byte value : grey) {
      sum += value & 255;
    }
    byte[] all = new byte[picture.pixels().length];
    Arrays.fill(all, (byte) (int) ((double) sum / grey.length + 0.5));
    return blend(all, picture, factor);
  }

  /** ITU-R 601-2 luma; a picture without colours is its own. */
  private static byte[] luma(LabelledPicture picture) {
    int plane = picture.height() * picture.width();
    byte[] from = picture.pixels();
    byte[] grey = new byte[plane];
    for (int i = 0; i < plane; i++) {
      grey[i] = picture.channels() < 3
          ? from[i]
          : (byte)
              ((from[i] & 255) * 19595 + (from[plane + i] & 255) * 38470 + (from[2 * plane + i] & 255) * 7471 + 0x8000
                  >> 16);
    }
    return grey;
  }

  /** Towards a smoothed picture, or away from it. */
  static LabelledPicture sharpness(LabelledPicture picture, double factor) {
    int height = picture.height();
    int width = picture.width();
    int plane = height * width;
    byte[] from = picture.pixels();
    byte[] smooth = from.clone();
    for (int first = 0; first < from.length; first += plane) {
      for (int y = 1; y < height - 1; y++) {
        for (int x = 1; x < width - 1; x++) {
          int at = first + y * width + x;
          int sum = 4 * (from[at] & 255);
          for (int dy = -width; dy <= width; dy += width) {
            sum += (from[at + dy - 1] & 255) + (from[at + dy] & 255) + (from[at + dy + 1] & 255);
          }
          smooth[at] = (byte) ((2 * sum + 13) / 26);
        }
      }
    }
    return blend(smooth, picture, factor);
  }
}
