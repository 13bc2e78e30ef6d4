package dev.fovea.vit.image;

import java.io.DataInput;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import javax.imageio.stream.ImageInputStream;

/**
 * What a picture file says beside its pixels, as far as it matters here.
 *
 * @param orientation EXIF's, 1 for none
 * @param components samples in a JPEG's pixel, 0 for other formats
 * @param adobeTransform of a JPEG's Adobe segment: 2 for YCCK; -1 for none
 * @param length of the file as it states itself, which WebP does; 0 for none
 */
record FileNotes(int orientation, int components, int adobeTransform, long length) {
  private static final FileNotes NONE = new FileNotes(1, 0, -1, 0);
  private static final byte[] EXIF = "Exif\0\0".getBytes(StandardCharsets.ISO_8859_1);

  /** EXIF is kept in one JPEG segment; nobody needs more for one number. */
  private static final int MAX_EXIF = 1 << 16;

  /**
   * Reads the notes and rewinds. A file that breaks off or makes no sense has none: decoding will say what is wrong.
   */
  static FileNotes read(ImageInputStream in) throws IOException {
    in.setByteOrder(ByteOrder.BIG_ENDIAN);
    try {
      return switch (in.readUnsignedShort()) {
        case 0xffd8 -> jpeg(in);
        case 0x8950 -> png(in);
        case 0x5249 -> webp(in);
        default -> NONE;
      };
    } catch (EOFException e) {
      return NONE;
    } finally {
      in.setByteOrder(ByteOrder.BIG_ENDIAN);
      in.seek(0);
    }
  }

  private static FileNotes jpeg(ImageInputStream in) throws IOException {
    int orientation = 1;
    int transform = -1;
    while (true) {
      int marker = in.readUnsignedByte();
      if (marker != 0xff) {
        return NONE;
      }
      while (marker == 0xff) {
        marker = in.readUnsignedByte();
      }
      long next = in.getStreamPosition() + in.readUnsignedShort();
      int length = (int) (next - in.getStreamPosition());
      if (length < 0 || marker == 0xda) {
        return NONE;
      }
      if (marker == 0xe1 && length > EXIF.length) {
        byte[] segment = bytes(in, length);
        if (Arrays.equals(segment, 0, EXIF.length, EXIF, 0, EXIF.length)) {
          orientation = Orientation.ofTiff(Arrays.copyOfRange(segment, EXIF.length, length));
        }
      } else if (marker == 0xee && length >= 12) {
        byte[] segment = bytes(in, 12);
        transform = new String(segment, 0, 5, StandardCharsets.ISO_8859_1).equals("Adobe") ? segment[11] : transform;
      } else if (marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc) {
        // Frame header: precision, height, width, components. What matters comes before it.
        return new FileNotes(orientation, bytes(in, 6)[5], transform, 0);
      }
      in.seek(next);
    }
  }

  private static FileNotes png(ImageInputStream in) throws IOException {
    in.seek(8);
    while (true) {
      long length = in.readUnsignedInt();
      int type = in.readInt();
      if (type == 0x65584966 && length <= MAX_EXIF) { // eXIf
        return new FileNotes(Orientation.ofTiff(bytes(in, (int) length)), 0, -1, 0);
      }
      if (type == 0x49454e44) { // IEND
        return NONE;
      }
      in.seek(in.getStreamPosition() + length + 4);
    }
  }

  private static FileNotes webp(ImageInputStream in) throws IOException {
    in.setByteOrder(ByteOrder.LITTLE_ENDIAN);
    in.seek(4);
    long end = in.readUnsignedInt() + 8;
    in.seek(12);
    int orientation = 1;
    try {
      while (in.getStreamPosition() < end) {
        int type = in.readInt();
        long length = in.readUnsignedInt();
        if (type == 0x46495845 && length <= MAX_EXIF) { // EXIF
          byte[] exif = bytes(in, (int) length);
          boolean marked = exif.length > EXIF.length && Arrays.equals(exif, 0, EXIF.length, EXIF, 0, EXIF.length);
          orientation = Orientation.ofTiff(marked ? Arrays.copyOfRange(exif, EXIF.length, exif.length) : exif);
          break;
        }
        in.seek(in.getStreamPosition() + length + (length & 1));
      }
    } catch (EOFException e) {
      // Its length says so too.
    }
    return new FileNotes(orientation, 0, -1, end);
  }

  private static byte[] bytes(DataInput in, int length) throws IOException {
    byte[] bytes = new byte[length];
    in.readFully(bytes);
    return bytes;
  }
}
