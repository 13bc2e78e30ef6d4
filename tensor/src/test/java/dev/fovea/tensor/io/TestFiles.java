package dev.fovea.tensor.io;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Files that the tests read. */
final class TestFiles {
  private TestFiles() {}

  /** A golden file, written by numpy or safetensors. */
  static byte[] golden(String name) {
    try (InputStream in = TestFiles.class.getResourceAsStream(name)) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A golden file in a folder. */
  static Path golden(Path folder, String name) throws IOException {
    return Files.write(folder.resolve(name), golden(name));
  }

  /** A safetensors file of this header and as many bytes of data, which count 0, 1, 2... */
  static byte[] safetensors(String header, int data) {
    return safetensors(header.getBytes(StandardCharsets.UTF_8), data);
  }

  static byte[] safetensors(byte[] header, int data) {
    ByteBuffer file = ByteBuffer.allocate(8 + header.length + data).order(ByteOrder.LITTLE_ENDIAN);
    file.putLong(header.length).put(header);
    for (int i = 0; i < data; i++) {
      file.put((byte) i);
    }
    return file.array();
  }

  /** An npy file of version 1 with this dict and as many bytes of data. */
  static byte[] npy(String dict, int data) {
    byte[] text = dict.getBytes(StandardCharsets.ISO_8859_1);
    ByteBuffer file = ByteBuffer.allocate(10 + text.length + data).order(ByteOrder.LITTLE_ENDIAN);
    file.put((byte) 0x93)
        .put("NUMPY".getBytes(StandardCharsets.US_ASCII))
        .put((byte) 1)
        .put((byte) 0);
    return file.putShort((short) text.length).put(text).array();
  }

  static MemorySegment segment(byte[] bytes) {
    return MemorySegment.ofArray(bytes);
  }

  /** Opens it and checks every tensor's description, as far as that goes without memory for the elements. */
  static void openSafetensors(byte[] bytes) throws IOException {
    try (Safetensors file = Safetensors.of("f.safetensors", segment(bytes))) {
      for (String name : file.names()) {
        file.info(name);
      }
    }
  }
}
