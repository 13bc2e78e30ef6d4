package dev.fovea.kernels.ptx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** What lanes and threads do together: shuffles, votes, matches, reductions, barriers, atomics. */
class WarpTest {
  private static final String TEXT = """
      .version 9.0
      .target sm_80
      .address_size 64
      .global .align 4 .u32 counter = 5;
      .visible .entry test(.param .u64 in, .param .u64 out)
      {
        .reg .pred %p, %q;
        .reg .b32 %i, %v, %d, %e, %l;
        .reg .f32 %f;
        .reg .b64 %in, %out, %at, %g;
        .shared .align 8 .b8 cell[16];
        ld.param.u64 %in, [in];
        ld.param.u64 %out, [out];
        mov.u32 %i, %tid.x;
        mov.u32 %d, %ctaid.x;
        mov.u32 %e, %ntid.x;
        mad.lo.s32 %l, %d, %e, %i;
        mul.wide.u32 %at, %l, 4;
        add.s64 %in, %in, %at;
        add.s64 %out, %out, %at;
        ld.global.u32 %v, [%in];
        BODY
        st.global.u32 [%out], %d;
        ret;
      }
      """;

  /** What a thread should get from what all of its block have. */
  @FunctionalInterface
  interface Expected {
    long of(int thread, int[] values);
  }

  private static DynamicTest row(String body, int threads, Expected expected) {
    return dynamicTest(body, () -> {
      int[] values = new Random(9).ints(threads, -20, 20).toArray();
      try (Machine machine = new Machine()) {
        Kernel kernel = machine.load("warp.ptx", TEXT.replace("BODY", body)).kernel("test");
        long out = machine.allocate(4L * threads);
        machine.launch(kernel, 1, threads, 0, machine.upload(values), out);
        int[] got = machine.ints(out, threads);
        for (int i = 0; i < threads; i++) {
          assertEquals((int) expected.of(i, values), got[i], "thread " + i);
        }
      }
    });
  }

  private static long ballot(int[] values) {
    return IntStream.range(0, 32)
        .filter(i -> values[i] > 0)
        .mapToLong(i -> 1L << i)
        .sum();
  }

  @TestFactory
  Stream<DynamicTest> warps() {
    String all = ", 0xffffffff;";
    return Stream.of(
        row("shfl.sync.bfly.b32 %d, %v, 5, 31" + all, 32, (i, v) -> v[i ^ 5]),
        row("shfl.sync.down.b32 %d, %v, 3, 31" + all, 32, (i, v) -> v[i + 3 < 32 ? i + 3 : i]),
        row("shfl.sync.up.b32 %d, %v, 3, 0" + all, 32, (i, v) -> v[i >= 3 ? i - 3 : i]),
        row("and.b32 %e, %v, 31; shfl.sync.idx.b32 %d, %v, %e, 31" + all, 32, (i, v) -> v[v[i] & 31]),
        // Segments of 8 lanes.
        row("shfl.sync.down.b32 %d, %v, 2, 0x1807" + all, 32, (i, v) -> v[i % 8 + 2 < 8 ? i + 2 : i]),
        row("shfl.sync.idx.b32 %d, %v, 3, 0x181f" + all, 32, (i, v) -> v[i / 8 * 8 + 3]),
        row(
            "shfl.sync.down.b32 %d|%p, %v, 3, 31, 0xffffffff; selp.b32 %d, 1, 0, %p;",
            32, (i, v) -> i + 3 < 32 ? 1 : 0),
        row("setp.gt.s32 %p, %v, 0; vote.sync.ballot.b32 %d, %p" + all, 32, (i, v) -> ballot(v)),
        row(
            "setp.gt.s32 %p, %v, 0; vote.sync.any.pred %q, !%p, 0xffffffff; selp.b32 %d, 1, 0, %q;",
            32, (i, v) -> ballot(v) == 0xffff_ffffL ? 0 : 1),
        row("setp.gt.s32 %p, %v, -99; vote.sync.all.pred %q, %p, 0xffffffff; selp.b32 %d, 1, 0, %q;", 32, (i, v) -> 1),
        row(
            "match.any.sync.b32 %d, %v" + all,
            32,
            (i, v) -> IntStream.range(0, 32)
                .filter(k -> v[k] == v[i])
                .mapToLong(k -> 1L << k)
                .sum()),
        row("match.all.sync.b32 %d|%p, %v, 0xffffffff; selp.b32 %d, 1, %d, %p;", 32, (i, v) -> 0),
        row("redux.sync.add.s32 %d, %v" + all, 32, (i, v) -> IntStream.of(v).sum()),
        row(
            "redux.sync.min.s32 %d, %v" + all,
            32,
            (i, v) -> IntStream.of(v).min().getAsInt()),
        row(
            "redux.sync.max.u32 %d, %v" + all,
            32,
            (i, v) -> IntStream.of(v).mapToLong(Integer::toUnsignedLong).max().getAsLong()),
        row("redux.sync.xor.b32 %d, %v" + all, 32, (i, v) -> IntStream.of(v).reduce(0, (x, y) -> x ^ y)),
        row("setp.gt.s32 %p, %v, 0; mov.b32 %d, 0; @%p activemask.b32 %d;", 32, (i, v) -> v[i] > 0 ? ballot(v) : 0),
        row(
            "elect.sync %d|%p, 0xffffffff; selp.b32 %e, 100, 0, %p; add.s32 %d, %d, %e;",
            32, (i, v) -> i == 0 ? 100 : 0));
  }

