package dev.fovea.tensor.io;

import java.io.IOException;
import java.io.InputStream;
import java.util.Objects;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import org.jspecify.annotations.Nullable;

/**
 * The expanded bytes of a zip entry: exactly as many as the directory says. When the last was read, the checksum has
 * been compared too; a fault is a {@link MalformedFileException}.
 */
final class ZipEntryStream extends InputStream {
  private static final long PIECE = 1 << 20;

  private final String file;
  private final ZipDirectory.Entry entry;
  private final InputStream stored;
  private final @Nullable Inflater inflater;
  private final CRC32 crc = new CRC32();
  private long fed;
  private long left;

  ZipEntryStream(String file, ZipDirectory.Entry entry) {
    this.file = file;
    this.entry = entry;
    this.stored = new SegmentInputStream(entry.data());
    this.left = entry.size();
    this.inflater = entry.deflated() ? new Inflater(true) : null;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] bytes, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, bytes.length);
    if (length == 0 || left == 0) {
      return length == 0 ? 0 : -1;
    }
    int wanted = (int) Math.min(length, left);
    int n = inflater == null ? stored.read(bytes, offset, wanted) : inflate(inflater, bytes, offset, wanted);
    crc.update(bytes, offset, n);
    left -= n;
    if (left == 0) {
      verify();
    }
    return n;
  }

  private int inflate(Inflater inflater, byte[] bytes, int offset, int length) throws MalformedFileException {
    try {
      int n = inflater.inflate(bytes, offset, length);
      while (n == 0) {
        if (inflater.finished() || inflater.needsDictionary() || !feed(inflater)) {
          throw fault("expanded bytes", (entry.size() - left) + " and no more", entry.size() + "");
        }
        n = inflater.inflate(bytes, offset, length);
      }
      return n;
    } catch (DataFormatException e) {
      throw fault("compressed data", String.valueOf(e.getMessage()), "a deflate stream");
    }
  }

  /** Gives the inflater its next piece; the data may be longer than a buffer can be. */
  private boolean feed(Inflater inflater) {
    long n = Math.min(PIECE, entry.data().byteSize() - fed);
    if (n > 0) {
      inflater.setInput(entry.data().asSlice(fed, n).asByteBuffer());
      fed += n;
    }
    return n > 0;
  }

  private void verify() throws MalformedFileException {
    if (inflater != null) {
      verifyEnd(inflater);
    }
    if ((int) crc.getValue() != entry.crc()) {
      throw fault("CRC-32", Long.toHexString(crc.getValue()), Integer.toHexString(entry.crc()));
    }
  }

  /** A deflate stream ends with its last byte, and with the last byte stored. */
  private void verifyEnd(Inflater inflater) throws MalformedFileException {
    try {
      int n = 0;
      while (n == 0
          && !inflater.finished()
          && !inflater.needsDictionary()
          && (!inflater.needsInput() || feed(inflater))) {
        n = inflater.inflate(new byte[1]);
      }
      if (n > 0
          || !inflater.finished()
          || inflater.getRemaining() > 0
          || fed < entry.data().byteSize()) {
        throw fault("end of the compressed data", "somewhere else", "after " + entry.size() + " bytes");
      }
    } catch (DataFormatException e) {
      throw fault("compressed data", String.valueOf(e.getMessage()), "a deflate stream");
    }
  }

  private MalformedFileException fault(String what, Object got, String expected) {
    return new MalformedFileException(file, entry.name(), what, got, expected);
  }

  @Override
  public void close() {
    if (inflater != null) {
      inflater.close();
    }
  }
}
