package dev.fovea.kernels.ptx;

import static dev.fovea.kernels.ptx.Planted.await;
import static dev.fovea.kernels.ptx.Planted.fails;
import static dev.fovea.kernels.ptx.Planted.gives;
import static dev.fovea.kernels.ptx.Planted.init;
import static dev.fovea.kernels.ptx.Planted.run;

import dev.fovea.kernels.ptx.Planted.Setting;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Mbarriers, the barrier of a cluster, and registers that move between warpgroups. */
class MbarrierTest {
  private static final String ARRIVE = "mbarrier.arrive.shared::cta.b64 _, [%bar];\n";

  /** Each thread leaves its number in shared memory; later it gives what another has left. */
  private static final String LEAVE = "shl.b32 %r1, %t, 2; add.s32 %r1, %r1, %tile; st.shared.u32 [%r1], %t;\n";

  private static final String TAKE = """
      xor.b32 %r2, %r1, 128;
      ld.shared.u32 %r3, [%r2];
      mul.wide.u32 %rd1, %t, 4;
      add.s64 %rd1, %rd1, %out;
      st.global.u32 [%rd1], %r3;
      """;

  @Test
  void threadsWaitForAllThatArrive() {
    int[] expected = IntStream.range(0, 64).map(i -> i ^ 32).toArray();
    gives(expected, run(64, init(64) + LEAVE + ARRIVE + await(0) + TAKE));
    gives(expected, run(64, init(65) + LEAVE + "@%p0 " + ARRIVE + ARRIVE + await(0) + TAKE));
    gives(expected, run(64, init(64) + LEAVE + ARRIVE.replace("_", "%rd9") + """
        AGAIN: mbarrier.test_wait.shared::cta.b64 %q, [%bar], %rd9;
        @!%q bra AGAIN;
        """ + TAKE));
    gives(
        expected,
        run(
            64,
            init(64) + LEAVE + "cvt.u64.u32 %rd8, %bar; cvta.shared.u64 %rd8, %rd8; mov.b32 %r7, 1;\n"
                + "mbarrier.arrive.b64 %rd9, [%rd8], %r7; AGAIN: mbarrier.try_wait.b64 %q, [%rd8], %rd9;"
                + " @!%q bra AGAIN;\n" + TAKE));
  }

  @Test
  void phasesFollowEachOther() {
    // The phase before the first has parity 1 and is over.
    run(64, init(64) + await(1) + ARRIVE + await(0) + ARRIVE + await(1) + ARRIVE + await(0));
    fails(64, init(64) + ARRIVE + await(0) + await(1), "deadlock", "phase 1: 0 of 64 arrivals");
    run(
        64,
        init(64) + ARRIVE + await(0) + "bar.sync 0; @%p0 mbarrier.inval.shared::cta.b64 [%bar]; bar.sync 0;\n"
            + init(64) + ARRIVE + await(0));
    fails(
        64,
        init(64) + ARRIVE + await(0) + "bar.sync 0;\n" + init(64),
        "which is an mbarrier already",
        "mbarrier.inval must come before");
  }

  @Test
  void waitingOrdersAndArrivingAloneDoesNot() {
    fails(64, init(64) + LEAVE + ARRIVE + TAKE, "uninitialised");
    String twice = LEAVE + "bar.sync 0;\n" + LEAVE;
    fails(64, init(64) + twice + ARRIVE + TAKE, "race: ", "no barrier lies between");
    // What is written after the arrival is not known to those who waited for it.
    fails(64, init(64) + ARRIVE + twice.replace("bar.sync 0;", "bar.sync 1;") + await(0) + TAKE, "race: ");
    fails(64, init(64) + twice + ARRIVE.replace("arrive", "arrive.relaxed.cta") + await(0) + TAKE, "race: ");
  }

  @Test
  void misuse() {
    String uninitialised = "uses an mbarrier at 0x0 of shared memory, where none was initialised";
    fails(32, ARRIVE, uninitialised, "planted.cu:42");
    fails(32, await(0), uninitialised);
    fails(
        64,
        "@%p0 mbarrier.init.shared::cta.b64 [%bar], 64;\n" + ARRIVE,
        "race: uses the mbarrier at 0x0",
        "which thread" + " (0,0,0) initialised; no barrier lies between");
    fails(32, init(0), "for 0 arrivals");
    fails(32, init(32) + "ld.shared.u32 %r1, [%bar];\n", "reads 4 bytes of shared memory at 0x0, where an mbarrier is");
    fails(
        32, init(32) + "st.shared.u32 [%bar+4], %t;\n", "writes 4 bytes of shared memory at 0x4, where an mbarrier is");
    fails(32, init(32) + await(2), "waits for a phase of parity 2");
    fails(32, init(1) + "mbarrier.arrive.shared::cta.b64 _, [%bar+4];\n", "misaligned");
    fails(
        1,
        init(2) + "mbarrier.arrive.expect_tx.shared::cta.b64 _, [%bar], 1048576;\n",
        "expects 1048576 bytes",
        "at most 1048575 are possible");
  }

