package dev.fovea.tensor.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files beyond 2 and 4 GiB: sparse ones, which take no room, and ones that are written to nowhere. */
class HugeFileTest {
  private static final long HOLE = 5L << 30;

  @TempDir
  Path folder;

  @BeforeEach
  void needsSparseFiles() {
    // Elsewhere a file may take the room of its holes.
    Assumptions.assumeTrue(
        FileSystems.getDefault().supportedFileAttributeViews().contains("unix"), "sparse files need a Unix");
  }

  private static void write(Path path, long at, byte[] bytes) throws IOException {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(bytes), at);
    }
  }

  @Test
  void safetensors() throws IOException {
    Path path = folder.resolve("huge.safetensors");
    String header = "{\"hole\":{\"dtype\":\"U8\",\"shape\":[5,1073741824],\"data_offsets\":[0," + HOLE + "]},"
        + "\"end\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[" + HOLE + "," + (HOLE + 4) + "]}}";
    byte[] start = TestFiles.safetensors(header + " ".repeat(-header.length() & 7), 0);
    write(path, 0, start);
    write(path, start.length + HOLE, new byte[] {0, 0, (byte) 0x80, 0x3f});
    try (Safetensors file = Safetensors.open(path);
        Scope _ = Scope.open()) {
      assertEquals(HOLE, file.segment("hole").byteSize());
      assertEquals(0, file.segment("hole").get(ValueLayout.JAVA_BYTE, HOLE - 1));
      assertArrayEquals(new float[] {1}, file.load("end").toFloats());
      assertArrayEquals(new float[] {1}, file.wrap("end").toFloats());
      assertEquals(Shape.of(5, 1 << 30), file.wrap("hole").shape());
    }
    write(path, start.length + HOLE + 4, new byte[] {0});
    assertThrows(MalformedFileException.class, () -> Safetensors.open(path));
  }

  @Test
  void aHeaderLengthIsNotBelievedToo() throws IOException {
    Path path = folder.resolve("huge.safetensors");
    write(path, 0, TestFiles.safetensors("{}", 0));
    write(path, 0, new byte[] {0, 0, 0, (byte) 0x80, 0, 0, 0, 0});
    write(path, HOLE, new byte[] {1});
    assertThrows(MalformedFileException.class, () -> Safetensors.open(path));
  }

  @Test
  void layoutsBeyondTwoGigabytes() throws IOException {
    List<TensorSource> sources = new ArrayList<>();
    for (String name : List.of("a", "b", "c")) {
      TensorInfo info = new TensorInfo(name, StoredType.F32, Shape.of(3, 1 << 28));
      sources.add(new TensorSource(info, () -> {
        throw new IllegalStateException("asked for the data");
      }));
    }
    Text text = new Text();
    assertThrows(IllegalStateException.class, () -> new SafetensorsWriter(sources, Map.of()).writeTo(text));
    assertEquals(
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[3,268435456],\"data_offsets\":[0,3221225472]},"
            + "\"b\":{\"dtype\":\"F32\",\"shape\":[3,268435456],\"data_offsets\":[3221225472,6442450944]},"
            + "\"c\":{\"dtype\":\"F32\",\"shape\":[3,268435456],\"data_offsets\":[6442450944,9663676416]}}",
        text.text.substring(8).strip());
  }

  @Test
  void tensorsBeyondTwoGigabytesAreWrittenWhole() throws IOException {
    long bytes = (2L << 30) + 5;
    Path path = folder.resolve("data");
    write(path, bytes - 1, new byte[] {1});
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = Mapping.map(path, arena);
      Counter counter = new Counter();
      new SafetensorsWriter(
              List.of(new TensorSource(new TensorInfo("a", StoredType.U8, Shape.of(bytes)), () -> data)), Map.of())
          .writeTo(counter);
      assertEquals(0, (counter.bytes - bytes) % 8);
      assertEquals(DType.U8, StoredType.U8.dtype().orElseThrow());
    }
  }

  private static final class Counter implements WritableByteChannel {
    private long bytes;

    @Override
    public int write(ByteBuffer source) {
      int n = source.remaining();
      source.position(source.limit());
      bytes += n;
      return n;
    }

    @Override
    public boolean isOpen() {
      return true;
    }

    @Override
    public void close() {}
  }

  private static final class Text implements WritableByteChannel {
    private String text = "";

    @Override
    public int write(ByteBuffer source) {
      int n = source.remaining();
      text += StandardCharsets.ISO_8859_1.decode(source);
      return n;
    }

    @Override
    public boolean isOpen() {
      return true;
    }

    @Override
    public void close() {}
  }
}
