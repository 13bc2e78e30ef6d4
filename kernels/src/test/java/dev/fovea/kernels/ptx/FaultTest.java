package dev.fovea.kernels.ptx;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Planted bugs: each is found, and told with everything that leads to it. */
class FaultTest {
  private static final String HEAD = """
      .version 9.0
      .target sm_80
      .address_size 64
      .extern .shared .align 16 .b8 dynamic[];
      .visible .entry buggy(.param .u64 in, .param .u64 out)
      {
        .reg .pred %p<8>;
        .reg .b16 %h<8>;
        .reg .b32 %r<32>;
        .reg .f32 %f<8>;
        .reg .b64 %rd<16>;
        .shared .align 16 .b8 tile[1024];
        .loc 1 10 3
        ld.param.u64 %rd1, [in];
        ld.param.u64 %rd2, [out];
        mov.u32 %r1, %tid.x;
        mul.wide.u32 %rd3, %r1, 4;
        add.s64 %rd4, %rd1, %rd3;
        add.s64 %rd5, %rd2, %rd3;
        mov.u32 %r2, tile;
        shl.b32 %r3, %r1, 2;
        add.s32 %r4, %r2, %r3;
        .loc 1 42 7
      """;
  private static final String TAIL = """
        ret;
      }
      .file 1 "/somewhere/planted.cu"
      """;

  private static void run(Machine machine, String body, int threads, long in, long out) {
    Kernel kernel = machine.load("planted.ptx", HEAD + body + TAIL).kernel("buggy");
    machine.launch(kernel, 1, threads, 256, in, out);
  }

  /** Runs what has a bug: 64 threads, 64 words in, 64 out. */
  private static void fails(String body, int threads, String... says) {
    try (Machine machine = new Machine()) {
      long in = machine.upload(new int[64]);
      long out = machine.allocate(256);
      PtxException fault = assertThrows(PtxException.class, () -> run(machine, body, threads, in, out));
      assertAll(Stream.of(says)
          .map(text -> () ->
              assertTrue(fault.getMessage().contains(text), () -> "'" + text + "' is not in: " + fault.getMessage())));
    }
  }

  private static void runs(String body, int threads) {
    try (Machine machine = new Machine()) {
      run(machine, body, threads, machine.upload(new int[64]), machine.allocate(256));
    }
  }

  @Test
  void outOfBounds() {
    fails(
        "ld.global.u32 %r5, [%rd4+4];",
        64,
        "kernel buggy",
        "block (0,0,0)",
        "thread (63,0,0)",
        "reads 4 bytes at 0x",
        "out of bounds: 0 bytes past the end of allocation (256 bytes at 0x",
        "planted.ptx:24",
        "`ld.global.u32 %r5, [%rd4+4]`",
        "(planted.cu:42)");
    fails("ld.global.u32 %r5, [%rd4+-8];", 64, "thread (0,0,0)", "out of bounds: 8 bytes before allocation");
    fails("st.global.u32 [%rd4+1000000], %r1;", 1, "writes 4 bytes", "in no allocation");
    fails(
        "st.shared.u32 [%r4+1100], %r1;",
        64,
        "thread (45,0,0)",
        "writes 4 bytes of shared memory at 0x500",
        "the block has 1280 bytes (1024 static, 256 dynamic)");
    fails("atom.global.add.u32 %r5, [%rd4+256], 1;", 1, "changes 4 bytes", "0 bytes past the end");
    fails("ld.u32 %r5, [%rd4+256];", 1, "reads 4 bytes", "0 bytes past the end");
  }

  @Test
  void useAfterFree() {
    try (Machine machine = new Machine()) {
      long in = machine.upload(new int[64]);
      machine.memory.free(in);
      PtxException fault = assertThrows(
          PtxException.class, () -> run(machine, "ld.global.u32 %r5, [%rd4+8];", 1, in, machine.allocate(4)));
      assertTrue(fault.getMessage().contains("at offset 8 of allocation (256 bytes"), fault.getMessage());
      assertTrue(fault.getMessage().contains("which was freed"), fault.getMessage());
      assertThrows(PtxException.class, () -> machine.memory.free(in));
    }
  }

