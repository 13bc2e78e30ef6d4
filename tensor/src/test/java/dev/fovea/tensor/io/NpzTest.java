package dev.fovea.tensor.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.Device;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.SequencedMap;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Npy and npz: files of numpy 2.4 read, files of ours read back. */
class NpzTest {
  private static final float[] HALVES = {-2.5f, -1.5f, -0.5f, 0.5f, 1.5f, 2.5f};

  @TempDir
  Path folder;

  private final long before = Device.cpu().memory().current();
  private Scope scope;

  @BeforeEach
  void open() {
    scope = Scope.open();
  }

  @AfterEach
  void close() {
    scope.close();
    assertEquals(before, Device.cpu().memory().current());
  }

  @ParameterizedTest
  @CsvSource({"f2,F16", "f4,F32", "f8,F32", "bf16,BF16"})
  void readsNumpysFloats(String name, DType dtype) throws IOException {
    try (TensorFile file = TensorFile.open(TestFiles.golden(folder, "types.npz"))) {
      Tensor tensor = file.load(name);
      assertEquals(dtype, tensor.dtype());
      assertEquals(Shape.of(2, 3), tensor.shape());
      assertArrayEquals(HALVES, tensor.toFloats());
      for (DType other : List.of(DType.F32, DType.BF16, DType.F16, DType.F64)) {
        assertEquals(other, file.load(name, other).dtype());
      }
      assertArrayEquals(HALVES, file.load(name, DType.BF16).toFloats());
      assertThrows(IllegalArgumentException.class, () -> file.load(name, DType.I32));
    }
  }

  @ParameterizedTest
  @CsvSource({"i1,I32,-3", "i2,I32,-3", "i4,I32,-3", "i8,I64,-3", "u1,U8,0", "u2,I32,65530", "u4,I64,4294967290"})
  void readsNumpysIntegers(String name, DType dtype, long first) throws IOException {
    try (TensorFile file = TensorFile.open(TestFiles.golden(folder, "types.npz"))) {
      Tensor tensor = file.load(name);
      assertEquals(dtype, tensor.dtype());
      assertArrayEquals(new long[] {first, first + 1, first + 2, first + 3, first + 4, first + 5}, tensor.toLongs());
      assertEquals(DType.I64, file.load(name, DType.I64).dtype());
      assertThrows(IllegalArgumentException.class, () -> file.load(name, DType.F32));
    }
  }

  @Test
  void readsNumpysOddShapes() throws IOException {
    try (Npz file = Npz.open(TestFiles.golden(folder, "types.npz"))) {
      assertEquals(15, file.names().size());
      assertEquals(Shape.scalar(), file.load("scalar").shape());
      assertEquals(7.5, file.load("scalar").item());
      assertEquals(Shape.of(0, 4), file.load("empty").shape());
      assertArrayEquals(new float[] {0, 1, 2}, file.load("vector").toFloats());
      assertArrayEquals(new long[] {0, 1, 0, 1, 0, 1}, file.load("b1").toLongs());
      assertEquals(new TensorInfo("b1", StoredType.BOOL, Shape.of(2, 3)), file.info("b1"));
      assertEquals(Map.of(), file.metadata());
      assertThrows(NoSuchElementException.class, () -> file.load("none"));
    }
  }

