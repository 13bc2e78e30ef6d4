package dev.fovea.tensor.io;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.time.LocalDateTime;
import java.util.Collection;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Writes npy and npz files (entries stored, not compressed, as {@code numpy.savez} does). */
final class NpzWriter {
  private static final long PIECE = 1 << 23;

  /** One time for all files, so that equal tensors give equal bytes; 1980-01-01 would be taken for "before 1980". */
  private static final LocalDateTime TIME = LocalDateTime.of(1980, 2, 1, 0, 0);

  private NpzWriter() {}

  static void writeNpy(TensorSource tensor, WritableByteChannel channel) throws IOException {
    AtomicFile.writeFully(channel, ByteBuffer.wrap(NpyHeader.bytes(tensor.info())));
    TensorSource.write(tensor.bytes(), channel);
  }

  /** Checks that the names will be read back. */
  static void checkNames(Collection<TensorSource> tensors) {
    for (TensorSource tensor : tensors) {
      String name = tensor.info().name();
      if (!ZipDirectory.isPlain(name)) {
        throw new IllegalArgumentException("name of a tensor: got " + MalformedFileException.printable(name)
            + ", expected a relative path without \"..\", '\\' and drives");
      }
    }
  }

  static void writeNpz(Collection<TensorSource> tensors, WritableByteChannel channel) throws IOException {
    try (ZipOutputStream zip = new ZipOutputStream(new Unclosed(Channels.newOutputStream(channel)))) {
      for (TensorSource tensor : tensors) {
        byte[] header = NpyHeader.bytes(tensor.info());
        MemorySegment bytes = tensor.bytes();
        ZipEntry entry = new ZipEntry(tensor.info().name() + Npz.SUFFIX);
        entry.setMethod(ZipEntry.STORED);
        entry.setTimeLocal(TIME);
        entry.setSize(header.length + bytes.byteSize());
        entry.setCrc(crc(header, bytes));
        zip.putNextEntry(entry);
        zip.write(header);
        new SegmentInputStream(bytes).transferTo(zip);
        zip.closeEntry();
      }
    }
  }

  /** Leaves the channel open for its owner, who forces it to the disk. */
  private static final class Unclosed extends FilterOutputStream {
    Unclosed(OutputStream out) {
      super(out);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      out.write(bytes, offset, length);
    }

    @Override
    public void close() throws IOException {
      out.flush();
    }
  }

  private static long crc(byte[] header, MemorySegment bytes) {
    CRC32 crc = new CRC32();
    crc.update(header);
    for (long at = 0; at < bytes.byteSize(); at += PIECE) {
      crc.update(bytes.asSlice(at, Math.min(PIECE, bytes.byteSize() - at)).asByteBuffer());
    }
    return crc.getValue();
  }
}