  @Test
  void misalignedVectorAccess() {
    fails(
        "ld.global.v4.u32 {%r5, %r6, %r7, %r8}, [%rd4];",
        64, "thread (1,0,0)", "reads 16 bytes at 0x", "misaligned", "planted.cu:42");
    fails(
        "st.shared.v2.u32 [%r4], {%r1, %r1};",
        64, "thread (1,0,0)", "writes 8 bytes of shared memory at 0x4", "misaligned");
  }

  @Test
  void uninitialisedReads() {
    fails(
        "ld.global.u32 %r5, [%rd5];",
        64, "reads 4 bytes", "uninitialised from offset 0 of allocation", "planted.cu:42");
    fails("st.global.u8 [%rd5], %r1; ld.global.u16 %r5, [%rd5];", 64, "uninitialised from offset 1");
    fails("ld.shared.u32 %r5, [%r4];", 64, "shared memory at 0x0", "uninitialised");
    fails("red.global.add.f32 [%rd5], %f1;", 64, "uninitialised");
    runs("st.global.u32 [%rd5], %r1; ld.global.u32 %r5, [%rd5];", 64);
  }

  @Test
  void missingBarrier() {
    String write = "st.shared.u32 [%r4], %r1; xor.b32 %r5, %r3, 128; add.s32 %r5, %r5, %r2; ";
    String read = "ld.shared.u32 %r6, [%r5]; ";
    runs(write + "bar.sync 0; " + read, 64);
    fails(write + read, 64, "uninitialised");
    // Written in the round before, so that the value is there but may be the old or the new one.
    fails(
        write + "bar.sync 0; " + read + write + read,
        64,
        "thread (0,0,0)",
        "race: reads 4 bytes of shared memory at 0x80",
        "which thread (32,0,0) wrote at planted.ptx:24 `st.shared",
        "no barrier lies between",
        "planted.cu:42");
    String overwrite = "setp.lt.u32 %p1, %r1, 32; @%p1 " + write;
    fails(
        write + "bar.sync 0; " + read + overwrite,
        64,
        "race: writes 4 bytes of shared memory at 0x0",
        "which thread (32,0,0) read at planted.ptx:24 `ld.shared");
    fails(
        write + "bar.sync 0; " + read + "bar.sync 0; add.s32 %r1, %r1, 9; " + write + read,
        64,
        "thread (32,0,0): race: writes 4 bytes",
        "which thread (0,0,0) read",
        "no barrier");
    runs(write + "bar.sync 0; " + read + "bar.sync 0; " + write + "bar.sync 0; " + read, 64);
  }

  @Test
  void barriersOfSomeOnlyOrderThose() {
    String write = "st.shared.u32 [%r4], %r1; xor.b32 %r5, %r3, 128; add.s32 %r5, %r5, %r2; ";
    String read = "ld.shared.u32 %r6, [%r5]; ";
    // Warps 0 and 1 meet at barrier 1; warp 2 goes its own way.
    String pair = "setp.lt.u32 %p1, %r1, 64; @%p1 bar.sync 1, 64; ";
    runs(write + pair + "@%p1 " + read, 96);
    fails(write + pair + "xor.b32 %r5, %r3, 256; add.s32 %r5, %r5, %r2; @%p1 " + read, 96, "uninitialised");
    fails(
        "st.shared.u32 [%r4], %r1; " + pair + "xor.b32 %r5, %r3, 256; add.s32 %r5, %r5, %r2; setp.ge.u32 %p2, %r1, 64;"
            + " @%p2 ld.shared.u32 %r6, [%r5];",
        96,
        "race: reads 4 bytes",
        "which thread (0,0,0) wrote");
  }

  @Test
  void warpSynchronousCode() {
    String exchange = "st.shared.u32 [%r4], %r1; xor.b32 %r5, %r3, 4; add.s32 %r5, %r5, %r2; ";
    runs(exchange + "bar.warp.sync 0xffffffff; ld.shared.u32 %r6, [%r5];", 32);
    fails(exchange + "ld.shared.u32 %r6, [%r5];", 32, "race: reads 4 bytes", "no __syncwarp or barrier");
  }

