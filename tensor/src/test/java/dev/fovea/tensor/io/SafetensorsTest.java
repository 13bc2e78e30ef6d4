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
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsTest {
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

  @Test
  void readsAFileOfTheReferenceImplementation() throws IOException {
    try (TensorFile file = TensorFile.open(TestFiles.golden(folder, "fewshot.safetensors"))) {
      assertFalse(file.names().isEmpty());
      for (String name : file.names()) {
        TensorInfo info = file.info(name);
        Tensor tensor = file.load(name);
        assertEquals(info.shape(), tensor.shape());
        assertEquals(info.type().dtype().orElseThrow(), tensor.dtype());
      }
    }
  }

  @Test
  void givesBackWhatWasWritten() throws IOException {
    Path path = folder.resolve("all.safetensors");
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    tensors.put("bytes", Tensor.of(new byte[] {0, 1, -1}, 3));
    tensors.put("floats", Tensor.of(new float[] {1, -2, Float.NaN, 0.1f}, 2, 2));
    tensors.put("ints", Tensor.of(new int[] {Integer.MIN_VALUE, 7}, 2));
    tensors.put("longs", Tensor.of(new long[] {Long.MIN_VALUE, 7}, 1, 2));
    tensors.put("scalar", Tensor.scalar(3));
    tensors.put("empty", Tensor.zeros(Shape.of(3, 0, 2), DType.F32));
    tensors.put("halves", floats(DType.F16, 1, 2, 3));
    tensors.put("brains \"\u00e9\ud83d\ude00\n", floats(DType.BF16, 1, 2, 3));
    Safetensors.write(path, tensors, Map.of("format", "pt", "note", "\u00fc"));
    try (Safetensors file = Safetensors.open(path)) {
      assertEquals(Map.of("format", "pt", "note", "\u00fc"), file.metadata());
      assertEquals(tensors.keySet(), new HashSet<>(file.names()));
      for (String name : file.names()) {
        Tensor expected = tensors.get(name);
        for (Tensor tensor : List.of(file.load(name), file.wrap(name))) {
          assertEquals(expected.shape(), tensor.shape(), name);
          assertEquals(expected.dtype(), tensor.dtype(), name);
          assertArrayEquals(expected.toFloats(), tensor.toFloats(), name);
        }
        assertEquals(-1, expected.segment().mismatch(file.segment(name)), name);
        assertTrue(file.segment(name).isReadOnly());
      }
    }
    assertEquals(List.of("all.safetensors"), names());
  }

  @Test
  void writesTheBytesOfTheReferenceImplementation() throws IOException {
    Path path = folder.resolve("b.safetensors");
    Map<String, Tensor> tensors = Map.of(
        "b", Tensor.of(new byte[] {5}, 1), "c", Tensor.of(new float[] {1}, 1), "a", Tensor.of(new float[] {2}, 1));
    Safetensors.write(path, tensors);
    String header = "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
        + "\"c\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]},"
        + "\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[8,9]}}";
    byte[] expected = TestFiles.safetensors(header + " ".repeat(-header.length() & 7), 9);
    System.arraycopy(new byte[] {0, 0, 0, 0x40, 0, 0, (byte) 0x80, 0x3f, 5}, 0, expected, expected.length - 9, 9);
    assertArrayEquals(expected, Files.readAllBytes(path));
  }

  @Test
  void writesEqualBytesWhateverTheOrderOfTheMaps() throws IOException {
    Map<String, Tensor> forward = new LinkedHashMap<>();
    Map<String, Tensor> backward = new LinkedHashMap<>();
    Map<String, String> notes = new LinkedHashMap<>();
    Map<String, String> backwardNotes = new LinkedHashMap<>();
    for (int i = 0; i < 20; i++) {
      forward.put("t" + i, floats(i % 2 == 0 ? DType.F32 : DType.BF16, i));
      backward.put("t" + (19 - i), floats(i % 2 == 1 ? DType.F32 : DType.BF16, 19 - i));
      notes.put("n" + i, "" + i);
      backwardNotes.put("n" + (19 - i), "" + (19 - i));
    }
    Safetensors.write(folder.resolve("1"), forward, notes);
    Safetensors.write(folder.resolve("2"), backward, backwardNotes);
    assertEquals(-1, Files.mismatch(folder.resolve("1"), folder.resolve("2")));
  }

  @Test
  void listsTensorsInTheOrderOfTheirData() throws IOException {
    byte[] bytes = TestFiles.safetensors(
        "{\"z\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3]},\"later\":{\"extra\":[{}],\"dtype\":\"I8\","
            + "\"shape\":[1],\"data_offsets\":[0,1]}} \n",
        3);
    try (Safetensors file = Safetensors.of("f", TestFiles.segment(bytes))) {
      assertEquals(List.of("later", "z"), file.names());
      assertArrayEquals(new float[] {1, 2}, file.load("z").toFloats());
      assertEquals(Map.of(), file.metadata());
    }
  }

  @Test
  void convertsAndRefuses() throws IOException {
    byte[] bytes = TestFiles.safetensors(
        "{\"d\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]},"
            + "\"u\":{\"dtype\":\"U64\",\"shape\":[1],\"data_offsets\":[8,16]},"
            + "\"f8\":{\"dtype\":\"F8_E4M3\",\"shape\":[2],\"data_offsets\":[16,18]},"
            + "\"f4\":{\"dtype\":\"F4\",\"shape\":[2],\"data_offsets\":[18,19]},"
            + "\"b\":{\"dtype\":\"BOOL\",\"shape\":[2],\"data_offsets\":[19,21]},"
            + "\"i\":{\"dtype\":\"I16\",\"shape\":[1],\"data_offsets\":[21,23]}}",
        23);
    MemorySegment.ofArray(bytes).asSlice(bytes.length - 23).set(ValueLayout.JAVA_DOUBLE_UNALIGNED, 0, 1e300);
    try (Safetensors file = Safetensors.of("f", TestFiles.segment(bytes))) {
      assertEquals(DType.F32, file.load("d").dtype());
      assertEquals(Double.POSITIVE_INFINITY, file.load("d").item());
      assertEquals(1e300, file.load("d", DType.F64).segment().get(ValueLayout.JAVA_DOUBLE, 0));
      assertArrayEquals(new long[] {1, 1}, file.load("b").toLongs());
      assertArrayEquals(new long[] {1, 1}, file.load("b", DType.I32).toLongs());
      assertEquals(22 << 8 | 21, file.load("i").item());
      assertEquals(22 << 8 | 21, file.load("i", DType.I64).item());
      assertEquals(new TensorInfo("f4", StoredType.F4, Shape.of(2)), file.info("f4"));
      assertEquals(2, file.segment("f8").byteSize());
      for (String refused : List.of("u", "f8", "f4")) {
        assertMessage("got type", () -> file.load(refused));
        assertMessage("does not load", () -> file.load(refused, DType.F32));
      }
      assertMessage("stored as F64: got target I64, expected one such as F32", () -> file.load("d", DType.I64));
      assertMessage("stored as I16: got target U8", () -> file.load("i", DType.U8));
      assertMessage("cannot be used where it lies", () -> file.wrap("d"));
      assertMessage("got 4 bytes, expected 8", () -> file.copyTo("d", DType.F64, MemorySegment.ofArray(new byte[4])));
      String missing =
          assertThrows(NoSuchElementException.class, () -> file.load("x")).getMessage();
      assertEquals("no tensor \"x\" in f with 6 tensors", missing);
    }
  }

  private static void assertMessage(String part, Executable call) {
    String message = assertThrows(IllegalArgumentException.class, call).getMessage();
    assertTrue(message.contains(part), message);
  }

  @Test
  void endsWithItsFile() throws IOException {
    Path path = folder.resolve("f.safetensors");
    Safetensors.write(path, Map.of("a", Tensor.of(new float[] {1, 2}, 2)));
    Safetensors file = Safetensors.open(path);
    Tensor wrapped = file.wrap("a");
    Tensor loaded = file.load("a");
    assertTrue(wrapped.isReadOnly());
    file.close();
    assertArrayEquals(new float[] {1, 2}, loaded.toFloats());
    assertThrows(IllegalStateException.class, wrapped::toFloats);
    assertThrows(IllegalStateException.class, () -> file.load("a"));
  }

  @Test
  void loadsWhatIsNotAligned() throws IOException {
    byte[] bytes = TestFiles.safetensors("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}} ", 4);
    assertTrue(bytes.length % 4 != 0);
    Path path = Files.write(folder.resolve("f.safetensors"), bytes);
    try (Safetensors file = Safetensors.open(path)) {
      assertArrayEquals(
          new float[] {Float.intBitsToFloat(0x03020100)}, file.load("a").toFloats());
      assertMessage("got data not aligned to 4 bytes; load it instead", () -> file.wrap("a"));
    }
  }

  @Test
  void isReadByManyThreads() throws IOException {
    Path path = folder.resolve("f.safetensors");
    float[] values = new float[100_000];
    for (int i = 0; i < values.length; i++) {
      values[i] = i;
    }
    Safetensors.write(path, Map.of("a", Tensor.of(values, values.length)));
    try (Safetensors file = Safetensors.open(path)) {
      IntStream.range(0, 8).parallel().forEach(i -> {
        MemorySegment target = MemorySegment.ofArray(new float[values.length]);
        file.copyTo("a", DType.F32, target);
        assertEquals(-1, target.mismatch(MemorySegment.ofArray(values)));
      });
    }
  }

  @Test
  void reportsFilesThatAreNotThere() throws IOException {
    assertThrows(NoSuchFileException.class, () -> Safetensors.open(folder.resolve("none")));
    assertThrows(IOException.class, () -> Safetensors.open(folder));
    assertThrows(IllegalArgumentException.class, () -> TensorFile.open(folder.resolve("model.bin")));
    Files.createFile(folder.resolve("empty.safetensors"));
    assertThrows(MalformedFileException.class, () -> TensorFile.open(folder.resolve("empty.safetensors")));
  }

  @Test
  void refusesNamesThatCannotBeRead() {
    Tensor tensor = Tensor.scalar(1);
    Path path = folder.resolve("f");
    assertThrows(IllegalArgumentException.class, () -> Safetensors.write(path, Map.of("__metadata__", tensor)));
    assertThrows(IllegalArgumentException.class, () -> Safetensors.write(path, Map.of("\ud800", tensor)));
    assertThrows(
        IllegalArgumentException.class, () -> Safetensors.write(path, Map.of("a", tensor), Map.of("k", "\udc00")));
    assertEquals(List.of(), names());
  }

  @Test
  void seesShardsAsOneFile() throws IOException {
    Map<String, Tensor> second = new HashMap<>();
    second.put("b", Tensor.of(new float[] {3, 4}, 2));
    second.put("unlisted", Tensor.scalar(0));
    Safetensors.write(folder.resolve("m-1.safetensors"), Map.of("a", Tensor.scalar(1)), Map.of("format", "pt"));
    Safetensors.write(folder.resolve("m-2.safetensors"), second, Map.of("format", "np", "x", "y"));
    Path index = folder.resolve("m.safetensors.index.json");
    Files.writeString(
        index,
        "{\"metadata\":{\"total_size\":12},\"weight_map\":{\"a\":\"m-1.safetensors\"," + "\"b\":\"m-2.safetensors\"}}");
    try (ShardedSafetensors file = (ShardedSafetensors) TensorFile.open(index)) {
      assertEquals(List.of("a", "b"), file.names());
      assertEquals(Map.of("format", "pt", "x", "y"), file.metadata());
      assertArrayEquals(new float[] {3, 4}, file.load("b", DType.BF16).toFloats());
      assertArrayEquals(new float[] {3, 4}, file.wrap("b").toFloats());
      assertEquals(8, file.segment("b").byteSize());
      assertEquals(Shape.of(2), file.info("b").shape());
      assertThrows(NoSuchElementException.class, () -> file.load("unlisted"));
    }
  }

  @Test
  void refusesIndexesThatLeaveTheFolder() throws IOException {
    Safetensors.write(folder.resolve("m.safetensors"), Map.of("a", Tensor.scalar(1)));
    for (String shard : List.of(
        "../m.safetensors",
        "/m.safetensors",
        "..",
        ".",
        "",
        "x/../m.safetensors",
        "C:m.safetensors",
        "..\\\\m.safetensors",
        "m.safetensors\\u0000")) {
      assertIndexRefused("{\"weight_map\":{\"a\":\"" + shard + "\"}}", "plain name");
    }
    assertIndexRefused("{\"weight_map\":{\"b\":\"m.safetensors\"}}", "expected a file that holds this tensor");
    assertIndexRefused("{}", "expected a weight_map");
    assertIndexRefused("[]", "expected an object");
    assertIndexRefused("{\"weight_map\":{\"a\":1}}", "expected a string");
    assertIndexRefused("", "expected more text");
    assertThrows(NoSuchFileException.class, () -> openIndex("{\"weight_map\":{\"a\":\"none.safetensors\"}}"));
  }

  private void assertIndexRefused(String json, String part) {
    String message =
        assertThrows(MalformedFileException.class, () -> openIndex(json)).getMessage();
    assertTrue(message.contains(part), message);
  }

  private void openIndex(String json) throws IOException {
    Path index = Files.write(folder.resolve("i.json"), json.getBytes(StandardCharsets.UTF_8));
    ShardedSafetensors.open(index).close();
  }

  private static Tensor floats(DType dtype, float... values) {
    return Tensor.empty(Shape.of(values.length), dtype).copyFrom(values);
  }

  private List<String> names() {
    return Arrays.stream(folder.toFile().list()).sorted().toList();
  }
}
