package dev.fovea.tensor.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.fovea.kernels.DType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/**
 * A hundred thousand damaged files, the same ones every time: each is either read, with every tensor inside the file,
 * or refused as malformed; quickly, and without memory that its length does not justify.
 */
class FuzzTest {
  /** What reading a file of a few kilobytes may take from the heap. */
  private static final long MAX_ALLOCATED = 8 << 20;

  private static final long MAX_NANOS = 5_000_000_000L;

  private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private interface Reader {
    void read(byte[] file) throws IOException;
  }

  @Test
  void safetensors() {
    byte[] many = TestFiles.safetensors(
        "{\"__metadata__\":{\"format\":\"pt\"},\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},"
            + "\"b\":{\"dtype\":\"BF16\",\"shape\":[4],\"data_offsets\":[24,32]},"
            + "\"c\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[32,40]},"
            + "\"d\":{\"dtype\":\"U8\",\"shape\":[0,8],\"data_offsets\":[40,40]},"
            + "\"e\":{\"dtype\":\"F4\",\"shape\":[2,2],\"data_offsets\":[40,42]}}  ",
        42);
    byte[] one = TestFiles.safetensors("{\"x\":{\"dtype\":\"F64\",\"shape\":[1,1],\"data_offsets\":[0,8]}}", 8);
    fuzz(40_000, 1, List.of(many, one, TestFiles.safetensors("{}", 0)), FuzzTest::readSafetensors);
  }

  @Test
  void npy() {
    List<byte[]> seeds = List.of(
        TestFiles.golden("version1.npy"),
        TestFiles.golden("version2.npy"),
        TestFiles.golden("version3.npy"),
        TestFiles.golden("fortran.npy"),
        TestFiles.npy("{'descr': '>i2', 'fortran_order': True, 'shape': (3, 2), }\n", 12),
        TestFiles.npy("{'descr': '|V2', 'fortran_order': False, 'shape': (), }\n", 2));
    fuzz(30_000, 2, seeds, FuzzTest::readNpy);
  }

  @Test
  void npz() throws IOException {
    List<byte[]> seeds = List.of(
        TestFiles.golden("types.npz"),
        TestFiles.golden("compressed.npz"),
        TestFiles.golden("streamed.npz"),
        TestFiles.golden("streamed.npz"),
        TestFiles.golden("zip64.npz"),
        TestFiles.golden("zip64.npz"),
        NpzTest.zip(0, "a.npy", TestFiles.golden("version1.npy")));
    fuzz(30_000, 3, seeds, FuzzTest::readNpz);
  }

  private void fuzz(int times, long seed, List<byte[]> seeds, Reader reader) {
    Mutator mutator = new Mutator(seed);
    int read = 0;
    for (int i = 0; i < times; i++) {
      byte[] seedFile = seeds.get(mutator.below(seeds.size()));
      byte[] file = repaired(mutator, seedFile, mutator.mutate(seedFile));
      long allocated = threads.getCurrentThreadAllocatedBytes();
      long start = System.nanoTime();
      try {
        reader.read(file);
        read++;
      } catch (MalformedFileException e) {
        assertEquals("f", e.file());
      } catch (Throwable e) {
        throw new AssertionError("seed " + seed + ", file " + i, e);
      }
      long nanos = System.nanoTime() - start;
      allocated = threads.getCurrentThreadAllocatedBytes() - allocated;
      assertTrue(allocated < MAX_ALLOCATED, "seed " + seed + ", file " + i + ": allocated " + allocated);
      assertTrue(nanos < MAX_NANOS, "seed " + seed + ", file " + i + ": took ns " + nanos);
    }
    assertTrue(read > times / 100 && read < times * 3 / 4, "read " + read + " of " + times);
  }

  /** Makes the header's length fit again, half of the time, so that changes inside the header are seen. */
  private static byte[] repaired(Mutator mutator, byte[] seed, byte[] file) {
    ByteBuffer buffer = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    int grown = file.length - seed.length;
    if (file.length >= 10 && mutator.below(2) == 0) {
      if (file[8] == '{') {
        buffer.putLong(0, ByteBuffer.wrap(seed).order(ByteOrder.LITTLE_ENDIAN).getLong(0) + grown);
      } else if (file[0] == (byte) 0x93 && file[6] == 1) {
        int length = ByteBuffer.wrap(seed).order(ByteOrder.LITTLE_ENDIAN).getShort(8);
        buffer.putShort(8, (short) (length + grown));
      }
    }
    return file;
  }

  private static void readSafetensors(byte[] bytes) throws IOException {
    Safetensors file = Safetensors.of("f", TestFiles.segment(bytes));
    long data = 0;
    for (String name : file.names()) {
      TensorInfo info = file.info(name);
      assertEquals(info.storedBytes(), file.segment(name).byteSize());
      assertTrue(info.storedBytes() <= bytes.length - 10);
      data += info.storedBytes();
      copy(file, info);
    }
    long header = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
    assertEquals(bytes.length, 8 + header + data);
  }

  private static void readNpy(byte[] bytes) throws IOException {
    TensorInfo info = Npy.info("f", TestFiles.segment(bytes));
    assertTrue(info.storedBytes() < bytes.length);
    Optional<DType> dtype = info.type().dtype();
    if (dtype.isPresent()) {
      Npy.copyTo("f", TestFiles.segment(bytes), dtype.get(), target(info, dtype.get()));
    }
  }

  private static void readNpz(byte[] bytes) throws IOException {
    Npz file = Npz.of("f", TestFiles.segment(bytes));
    for (String name : file.names()) {
      TensorInfo info = file.info(name);
      assertTrue(info.storedBytes() < 1033L * bytes.length);
      copy(file, info);
    }
  }

  private static void copy(TensorFile file, TensorInfo info) throws IOException {
    Optional<DType> dtype = info.type().dtype();
    if (dtype.isPresent()) {
      file.copyTo(info.name(), dtype.get(), target(info, dtype.get()));
    }
  }

  private static MemorySegment target(TensorInfo info, DType dtype) {
    return MemorySegment.ofArray(new byte[Math.toIntExact(info.shape().count() * dtype.bytes())]);
  }
}