  @TestFactory
  Stream<DynamicTest> blocks() {
    String clear = "setp.eq.u32 %p, %i, 0; mov.u32 %e, cell; @%p st.shared.u32 [%e], 7; bar.sync 0; ";
    return Stream.of(
        row(
            "setp.gt.s32 %p, %v, 0; bar.red.popc.u32 %d, 0, %p;",
            96, (i, v) -> IntStream.of(v).filter(x -> x > 0).count()),
        row(
            "setp.gt.s32 %p, %v, 18; bar.red.or.pred %q, 0, %p; selp.b32 %d, 1, 0, %q;",
            96, (i, v) -> IntStream.of(v).anyMatch(x -> x > 18) ? 1 : 0),
        row(
            "setp.gt.s32 %p, %v, -20; barrier.sync.aligned 3; barrier.red.and.pred %q, 0, %p; selp.b32 %d, 1, 0, %q;",
            96, (i, v) -> IntStream.of(v).allMatch(x -> x > -20) ? 1 : 0),
        row(
            clear + "atom.shared.add.u32 %d, [%e], %v; bar.sync 0; ld.shared.u32 %d, [%e];",
            96,
            (i, v) -> 7 + IntStream.of(v).sum()),
        row(
            clear + "red.shared.max.s32 [%e], %v; bar.sync 0; ld.shared.u32 %d, [%e];",
            96,
            (i, v) -> Math.max(7, IntStream.of(v).max().getAsInt())),
        row(clear + "atom.shared.cas.b32 %d, [%e], 7, 9; bar.sync 0; ld.shared.u32 %d, [%e];", 64, (i, v) -> 9),
        row(clear + "atom.shared.inc.u32 %d, [%e], 8; bar.sync 0; ld.shared.u32 %d, [%e];", 3, (i, v) -> 1),
        // Warps 0 and 1 tell warp 2 at a barrier that they only arrive at.
        row(
            "setp.ge.u32 %p, %i, 64; setp.eq.u32 %q, %i, 5; mov.u32 %e, cell; @%q st.shared.u32 [%e], %v; mov.b32 %d,"
                + " 0; @!%p bar.arrive 2, 96; @%p bar.sync 2, 96; @%p ld.shared.u32 %d, [%e];",
            96, (i, v) -> i >= 64 ? v[5] : 0),
        row(
            "mov.u32 %d, %laneid; mov.u32 %e, %warpid; mad.lo.s32 %d, %e, 100, %d;",
            96, (i, v) -> i / 32 * 100 + i % 32));
  }

  @Test
  void atomicsOfManyBlocks() {
    try (Machine machine = new Machine(3, Checks.ALL)) {
      Kernel kernel = machine.load("warp.ptx", TEXT.replace("BODY", """
          mov.u64 %g, counter;
          atom.global.add.u32 %d, [%g], 1;
          membar.gl;
          ld.param.u64 %g, [out];
          red.global.add.u32 [%g+4096], 2;
          cvta.to.global.u64 %g, %g;
          red.relaxed.gpu.global.add.f32 [%g+4100], 0f3F800000;
          """)).kernel("test");
      long in = machine.upload(new int[1024]);
      long out = machine.upload(new int[1024 + 4]);
      machine.launch(kernel, 16, 64, 0, in, out);
      int[] got = machine.ints(out, 1026);
      assertEquals(2048, got[1024]);
      assertEquals(1024f, Float.intBitsToFloat(got[1025]));
      // Each thread drew a number of its own.
      assertEquals(1024, IntStream.of(got).limit(1024).distinct().count());
      assertEquals(5, IntStream.of(got).limit(1024).min().getAsInt());
    }
  }
}