  @Test
  void arrivingTooOften() {
    fails(
        2,
        init(2) + "mbarrier.arrive.expect_tx.shared::cta.b64 _, [%bar], 16;\n" + ARRIVE,
        "arrives 1 times at the mbarrier at 0x0",
        "waits for 0 of 2 arrivals in this phase (its bytes have not all arrived for sure)");
    fails(
        1, init(2) + "mbarrier.arrive.shared::cta.b64 _, [%bar], 3;\n", "arrives 3 times", "waits for 2 of 2 arrivals");
  }

  @Test
  void deadlocksNameTheBarrier() {
    fails(
        64,
        init(65) + ARRIVE + await(0),
        "deadlock, no thread can go on",
        "wait for the mbarrier at 0x0 (initialised at planted.ptx:",
        "(planted.cu:42)), phase 0: 64 of 65 arrivals, 0 of 0 expected bytes, at planted.ptx:",
        "threads 0-63");
    fails(
        64,
        init(64) + "mov.b32 %r1, 0; @%p0 mov.b32 %r1, 512; mbarrier.arrive.expect_tx.shared::cta.b64 _, [%bar], %r1;\n"
            + await(0),
        "deadlock",
        "phase 0: 64 of 64 arrivals, 0 of 512 expected bytes");
  }

  @Test
  void theClusterOfOneBlock() {
    int[] expected = IntStream.range(0, 64).map(i -> i ^ 32).toArray();
    String arrive = "barrier.cluster.arrive.release.aligned;\n";
    String await = "barrier.cluster.wait.acquire.aligned;\n";
    gives(expected, run(64, LEAVE + arrive + await + TAKE));
    run(64, arrive + await + arrive + await);
    fails(64, LEAVE + arrive + TAKE, "uninitialised");
    fails(64, arrive + arrive, "arrives at the barrier of its cluster again");
    fails(64, await, "where it has not arrived");
    fails(
        64,
        "setp.lt.u32 %p, %t, 32; @!%p bar.sync 1, 64;\n" + arrive + await,
        "deadlock",
        "wait at the barrier of their cluster (32 of 64 threads have arrived)");
    gives(
        new int[] {7},
        run(
            Setting.of(1),
            "mov.b32 %r1, 7; st.shared.u32 [%tile], %r1; mapa.shared::cluster.u32 %r2, %tile, 0;"
                + " ld.shared::cluster.u32 %r3, [%r2]; st.global.u32 [%out], %r3;"));
    fails(1, "mapa.shared::cluster.u32 %r2, %tile, 1;", "asks for shared memory of block 1 of its cluster");
  }

  @Test
  void registersMoveBetweenWarpgroups() {
    String split = "setp.lt.u32 %%p, %%t, 128; @%%p bra ONE;\n setmaxnreg.inc.sync.aligned.u32 %d; bra OUT;\n"
        + "ONE: setmaxnreg.dec.sync.aligned.u32 %d; OUT:\n";
    // Three warpgroups of 168 registers.
    run(384, split.formatted(240, 24));
    fails(
        384,
        split.formatted(240, 40),
        "deadlock",
        "wait for 2304 registers (256 are free, the block has 64512)",
        "threads 352-383");
    fails(128, "setmaxnreg.inc.sync.aligned.u32 160;", "increases its registers from 168 to 160");
    fails(128, "setmaxnreg.dec.sync.aligned.u32 176;", "decreases its registers from 168 to 176");
    fails(128, "setmaxnreg.dec.sync.aligned.u32 100;", "no multiple of 8 from 24 to 256");
    fails(
        128,
        "setp.lt.u32 %p, %t, 32; @%p setmaxnreg.dec.sync.aligned.u32 24;",
        "warp 0 ended with 24 registers and warp 1 of the same warpgroup with 168");
  }
}