  @Test
  void halvesOfAWordAreNoRace() {
    runs("add.s32 %r5, %r2, %r1; add.s32 %r5, %r5, %r1; cvt.u16.u32 %h1, %r1; st.shared.u16 [%r5], %h1;", 64);
  }

  @Test
  void deadlock() {
    fails("setp.lt.u32 %p1, %r1, 40; @%p1 bar.sync 0; @!%p1 bar.sync 0;", 64, "arrives at barrier 0 in divergent code");
    fails(
        "setp.lt.u32 %p1, %r1, 32; @%p1 bar.sync 0; @!%p1 bar.sync 1;",
        64,
        "deadlock",
        "block (0,0,0)",
        "wait at barrier 0 (32 of 64 threads have arrived) at planted.ptx:24",
        "threads 0-31",
        "wait at barrier 1 (32 of 64 threads have arrived)",
        "threads 32-63",
        "planted.cu:42");
    fails("bar.sync 1, 96;", 64, "deadlock", "(64 of 96 threads have arrived)");
    fails(
        "setp.lt.u32 %p1, %r1, 8; @%p1 bra HERE; bar.warp.sync 0xffffffff; bra OUT; HERE: bar.sync 0; OUT:",
        32, "wait for other lanes of their warp", "threads 8-31");
  }

  @Test
  void exitedThreadsAreNotWaitedFor() {
    runs("setp.ge.u32 %p1, %r1, 40; @%p1 exit; bar.sync 0;", 64);
  }

  @Test
  void shuffleWithAnExitedLane() {
    fails(
        "setp.eq.u32 %p1, %r1, 5; @%p1 exit; shfl.sync.down.b32 %r5, %r1, 1, 31, 0xffffffff;",
        32, "waits for lane 5 of its warp (mask 0xffffffff), which has exited", "planted.cu:42", "thread (0,0,0)");
    fails("shfl.sync.down.b32 %r5, %r1, 1, 31, 0xffffffff;", 16, "lane 16", "does not exist");
    fails("shfl.sync.down.b32 %r5, %r1, 1, 31, 0xfffffffe;", 32, "thread (0,0,0)", "leaves it out");
    fails(
        "setp.lt.u32 %p1, %r1, 4; @%p1 shfl.sync.idx.b32 %r5, %r1, 7, 31, 0xf;",
        32, "shuffles from lane 7, which does not take part");
  }

  @Test
  void lanesThatPartedMeetAtAShuffle() {
    try (Machine machine = new Machine()) {
      long out = machine.allocate(128);
      run(
          machine,
          "setp.lt.u32 %p1, %r1, 9; @%p1 bra HERE; mul.lo.s32 %r1, %r1, 10; HERE:"
              + " shfl.sync.bfly.b32 %r5, %r1, 31, 31, 0xffffffff; st.global.u32 [%rd5], %r5;",
          32,
          machine.upload(1),
          out);
      int[] expected = new int[32];
      Arrays.setAll(expected, i -> 31 - i < 9 ? 31 - i : (31 - i) * 10);
      assertArrayEquals(expected, machine.ints(out, 32));
    }
  }

  @Test
  void asynchronousCopies() {
    String copy = "shl.b32 %r5, %r1, 4; add.s32 %r5, %r2, %r5; mul.wide.u32 %rd6, %r1, 16; add.s64 %rd6, %rd1, %rd6;"
        + " cp.async.cg.shared.global [%r5], [%rd6], 16; cp.async.commit_group; ";
    String read = "ld.shared.u32 %r6, [%r5]; ";
    runs(copy + "cp.async.wait_group 0; " + read, 16);
    fails(copy + read, 16, "while a cp.async to it is in flight: no wait_group has completed it", "planted.cu:42");
    fails(copy + "cp.async.wait_group 1; " + read, 16, "in flight");
    runs(copy + "cp.async.commit_group; cp.async.wait_group 1; " + read, 16);
    // A thread waits for its own copies only: those of others need a barrier too.
    fails(copy + "cp.async.wait_all; xor.b32 %r5, %r5, 16; " + read, 16, "race: reads");
    runs(copy + "cp.async.wait_all; bar.sync 0; xor.b32 %r5, %r5, 16; " + read, 16);
    fails(copy, 17, "copies asynchronously from 16 bytes at 0x", "0 bytes past the end", "thread (16,0,0)");
  }

