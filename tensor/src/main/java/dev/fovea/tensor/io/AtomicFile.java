package dev.fovea.tensor.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.HexFormat;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Writes a file as a whole or not at all: into a new file in the same folder, forced to the disk, then renamed over the
 * target. On failure the new file is removed and the target stays as it was.
 */
public final class AtomicFile {
  private AtomicFile() {}

  /** What writes the content. */
  public interface Content {
    /** Writes all of it; the channel is the caller's to close. */
    void writeTo(WritableByteChannel channel) throws IOException;
  }

  /**
   * Whether {@link #write} can put a file there, as far as that can be told before long work.
   *
   * @throws IOException if the target is a folder, or there is no folder for it, or one that may not be written to
   */
  public static void check(Path target) throws IOException {
    Path path = target.toAbsolutePath();
    if (Files.isDirectory(path)) {
      throw new IOException(target + ": is a folder, expected a file or nothing");
    }
    Path folder = path.resolveSibling("");
    if (!Files.exists(folder)) {
      throw new NoSuchFileException(target.toString(), null, "there is no folder " + folder);
    }
    if (!Files.isDirectory(folder)) {
      throw new FileSystemException(target.toString(), null, folder + " is a file, expected a folder");
    }
    if (!Files.isWritable(folder)) {
      throw new AccessDeniedException(target.toString(), null, "no permission to write to " + folder);
    }
  }

  /**
   * Writes a file.
   *
   * @throws IOException if the content throws it, or the file cannot be written
   */
  public static void write(Path target, Content content) throws IOException {
    check(target);
    Path path = target.toAbsolutePath();
    byte[] random = new byte[8];
    ThreadLocalRandom.current().nextBytes(random);
    Path part = path.resolveSibling(".fovea-" + HexFormat.of().formatHex(random) + ".part");
    try {
      // CREATE_NEW follows no link that someone else put there, and gives the usual permissions.
      try (FileChannel channel = FileChannel.open(part, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        content.writeTo(channel);
        channel.force(true);
      }
      Files.move(part, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (Throwable e) {
      try {
        Files.deleteIfExists(part);
      } catch (IOException suppressed) {
        e.addSuppressed(suppressed);
      }
      throw e;
    }
    forceFolder(path.resolveSibling("."));
  }

  /** Makes the new name durable, where the system lets a folder be opened (not on Windows). */
  private static void forceFolder(Path folder) {
    try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
      channel.force(true);
    } catch (IOException e) {
      // The file is complete under its name; only its survival of a power cut is up to the system.
    }
  }

  static void writeFully(WritableByteChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }
}
