package dev.fovea.tensor.io;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.WritableByteChannel;
import java.util.function.Supplier;

/**
 * A tensor to be written.
 *
 * @param info name, type and shape
 * @param data gives the little-endian, row-major bytes when their turn comes
 */
record TensorSource(TensorInfo info, Supplier<MemorySegment> data) {
  private static final long PIECE = 1 << 23;

  /** The bytes, checked to be as many as the shape says. */
  MemorySegment bytes() {
    MemorySegment bytes = data.get();
    if (bytes.byteSize() != info.storedBytes()) {
      throw new IllegalArgumentException(
          "tensor \"" + info.name() + "\": got " + bytes.byteSize() + " bytes, expected " + info.storedBytes());
    }
    return bytes;
  }

  /** Writes {@code bytes} in pieces, as a buffer holds at most 2 GiB. */
  static void write(MemorySegment bytes, WritableByteChannel channel) throws IOException {
    for (long at = 0; at < bytes.byteSize(); at += PIECE) {
      long n = Math.min(PIECE, bytes.byteSize() - at);
      AtomicFile.writeFully(channel, bytes.asSlice(at, n).asByteBuffer());
    }
  }
}