  @Test
  void unknownInstructionsAreNamed() {
    fails(
        "tcgen05.wait::ld.sync.aligned;",
        32,
        "planted.ptx:24",
        "`tcgen05.wait::ld.sync.aligned`",
        "does not know",
        "planted.cu:42");
    fails("add.s32 %r1, %r99, 1;", 32, "planted.ptx:24: unknown register %r99");
  }

  /** Two blocks, one after the other: each writes 64 words, counts itself, and the second reads the first one's. */
  private static void meet(String beforeCount, String afterCount, boolean fails) {
    String body = "mov.u32 %r5, %ctaid.x; mul.wide.u32 %rd6, %r5, 256; add.s64 %rd6, %rd5, %rd6;"
        + " setp.eq.u32 %p1, %r1, 0; setp.eq.u32 %p2, %r5, 1; st.global.u32 [%rd6], %r1; " + beforeCount
        + " @%p1 atom.global.inc.u32 %r6, [%rd1], 1; " + afterCount + " @%p2 ld.global.u32 %r7, [%rd5];";
    try (Machine machine = new Machine()) {
      Kernel kernel = machine.load("planted.ptx", HEAD + body + TAIL).kernel("buggy");
      long in = machine.upload(0);
      long out = machine.allocate(512);
      if (fails) {
        PtxException fault = assertThrows(
            PtxException.class, () -> machine.launch(kernel, 2, 64, 256, in, out), beforeCount + afterCount);
        assertTrue(
            fault.getMessage().contains("reads offset 0 of allocation")
                && fault.getMessage().contains("which block number 0 wrote in the same launch"),
            fault.getMessage());
      } else {
        machine.launch(kernel, 2, 64, 256, in, out);
      }
    }
  }

  @Test
  void blocksMeetByFencesAndAtomics() {
    String barrier = "bar.sync 0; ";
    String fence = "@%p1 membar.gl; ";
    meet(barrier + fence, fence + barrier, false);
    meet("membar.gl; " + barrier, barrier + "membar.gl; ", false);
    meet(barrier + "@%p1 fence.acq_rel.gpu; ", "@%p1 fence.acq_rel.gpu; " + barrier, false);
    meet(barrier, fence + barrier, true);
    meet(barrier + fence, barrier, true);
    meet(barrier + "membar.cta; ", fence + barrier, true);
  }

  @Test
  void blocksThatNeverMeet() {
    String own = "mov.u32 %r5, %ctaid.x; mul.wide.u32 %rd6, %r5, 128; add.s64 %rd6, %rd5, %rd6; ";
    try (Machine machine = new Machine()) {
      Kernel kernel = machine
          .load("planted.ptx", HEAD + own + "st.global.u32 [%rd6], %r1; ld.global.u32 %r6, [%rd6];" + TAIL)
          .kernel("buggy");
      long in = machine.upload(0);
      long out = machine.allocate(512);
      // Blocks of 32 threads keep to their own words; of 64 threads the second writes over the first one's.
      machine.launch(kernel, 2, 32, 256, in, out);
      PtxException fault = assertThrows(PtxException.class, () -> machine.launch(kernel, 2, 64, 256, in, out));
      assertTrue(fault.getMessage().contains("writes over offset 128 of allocation"), fault.getMessage());
      // What an earlier launch wrote may be read.
      machine.launch(kernel, 2, 32, 256, in, out + 128);
    }
  }

  @Test
  void endlessLoops() {
    try (Machine machine = new Machine(1, new Checks(true, true, 1_000_000))) {
      PtxException fault = assertThrows(
          PtxException.class, () -> run(machine, "AGAIN: bra AGAIN;", 32, machine.upload(1), machine.upload(1)));
      assertTrue(fault.getMessage().contains("still runs after 1000000 instructions"), fault.getMessage());
    }
  }
}