  @Test
  void readsCompressedAndColumnMajor() throws IOException {
    try (Npz file = Npz.open(TestFiles.golden(folder, "compressed.npz"))) {
      assertArrayEquals(HALVES, file.load("params/a/kernel").toFloats());
      assertArrayEquals(HALVES, file.load("big_endian").toFloats());
      assertArrayEquals(HALVES, file.load("big_endian", DType.BF16).toFloats());
      assertArrayEquals(new float[2000], file.load("zeros").toFloats());
      Tensor cube = file.load("cube");
      assertEquals(Shape.of(2, 3, 4), cube.shape());
      for (int i = 0; i < 24; i++) {
        assertEquals(i, cube.toLongs()[i]);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"streamed.npz", "zip64.npz"})
  void readsOtherKindsOfZip(String name) throws IOException {
    try (TensorFile file = TensorFile.open(TestFiles.golden(folder, name))) {
      assertEquals(List.of("a"), file.names());
      assertArrayEquals(HALVES, file.load("a").toFloats());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"version1.npy", "version2.npy", "version3.npy"})
  void readsAllVersions(String name) throws IOException {
    Tensor tensor = Npy.load(TestFiles.golden(folder, name));
    assertEquals(Shape.of(2, 3), tensor.shape());
    assertArrayEquals(HALVES, tensor.toFloats());
  }

  @Test
  void readsColumnMajor() throws IOException {
    Tensor tensor = Npy.load(TestFiles.golden(folder, "fortran.npy"), DType.F16);
    for (int i = 0; i < 24; i++) {
      assertEquals(i, tensor.toFloats()[i]);
    }
  }

  @Test
  void givesBackWhatWasWritten() throws IOException {
    SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
    tensors.put("params/\u00fc/kernel", Tensor.of(HALVES, 3, 2));
    tensors.put("bf16", Tensor.empty(Shape.of(6), DType.BF16).copyFrom(HALVES));
    tensors.put("f16", Tensor.empty(Shape.of(1, 6), DType.F16).copyFrom(HALVES));
    tensors.put("i64", Tensor.of(new long[] {Long.MIN_VALUE}, 1, 1, 1));
    tensors.put("u8", Tensor.of(new byte[] {-1}, 1));
    tensors.put("scalar", Tensor.scalar(2));
    tensors.put("empty", Tensor.zeros(Shape.of(0), DType.I32));
    Path path = folder.resolve("w.npz");
    Npz.write(path, tensors);
    try (Npz file = Npz.open(path)) {
      assertEquals(List.copyOf(tensors.keySet()), file.names());
      for (String name : file.names()) {
        assertEquals(tensors.get(name).shape(), file.load(name).shape(), name);
        assertEquals(tensors.get(name).dtype(), file.load(name).dtype(), name);
        assertEquals(-1, tensors.get(name).segment().mismatch(file.load(name).segment()), name);
      }
    }
    try (ZipFile zip = new ZipFile(path.toFile())) {
      assertEquals(tensors.size(), zip.size());
    }
    Path again = folder.resolve("again.npz");
    Npz.write(again, tensors);
    assertEquals(-1, Files.mismatch(path, again));
  }

  @Test
  void writesNumpysBytes() throws IOException {
    Path path = folder.resolve("w.npy");
    Npy.write(path, Tensor.of(HALVES, 2, 3));
    assertArrayEquals(TestFiles.golden("version1.npy"), Files.readAllBytes(path));
    Npy.write(path, Tensor.of(HALVES, 6));
    assertEquals(Shape.of(6), Npy.load(path).shape());
  }

  @Test
  void refusesNamesThatLeaveTheFolder() {
    for (String name : List.of("../a", "a/../b", "/a", "C:a", "a\\b", "a\0b")) {
      SequencedMap<String, Tensor> tensors = new LinkedHashMap<>(Map.of(name, Tensor.scalar(1)));
      assertThrows(IllegalArgumentException.class, () -> Npz.write(folder.resolve("f"), tensors), name);
      MalformedFileException e = assertThrows(
          MalformedFileException.class,
          () ->
              Npz.of("f", TestFiles.segment(zip(ZipEntry.DEFLATED, name + ".npy", TestFiles.golden("version1.npy")))));
      assertTrue(e.getMessage().contains("relative path"), e.getMessage());
    }
  }

  static byte[] zip(int method, String name, byte[] content) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      ZipEntry entry = new ZipEntry(name);
      entry.setMethod(method);
      if (method == ZipEntry.STORED) {
        CRC32 crc = new CRC32();
        crc.update(content);
        entry.setSize(content.length);
        entry.setCrc(crc.getValue());
      }
      zip.putNextEntry(entry);
      zip.write(content);
      zip.closeEntry();
    }
    return bytes.toByteArray();
  }

  @Test
  void aFailedLoadKeepsNoMemory() throws IOException {
    byte[] bytes = zip(ZipEntry.STORED, "a.npy", TestFiles.golden("version1.npy"));
    bytes[30 + 5 + 130]++;
    try (Npz file = Npz.of("f", TestFiles.segment(bytes))) {
      assertThrows(MalformedFileException.class, () -> file.load("a"));
    }
    assertEquals(before, Device.cpu().memory().current());
  }

  @Test
  void passesOverOtherFiles() throws IOException {
    Npz file = Npz.of("f", TestFiles.segment(zip(ZipEntry.DEFLATED, "readme.txt", new byte[] {1, 2})));
    assertEquals(List.of(), file.names());
    assertFalse(file.toString().isEmpty());
  }
}
