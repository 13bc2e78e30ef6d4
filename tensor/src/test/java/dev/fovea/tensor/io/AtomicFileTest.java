package dev.fovea.tensor.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.Shape;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A file is the old one or the new one, whatever happens while it is written. */
class AtomicFileTest {
  @TempDir
  Path folder;

  private static TensorSource source(String name, int bytes) {
    MemorySegment data = MemorySegment.ofArray(new byte[bytes]).fill((byte) 7);
    return new TensorSource(new TensorInfo(name, StoredType.of(DType.U8), Shape.of(bytes)), () -> data);
  }

  /** A disk with so much room; writes in small parts, as channels may. */
  private record Disk(WritableByteChannel channel, int[] room) implements WritableByteChannel {
    @Override
    public int write(ByteBuffer bytes) throws IOException {
      int n = Math.min(bytes.remaining(), Math.min(100, room[0]));
      if (n == 0) {
        throw new IOException("No space left on device");
      }
      ByteBuffer part = bytes.slice(bytes.position(), n);
      while (part.hasRemaining()) {
        channel.write(part);
      }
      bytes.position(bytes.position() + n);
      room[0] -= n;
      return n;
    }

    @Override
    public boolean isOpen() {
      return true;
    }

    @Override
    public void close() {}
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 5, 8, 50, 150, 1000, 1999})
  void aFullDiskLeavesTheOldFile(int room) throws IOException {
    Path target = Files.writeString(folder.resolve("model.safetensors"), "old");
    List<TensorSource> sources = List.of(source("a", 1000), source("b", 1000));
    SafetensorsWriter writer = new SafetensorsWriter(sources, Map.of());
    for (AtomicFile.Content content : List.<AtomicFile.Content>of(
        writer::writeTo, c -> NpzWriter.writeNpz(sources, c), c -> NpzWriter.writeNpy(source("x", 2000), c))) {
      IOException e = assertThrows(
          IOException.class,
          () -> AtomicFile.write(target, channel -> content.writeTo(new Disk(channel, new int[] {room}))));
      assertEquals("No space left on device", e.getMessage());
      assertEquals("old", Files.readString(target));
      assertEquals(1, folder.toFile().list().length);
    }
  }

  @Test
  void partialWritesAreContinued() throws IOException {
    Path target = folder.resolve("model.safetensors");
    SafetensorsWriter writer = new SafetensorsWriter(List.of(source("a", 1000)), Map.of());
    AtomicFile.write(target, channel -> writer.writeTo(new Disk(channel, new int[] {5000})));
    Path whole = folder.resolve("whole.safetensors");
    AtomicFile.write(whole, writer::writeTo);
    assertEquals(-1, Files.mismatch(target, whole));
  }

  @Test
  void aTensorThatCannotBeReadLeavesNothing() {
    TensorInfo info = new TensorInfo("late", StoredType.U8, Shape.of(3));
    TensorSource broken = new TensorSource(info, () -> {
      throw new IllegalStateException("closed");
    });
    TensorSource wrong = new TensorSource(info, () -> MemorySegment.ofArray(new byte[4]));
    Path target = folder.resolve("f");
    assertThrows(
        IllegalStateException.class,
        () -> AtomicFile.write(target, new SafetensorsWriter(List.of(source("a", 9), broken), Map.of())::writeTo));
    assertThrows(
        IllegalArgumentException.class,
        () -> AtomicFile.write(target, new SafetensorsWriter(List.of(source("a", 9), wrong), Map.of())::writeTo));
    assertEquals(0, folder.toFile().list().length);
  }

  @Test
  void foldersThatDoNotTakeFiles() throws IOException {
    AtomicFile.Content nothing = channel -> {};
    var none = assertThrows(NoSuchFileException.class, () -> AtomicFile.write(folder.resolve("none/f"), nothing));
    assertEquals(folder.resolve("none/f") + ": there is no folder " + folder.resolve("none"), none.getMessage());
    Path file = Files.writeString(folder.resolve("file"), "x");
    assertThrows(IOException.class, () -> AtomicFile.write(file.resolve("f"), nothing));
    assertThrows(IOException.class, () -> AtomicFile.write(folder, nothing));
    Path shut = Files.createDirectory(folder.resolve("shut"));
    Assumptions.assumeTrue(shut.toFile().setWritable(false) && !Files.isWritable(shut), "this user may write anywhere");
    assertThrows(IOException.class, () -> AtomicFile.write(shut.resolve("f"), nothing));
    assertTrue(shut.toFile().setWritable(true));
  }

  @Test
  void newFilesHaveTheUsualPermissions() throws IOException {
    Path usual = Files.writeString(folder.resolve("usual"), "x");
    Assumptions.assumeTrue(Files.getFileStore(usual).supportsFileAttributeView("posix"), "no POSIX permissions here");
    AtomicFile.write(
        folder.resolve("ours"), channel -> AtomicFile.writeFully(channel, ByteBuffer.wrap(new byte[] {1})));
    assertEquals(Files.getPosixFilePermissions(usual), Files.getPosixFilePermissions(folder.resolve("ours")));
    assertFalse(Files.getPosixFilePermissions(usual).contains(PosixFilePermission.OWNER_EXECUTE));
    assertArrayEquals(new byte[] {1}, Files.readAllBytes(folder.resolve("ours")));
  }
}
