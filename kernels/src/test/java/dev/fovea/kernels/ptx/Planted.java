package dev.fovea.kernels.ptx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.kernels.cuda.CudaException;
import dev.fovea.kernels.cuda.Launch;
import dev.fovea.kernels.cuda.TensorMap;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Runs a few instructions of Hopper as a kernel of one block. Its text finds: {@code %in, %out} (addresses of words, 64
 * bit), {@code %map} (of a tensor map), {@code %t} (thread), {@code %tile} (dynamic shared memory, at a multiple of
 * 1024), {@code %bar} (room for eight mbarriers), {@code %p} and {@code %q} (predicates; {@code %p0} holds for thread
 * 0), registers {@code %r0} to {@code %r31}, {@code %f0...}, {@code %rd0...}.
 */
final class Planted {
  private static final String HEAD = """
      .version 9.0
      .target sm_90a
      .address_size 64
      .extern .shared .align 1024 .b8 dynamic[];
      .visible .entry planted(.param .align 64 .b8 args[192])
      .maxntid 384, 1, 1
      .minnctapersm 1
      {
        .reg .pred %p, %q, %p0;
        .reg .b32 %r<32>, %t, %tile, %bar;
        .reg .f32 %f<160>;
        .reg .b64 %rd<32>, %in, %out, %map;
        .shared .align 8 .b8 bars[64];
        .loc 1 10 3
        ld.param.u64 %in, [args+128];
        ld.param.u64 %out, [args+136];
        mov.u64 %map, args;
        cvta.param.u64 %map, %map;
        mov.u32 %t, %tid.x;
        mov.u32 %tile, dynamic;
        mov.u32 %bar, bars;
        setp.eq.u32 %p0, %t, 0;
        .loc 1 42 7
      """;
  private static final String TAIL = """
        ret;
      }
      .file 1 "/somewhere/planted.cu"
      """;

  /** Initialises the mbarrier for so many arrivals. */
  static String init(int count) {
    return "@%p0 mbarrier.init.shared::cta.b64 [%bar], " + count
        + "; @%p0 fence.mbarrier_init.release.cluster; bar.sync 0;\n";
  }

  /** Waits for a phase of the first mbarrier. */
  static String await(int parity) {
    return "{ .reg .pred p; AGAIN: mbarrier.try_wait.parity.shared::cta.b64 p, [%bar], " + parity
        + "; @p bra DONE; bra AGAIN; DONE: }\n";
  }

  /** What a run starts from: threads, words in, words of room for what comes out, and a tensor. */
  record Setting(
      int threads, int[] in, int out, int shared, @Nullable Tensor tensor) {
    static Setting of(int threads) {
      return new Setting(threads, new int[1024], 1024, 64 << 10, null);
    }

    Setting in(int... words) {
      return new Setting(threads, words, out, shared, tensor);
    }

    Setting out(int words) {
      return new Setting(threads, in, words, shared, tensor);
    }

    /** A tensor in the words that come in, or in those that come out. */
    Setting tensor(Tensor tensor) {
      return new Setting(threads, in, out, shared, tensor);
    }
  }

  /** A tensor's map, as soon as it is known where the tensor lies. */
  @FunctionalInterface
  interface Tensor {
    TensorMap map(long in, long out);
  }

  private Planted() {}

  /** Runs a text; gives the words that came out. */
  static int[] run(Setting setting, String body) {
    try (PtxDriver driver = new PtxDriver(PtxOptions.hopper().withThreads(1).withMemory(16 << 20));
        Arena arena = Arena.ofConfined()) {
      long module = driver.load("planted.ptx", HEAD + body + TAIL);
      long function = driver.function(module, "planted");
      driver.allowShared(function, setting.shared);
      MemorySegment from = arena.allocateFrom(ValueLayout.JAVA_INT, setting.in);
      long in = driver.allocate(from.byteSize(), 0);
      driver.copyToDevice(in, from, 0);
      MemorySegment to = arena.allocate(4L * setting.out, 16);
      long out = driver.allocate(to.byteSize(), 0);
      driver.fill(out, (byte) 0, to.byteSize(), 0);
      MemorySegment map = arena.allocate(TensorMap.BYTES, TensorMap.ALIGNMENT);
      if (setting.tensor != null) {
        driver.encodeTensorMap(setting.tensor.map(in, out), map);
      }
      Launch launch = new Launch().block(setting.threads, 1, 1).shared(setting.shared);
      driver.launch(
          function,
          launch.bytes(map, TensorMap.ALIGNMENT).pointer(in).pointer(out).align(64),
          0);
      driver.copyToHost(to, out, 0);
      return to.toArray(ValueLayout.JAVA_INT);
    }
  }

  static int[] run(int threads, String body) {
    return run(Setting.of(threads), body);
  }

  /** Runs what has a bug, and looks for words in what is said about it. */
  static void fails(Setting setting, String body, String... says) {
    CudaException fault = assertThrows(CudaException.class, () -> run(setting, body));
    for (String text : says) {
      assertTrue(fault.getMessage().contains(text), () -> "'" + text + "' is not in: " + fault.getMessage());
    }
  }

  static void fails(int threads, String body, String... says) {
    fails(Setting.of(threads), body, says);
  }

  /** Compares the first words that came out. */
  static void gives(int[] expected, int[] out) {
    assertArrayEquals(expected, Arrays.copyOf(out, expected.length));
  }
}
