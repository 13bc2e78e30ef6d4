package dev.fovea.tensor.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Collections;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Npy and npz files made to break a reader. */
class NpzHostileTest {
  private static final int CENTRAL = 0x02014b50;
  private static final int END = 0x06054b50;

  private static String refusedNpy(byte[] file) {
    MalformedFileException e =
        assertThrows(MalformedFileException.class, () -> Npy.info("f.npy", TestFiles.segment(file)));
    assertTrue(e.getMessage().startsWith("f.npy: "), e.getMessage());
    return e.getMessage();
  }

  private static void refusedNpz(byte[] file, String part) {
    MalformedFileException e = assertThrows(MalformedFileException.class, () -> readAll(file));
    assertTrue(e.getMessage().startsWith("f.npz: "), e.getMessage());
    assertTrue(e.getMessage().contains(part), e.getMessage());
  }

  private static void readAll(byte[] bytes) throws IOException {
    Npz file = Npz.of("f.npz", TestFiles.segment(bytes));
    for (String name : file.names()) {
      TensorInfo info = file.info(name);
      MemorySegment target = MemorySegment.ofArray(
          new byte
              [(int) info.shape().count() * info.type().dtype().orElseThrow().bytes()]);
      file.copyTo(name, info.type().dtype().orElseThrow(), target);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "{",
        "{}",
        "{'descr': '<f4'}",
        "[]",
        "__import__('os').system('x')",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': [1,]}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1 1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1.0,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}\0",
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}",
        "{'descr': '|f4', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': 'f4', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '|O', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<U1', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '|V4', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '>V2', 'fortran_order': False, 'shape': (2,)}",
        "{'descr': '<M8[ns]', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '\\x3cf4', 'fortran_order': False, 'shape': (1,)}",
      })
  void dicts(String dict) {
    refusedNpy(TestFiles.npy(dict, 4));
  }

  @Test
  void dictsThatAreFine() throws IOException {
    for (String dict : new String[] {
      "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}",
      "{\"shape\":(1L,),\"fortran_order\":True,\"descr\":\">f4\"}\n",
      " { 'descr' : '<i4' , 'fortran_order' : False , 'shape' : ( 1 , 1 ) , } \n"
    }) {
      assertEquals(
          1, Npy.info("f", TestFiles.segment(TestFiles.npy(dict, 4))).shape().count());
    }
  }

  @Test
  void everyTruncationOfNpy() {
    byte[] whole = TestFiles.golden("version2.npy");
    for (int length = 0; length < whole.length; length++) {
      refusedNpy(Arrays.copyOf(whole, length));
    }
    assertEquals(
        "f.npy: tensor \"f.npy\": bytes of F32[2, 3]: got 25, expected 24",
        refusedNpy(Arrays.copyOf(whole, whole.length + 1)));
  }

  @Test
  void npyVersionsAndLengths() {
    byte[] file = TestFiles.golden("version2.npy");
    file[6] = 4;
    assertTrue(refusedNpy(file).contains("version: got 4.0, expected 1.0, 2.0 or 3.0"));
    file[6] = 2;
    ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).putInt(8, -1);
    assertTrue(refusedNpy(file).contains("header length: got 4294967295, expected at most"));
    byte[] large = Arrays.copyOf(file, 3 << 20);
    ByteBuffer.wrap(large).order(ByteOrder.LITTLE_ENDIAN).putInt(8, 2 << 20);
    assertTrue(refusedNpy(large).contains("at most 1048576"));
    String sizes = String.join(", ", Collections.nCopies(65, "1"));
    refusedNpy(TestFiles.npy("{'descr': '<f4', 'fortran_order': False, 'shape': (" + sizes + ")}", 4));
  }

  @ParameterizedTest
  @ValueSource(strings = {"types.npz", "compressed.npz", "streamed.npz", "zip64.npz"})
  void everyTruncationOfNpz(String name) {
    byte[] whole = TestFiles.golden(name);
    for (int length = 0; length < whole.length; length += 1 + whole.length / 200) {
      refusedNpz(Arrays.copyOf(whole, length), "end of the zip directory");
    }
    refusedNpz(Arrays.copyOf(whole, whole.length + 1), "end of the zip directory");
    byte[] shifted = new byte[whole.length + 1];
    System.arraycopy(whole, 0, shifted, 1, whole.length);
    refusedNpz(shifted, "got");
  }

  /** Changes bytes of the only entry's central header. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "8 | 2 | 1 | encrypted",
        "10 | 2 | 12 | compression method: got 12",
        "16 | 4 | 7 | CRC-32",
        "20 | 4 | 1 | of zip entry: got 152, expected 1",
        "20 | 4 | 2147483647 | bytes of zip entry: got 2147483647, expected at most 152",
        "20 | 4 | -1 | bytes of zip entry: got 4294967295",
        "24 | 4 | 151 | expanded bytes of zip entry: got 151, expected 152, as stored",
        "28 | 2 | 4 | local header",
        "28 | 2 | 65535 | end of zip directory entry 0",
        "30 | 2 | 4 | end of zip directory entry 0",
        "42 | 4 | 1 | offset of zip entry: got 1",
        "42 | 4 | 2147483647 | offset of zip entry: got 2147483647",
        "46 | 1 | 98 | another name",
        "46 | 1 | 233 | ASCII",
      })
  void centralHeaders(int at, int bytes, int value, String part) throws IOException {
    byte[] file = NpzTest.zip(ZipEntry.STORED, "a.npy", TestFiles.golden("version1.npy"));
    byte[] ours = asciiFlagged(file);
    put(ours, find(ours, CENTRAL) + at, bytes, value);
    refusedNpz(ours, part);
  }

  /** Changes bytes of the end record. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "4 | 2 | 1 | zip disks",
        "10 | 2 | 2 | zip entries: got 2, expected at most 1",
        "10 | 2 | 0 | end of the last zip directory entry",
        "12 | 4 | 0 | zip directory offset and length",
        "12 | 4 | -1 | zip directory offset and length",
        "16 | 4 | 0 | zip directory offset and length",
        "16 | 4 | -1 | zip directory offset and length",
        "20 | 2 | 1 | end of the zip directory",
      })
  void endRecords(int at, int bytes, int value, String part) throws IOException {
    byte[] file = NpzTest.zip(ZipEntry.STORED, "a.npy", TestFiles.golden("version1.npy"));
    put(file, find(file, END) + at, bytes, value);
    refusedNpz(file, part);
  }

  private static byte[] asciiFlagged(byte[] file) {
    int central = find(file, CENTRAL);
    file[central + 9] = 0;
    return file;
  }

  private static void put(byte[] file, int at, int bytes, int value) {
    for (int i = 0; i < bytes; i++) {
      file[at + i] = (byte) (value >> 8 * i);
    }
  }

  private static int find(byte[] file, int signature) {
    ByteBuffer buffer = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    int at = file.length - 4;
    while (buffer.getInt(at) != signature) {
      at--;
    }
    return at;
  }

  @Test
  void entriesThatShareBytes() throws IOException {
    byte[] two = twoEntries("a.npy", "b.npy");
    int second = find(two, CENTRAL);
    put(two, second + 42, 4, 0); // both at the first
    put(two, second + 46, 1, 'a');
    refusedNpz(two, "no overlap");
  }

  @Test
  void entriesOfOneName() throws IOException {
    byte[] two = twoEntries("a.npy", "b.npy");
    int second = find(two, CENTRAL);
    ByteBuffer buffer = ByteBuffer.wrap(two).order(ByteOrder.LITTLE_ENDIAN);
    two[second + 46] = 'a';
    two[buffer.getInt(second + 42) + 30] = 'a';
    refusedNpz(two, "zip entries of this name: got several");
  }

  private static byte[] twoEntries(String... names) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      for (String name : names) {
        zip.putNextEntry(new ZipEntry(name));
        zip.write(TestFiles.golden("version1.npy"));
      }
    }
    return bytes.toByteArray();
  }

  @Test
  void bombs() throws IOException {
    byte[] zip = NpzTest.zip(
        ZipEntry.DEFLATED,
        "a.npy",
        TestFiles.npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2000000000,)}", 1000));
    int central = find(zip, CENTRAL);
    put(zip, central + 24, 4, 2_000_000_074);
    refusedNpz(zip, "expanded bytes of zip entry: got 2000000074, expected at most 1032 times");
    byte[] real = NpzTest.zip(
        ZipEntry.DEFLATED, "a.npy", TestFiles.npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1000,)}", 1000));
    for (int size : new int[] {0, 9, 40, 1000, 1067, 1069, 1070, 5000}) {
      put(real, find(real, CENTRAL) + 24, 4, size);
      refusedNpz(real, "");
    }
  }

  @Test
  void damagedData() throws IOException {
    byte[] content = TestFiles.golden("version1.npy");
    byte[] stored = NpzTest.zip(ZipEntry.STORED, "a.npy", content);
    stored[30 + 5 + 130]++;
    refusedNpz(stored, "CRC-32");
    byte[] deflated = NpzTest.zip(ZipEntry.DEFLATED, "a.npy", content);
    deflated[30 + 5] = 7;
    refusedNpz(deflated, "compressed data");
  }

  @Test
  void deflateStreamsThatEndElsewhere() throws IOException {
    byte[] content = {1, 2, 3, 4, 5, 6, 7, 8};
    Deflater deflater = new Deflater(9, true);
    deflater.setInput(content);
    deflater.finish();
    byte[] room = new byte[100];
    int length = deflater.deflate(room);
    byte[] stream = Arrays.copyOf(room, length);
    deflater.end();
    assertEquals(8, expand(stream, content, 8).length);
    byte[] longer = Arrays.copyOf(stream, stream.length + 1);
    assertThrows(MalformedFileException.class, () -> expand(longer, content, 8));
    assertThrows(MalformedFileException.class, () -> expand(stream, content, 7));
    assertThrows(MalformedFileException.class, () -> expand(stream, content, 9));
  }

  /** Expands an entry that claims {@code size} bytes and has the CRC of as many of {@code content}. */
  private static byte[] expand(byte[] stream, byte[] content, int size) throws IOException {
    CRC32 crc = new CRC32();
    crc.update(content, 0, Math.min(size, content.length));
    ZipDirectory.Entry entry =
        new ZipDirectory.Entry("a.npy", true, TestFiles.segment(stream), size, (int) crc.getValue(), 0);
    try (ZipEntryStream in = new ZipEntryStream("f.npz", entry)) {
      return in.readAllBytes();
    }
  }
}
