package dev.fovea.tensor.io;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The checked header of an npy file: magic, version, length, and a Python dict such as {@code {'descr': '<f4',
 * 'fortran_order': False, 'shape': (2, 3), }}.
 *
 * @param info name, type and shape
 * @param order order of an element's bytes
 * @param columnMajor whether the first axis is the fastest
 * @param bytes length of all that comes before the data
 */
record NpyHeader(TensorInfo info, ByteOrder order, boolean columnMajor, long bytes) {
  /** The longest dict, far above numpy's own limit of 10,000. */
  static final int MAX_BYTES = 1 << 20;

  private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
  private static final int ALIGNMENT = 64;

  /**
   * Reads a header and checks it against {@code size}, the length of the whole npy file.
   *
   * @param file the file as messages call it
   * @param name the tensor's name
   */
  static NpyHeader read(String file, String name, InputStream in, long size) throws IOException {
    byte[] start = in.readNBytes(8);
    if (start.length < 8 || !Arrays.equals(start, 0, 6, MAGIC, 0, 6)) {
      throw new MalformedFileException(file, name, "start", Arrays.toString(start), "\\x93NUMPY and a version");
    }
    int version = start[6];
    if (version < 1 || version > 3 || start[7] != 0) {
      throw new MalformedFileException(file, name, "version", version + "." + (start[7] & 0xff), "1.0, 2.0 or 3.0");
    }
    int width = version == 1 ? 2 : 4;
    byte[] lengthBytes = in.readNBytes(width);
    long length = 0;
    for (int i = lengthBytes.length - 1; i >= 0; i--) {
      length = length << 8 | lengthBytes[i] & 0xff;
    }
    long limit = Math.min(MAX_BYTES, size - 8 - width);
    if (lengthBytes.length < width || length > limit) {
      throw new MalformedFileException(file, name, "header length", length, "at most " + limit);
    }
    byte[] text = in.readNBytes((int) length);
    if (text.length < length) {
      throw new MalformedFileException(file, name, "header", text.length + " bytes", length + " bytes");
    }
    return parse(file, name, new String(text, StandardCharsets.ISO_8859_1), 8 + width + length, size);
  }

  private static NpyHeader parse(String file, String name, String text, long bytes, long size)
      throws MalformedFileException {
    NpyDict dict = NpyDict.parse(file, name, text);
    String descr = dict.descr();
    char order = descr.isEmpty() ? ' ' : descr.charAt(0);
    @Nullable StoredType type = "<>|".indexOf(order) < 0 ? null : StoredType.numpy(descr.substring(1));
    boolean orderless = type != null && (type.bits() == 8 || type == StoredType.BF16);
    if (type == null || order != '<' && orderless != (order == '|')) {
      throw new MalformedFileException(
          file,
          name,
          "descr",
          descr,
          "a number type of f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 with < or > before it (| for one byte), |b1, or |V2 for"
              + " bfloat16");
    }
    TensorInfo info = TensorInfo.checked(file, name, type, dict.shape());
    if (info.storedBytes() != size - bytes) {
      throw new MalformedFileException(
          file, name, "bytes of " + type + info.shape(), size - bytes, info.storedBytes() + "");
    }
    ByteOrder byteOrder = order == '>' ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN;
    return new NpyHeader(info, byteOrder, dict.columnMajor() && info.shape().rank() > 1, bytes);
  }

  /** The header as numpy writes it (version 1.0), padded to 64 bytes. */
  static byte[] bytes(TensorInfo info) {
    long[] dims = info.shape().dims();
    String shape =
        Arrays.stream(dims).mapToObj(Long::toString).collect(Collectors.joining(", ")) + (dims.length == 1 ? "," : "");
    String dict =
        "{'descr': '" + info.type().numpyDescription() + "', 'fortran_order': False, 'shape': (" + shape + "), }";
    int before = 10;
    int padding = ALIGNMENT - (before + dict.length() + 1) % ALIGNMENT;
    String line = dict + " ".repeat(padding % ALIGNMENT) + "\n";
    byte[] header = Arrays.copyOf(MAGIC, before + line.length());
    header[6] = 1;
    header[8] = (byte) line.length();
    header[9] = (byte) (line.length() >>> 8);
    System.arraycopy(line.getBytes(StandardCharsets.ISO_8859_1), 0, header, before, line.length());
    return header;
  }
}
