package dev.fovea.kernels.ptx;

import static dev.fovea.kernels.ptx.Planted.await;
import static dev.fovea.kernels.ptx.Planted.fails;
import static dev.fovea.kernels.ptx.Planted.gives;
import static dev.fovea.kernels.ptx.Planted.init;
import static dev.fovea.kernels.ptx.Planted.run;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.cuda.TensorMap;
import dev.fovea.kernels.cuda.TensorMap.Dimension;
import dev.fovea.kernels.cuda.TensorMap.Swizzle;
import dev.fovea.kernels.ptx.Planted.Setting;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Bulk copies against loops over elements, and what happens to those who do not wait. */
class BulkCopyTest {
  private static final String EXPECT = "@%p0 mbarrier.arrive.expect_tx.shared::cta.b64 _, [%bar], BYTES;\n";
  private static final String LOAD =
      "@%p0 cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes"
          + " [%tile], [%map, {%r20, %r21}], [%bar];\n";
  private static final String STORE =
      "@%p0 cp.async.bulk.tensor.2d.global.shared::cta.tile.bulk_group [%map, {%r20, %r21}], [%tile];\n";
  private static final String COMMIT = "@%p0 cp.async.bulk.commit_group;\n";

  /** Lets the first warp come first, without any order that others could rely on. */
  private static final String LATER = "setp.ge.u32 %p, %t, 32; @%p nanosleep.u32 1;\n";

  /** Stores so many words of shared memory, one per thread and turn. */
  private static String dump(int words, int threads) {
    StringBuilder text = new StringBuilder(
        "shl.b32 %r1, %t, 2; add.s32 %r1, %r1, %tile; mul.wide.u32 %rd1, %t, 4;" + " add.s64 %rd1, %rd1, %out;\n");
    for (int i = 0; i < words; i += threads) {
      text.append("ld.shared.u32 %r2, [%r1+")
          .append(4 * i)
          .append("]; st.global.u32 [%rd1+")
          .append(4 * i)
          .append("], %r2;\n");
    }
    return text.toString();
  }

  /** Writes each word's number to shared memory. */
  private static String fill(int words, int threads) {
    StringBuilder text = new StringBuilder("shl.b32 %r1, %t, 2; add.s32 %r1, %r1, %tile;\n");
    for (int i = 0; i < words; i += threads) {
      text.append("add.s32 %r2, %t, ")
          .append(i)
          .append("; st.shared.u32 [%r1+")
          .append(4 * i)
          .append("], %r2;\n");
    }
    return text.toString();
  }

  private static String at(int x, int y) {
    return "mov.b32 %r20, " + x + "; mov.b32 %r21, " + y + ";\n";
  }

  private static int[] numbers(int count) {
    return IntStream.range(0, count).toArray();
  }

  /** The 16-bit numbers of words. */
  private static int half(int[] words, int i) {
    return words[i >> 1] >>> 16 * (i & 1) & 0xffff;
  }

  /** 40 by 20 numbers of 16 bit, 64 by 8 of them a box; rows of the tensor have room for 48. */
  private static TensorMap halves(long address, Swizzle swizzle) {
    int box = swizzle == Swizzle.NONE ? 64 : swizzle.bytes() / 2;
    return new TensorMap(DType.BF16, address, List.of(new Dimension(40, 2, box), new Dimension(20, 96, 8)), swizzle);
  }

  private static int[] table() {
    int[] words = new int[24 * 20];
    for (int i = 0; i < words.length; i++) {
      words[i] = 2 * i + 1 | 2 * i + 2 << 16;
    }
    return words;
  }

  @ParameterizedTest
  @EnumSource(Swizzle.class)
  void boxesOfTensors(Swizzle swizzle) {
    int width = swizzle == Swizzle.NONE ? 64 : swizzle.bytes() / 2;
    for (int[] corner : new int[][] {{0, 0}, {8, 4}, {-3, -2}, {31, 15}, {40, 0}, {0, -8}}) {
      String body = init(1)
          + at(corner[0], corner[1])
          + EXPECT.replace("BYTES", "" + width * 16)
          + LOAD
          + await(0)
          + dump(width * 4, 32);
      int[] got = run(Setting.of(32).in(table()).tensor((in, out) -> halves(in, swizzle)), body);
      for (int row = 0; row < 8; row++) {
        for (int column = 0; column < width; column++) {
          int x = corner[0] + column;
          int y = corner[1] + row;
          boolean inside = x >= 0 && x < 40 && y >= 0 && y < 20;
          int byteAt = row * width * 2 + column * 2;
          // The manual's figure: chunk c of a row of 128 bytes is at c ^ (row % 8), and so on.
          int line = byteAt / 128;
          int swapped = switch (swizzle) {
            case NONE -> byteAt;
            case BYTES_128 -> byteAt ^ (line % 8) * 16;
            case BYTES_64 -> byteAt ^ (line % 4) * 16;
            case BYTES_32 -> byteAt ^ (line % 2) * 16;
          };
          assertEquals(inside ? half(table(), y * 48 + x) : 0, half(got, swapped / 2), row + " " + column);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Swizzle.class)
  void boxesGoWhereTheyCameFrom(Swizzle swizzle) {
    int width = swizzle == Swizzle.NONE ? 64 : swizzle.bytes() / 2;
    for (int[] corner : new int[][] {{0, 0}, {-4, -2}, {33, 15}}) {
      String load = LOAD.replace("%map", "%rd20");
      // The same map for what comes in and for what goes out, which lies 4096 bytes on.
      String body = init(1) + at(corner[0], corner[1]) + EXPECT.replace("BYTES", "" + width * 16)
          + load.replace("%rd20", "%map") + await(0) + at(corner[0], corner[1] + 10) + STORE + COMMIT
          + "@%p0 cp.async.bulk.wait_group 0;\n";
      int[] out = tableOut(swizzle, body);
      int[] expected = new int[24 * 20 * 2];
      for (int row = 0; row < 8; row++) {
        for (int column = 0; column < width; column++) {
          int x = corner[0] + column;
          int y = corner[1] + row;
          int below = y + 10;
          if (x >= 0 && x < 40 && below >= 0 && below < 20) {
            expected[below * 48 + x] = y >= 0 && y < 20 ? half(table(), y * 48 + x) : 0;
          }
        }
      }
      for (int y = 0; y < 20; y++) {
        for (int x = 0; x < 48; x++) {
          boolean written =
              x < 40 && x >= corner[0] && x < corner[0] + width && y >= corner[1] + 10 && y < corner[1] + 18;
          assertEquals(written ? expected[y * 48 + x] : half(table(), y * 48 + x), half(out, y * 48 + x), y + " " + x);
        }
      }
    }
  }

  /** Runs on a table that is changed in place, and gives it. */
  private static int[] tableOut(Swizzle swizzle, String body) {
    String copy = "bar.sync 0; mul.wide.u32 %rd1, %t, 4; add.s64 %rd2, %rd1, %out; add.s64 %rd1, %rd1, %in;\n";
    StringBuilder text = new StringBuilder(body + copy);
    for (int i = 0; i < 24 * 20; i += 32) {
      text.append("ld.global.u32 %r2, [%rd1+" + 4 * i + "]; st.global.u32 [%rd2+" + 4 * i + "], %r2;\n");
    }
    return run(Setting.of(32).in(table()).tensor((in, out) -> halves(in, swizzle)), text.toString());
  }

  @Test
  void tensorsOfOneToFiveDimensions() {
    int[] sizes = {12, 5, 4, 3, 2};
    int[] boxes = {8, 3, 2, 2, 2};
    int[] corner = {4, 3, -1, 2, 0};
    for (int rank = 1; rank <= 5; rank++) {
      List<Dimension> dimensions = new ArrayList<>();
      long stride = 4;
      int words = 1;
      for (int i = 0; i < rank; i++) {
        dimensions.add(new Dimension(sizes[i], stride, boxes[i]));
        stride *= sizes[i];
        words *= boxes[i];
      }
      String coordinates = String.join(
          ", ", IntStream.range(0, rank).mapToObj(i -> "%r" + (20 + i)).toList());
      StringBuilder body = new StringBuilder(init(1));
      for (int i = 0; i < rank; i++) {
        body.append("mov.b32 %r" + (20 + i) + ", " + corner[i] + ";\n");
      }
      body.append(EXPECT.replace("BYTES", "" + 4 * words))
          .append("@%p0 cp.async.bulk.tensor." + rank + "d.shared::cluster.global.mbarrier::complete_tx::bytes"
              + " [%tile], [%map, {" + coordinates + "}], [%bar];\n")
          .append(await(0))
          .append(dump(words, 8));
      int[] got = run(
          Setting.of(8)
              .in(numbers(12 * 5 * 4 * 3 * 2))
              .tensor((in, out) -> new TensorMap(DType.F32, in, dimensions, Swizzle.NONE)),
          body.toString());
      for (int i = 0; i < words; i++) {
        int left = i;
        int from = 0;
        int step = 1;
        boolean inside = true;
        for (int d = 0; d < rank; d++) {
          int x = corner[d] + left % boxes[d];
          left /= boxes[d];
          inside &= x >= 0 && x < sizes[d];
          from += x * step;
          step *= sizes[d];
        }
        assertEquals(inside ? from : 0, got[i], "rank " + rank + ", word " + i);
      }
    }
  }

  @Test
  void plainBytes() {
    String there = init(1) + EXPECT.replace("BYTES", "256")
        + "@%p0 cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%tile+64], [%in+32], 256, [%bar];\n"
        + await(0);
    String back = "@%p0 cp.async.bulk.global.shared::cta.bulk_group [%out], [%tile+64], 256;\n" + COMMIT
        + "@%p0 cp.async.bulk.wait_group.read 0;\n";
    // What was not waited for altogether arrives when the block ends.
    gives(IntStream.range(8, 72).toArray(), run(Setting.of(32).in(numbers(200)), there + back));
    fails(
        Setting.of(32).in(numbers(65)),
        there,
        "copies in bulk from 256 bytes at 0x",
        "at offset 32 of allocation (260 bytes",
        "and beyond its end");
    fails(32, there.replace("%in+32", "%in+8"), "both must be multiples of 16, not 0");
    fails(32, there.replace("%tile+64", "%tile+8"), "is no multiple of 16");
    fails(32, there + back.replace("%tile+64", "%tile+65536"), "out of bounds");
  }

  @Test
  void nothingIsThereBeforeItIsWaitedFor() {
    Setting setting = Setting.of(64).in(table()).tensor((in, out) -> halves(in, Swizzle.BYTES_128));
    String load = init(1) + at(0, 0) + EXPECT.replace("BYTES", "1024") + LOAD;
    run(setting, load + await(0) + dump(256, 64));
    Setting alone = Setting.of(32).in(table()).tensor((in, out) -> halves(in, Swizzle.BYTES_128));
    String flying = "reads 4 bytes of shared memory at 0x400 while a bulk copy to it is in flight: nobody has waited";
    fails(alone, load + dump(256, 32) + await(0), flying);
    fails(alone, load + await(1) + dump(256, 32), flying);
    // One warp waits, the other relies on luck.
    fails(
        setting,
        load + "setp.lt.u32 %p, %t, 32; @!%p bra ON;\n" + await(0) + "ON:\n" + LATER + dump(256, 64),
        "race: reads 4 bytes of shared memory at 0x480, which a bulk copy wrote at planted.ptx",
        "this thread has not waited for its mbarrier");
    run(setting, load + "setp.lt.u32 %p, %t, 32; @!%p bra ON;\n" + await(0) + "ON: bar.sync 0;\n" + dump(256, 64));
    fails(setting, load, "has ended while 1024 bytes were on their way to its shared memory");
    fails(alone, load + "st.shared.u32 [%tile], %t;\n" + await(0), "while a bulk copy to it is in flight");
  }

  @Test
  void bytesAreCounted() {
    Setting setting = Setting.of(64).in(table()).tensor((in, out) -> halves(in, Swizzle.BYTES_128));
    String load = init(1) + at(0, 0) + EXPECT + LOAD + await(0);
    fails(setting, load.replace("BYTES", "1040"), "deadlock", "phase 0: 1 of 1 arrivals, 1024 of 1040 expected bytes");
    fails(
        setting,
        load.replace("BYTES", "1000"),
        "1024 bytes are on their way to the mbarrier at 0x0",
        "whose arrivals are complete and which expects 1000");
    fails(
        setting,
        init(1) + at(0, 0) + LOAD + "@%p0 mbarrier.arrive.shared::cta.b64 _, [%bar];\n" + await(0),
        "which expects 0");
    // All lanes copy, and not an elected one.
    fails(setting, load.replace("BYTES", "1024").replace("@%p0 cp", "cp"), "another copy is in flight");
  }

  @Test
  void whatThreadsStillReadIsNotOverwritten() {
    Setting setting = Setting.of(64).in(table()).tensor((in, out) -> halves(in, Swizzle.BYTES_128));
    String once = at(0, 0) + EXPECT.replace("BYTES", "1024") + LOAD;
    String first = init(1) + "@%p0 mbarrier.init.shared::cta.b64 [%bar+8], 1;\n" + once + await(0) + dump(256, 64);
    String again = once.replace("%bar", "%bar+8");
    String rest = await(0).replace("%bar", "%bar+8");
    fails(setting, first + "bar.sync 0;\n" + again + rest, "executed no fence.mbarrier_init");
    String fence = "fence.mbarrier_init.release.cluster;\n";
    fails(setting, first + fence + again + rest, "race: ");
    run(setting, first + fence + "bar.sync 0;\n" + again + rest);
    // What threads wrote themselves must have been fenced, too.
    String own = init(1) + fill(256, 64);
    fails(setting, own + "bar.sync 0;\n" + once + await(0), "no fence.proxy.async of that thread lies between");
    run(setting, own + "fence.proxy.async.shared::cta; bar.sync 0;\n" + once + await(0));
  }

  @Test
  void storesReadWhatWasFenced() {
    Setting setting = Setting.of(64).in(table()).tensor((in, out) -> halves(out, Swizzle.NONE));
    String store = at(0, 0) + STORE + COMMIT + "@%p0 cp.async.bulk.wait_group.read 0;\n";
    String fill = fill(256, 64);
    run(setting, fill + "fence.proxy.async.shared::cta; bar.sync 0;\n" + store);
    run(setting, fill + "fence.proxy.async; bar.sync 0;\n" + store);
    fails(
        setting,
        fill + "bar.sync 0;\n" + store,
        "copies in bulk from shared memory at 0x400, which thread (3,0,0) wrote",
        "no fence.proxy.async of that thread lies between");
    fails(
        setting,
        fill + "bar.sync 0; fence.proxy.async.shared::cta;\n" + store,
        "the one it executed came after the barrier");
    fails(
        setting,
        fill + "fence.proxy.async.shared::cta;\n" + store,
        "copies in bulk from 4 bytes of shared memory",
        "thread (0,0,0)");
    fails(setting, fill(128, 64) + "fence.proxy.async.shared::cta; bar.sync 0;\n" + store, "uninitialised");
  }

  @Test
  void storesAreWaitedFor() {
    Setting setting = Setting.of(64).in(table()).tensor((in, out) -> halves(out, Swizzle.NONE));
    String begin = fill(256, 64) + "fence.proxy.async.shared::cta; bar.sync 0;\n" + at(0, 0) + STORE;
    String await = "@%p0 cp.async.bulk.wait_group.read 0;\n";
    fails(setting, begin, "exits and has not committed its bulk copy at planted.ptx", "may still read shared memory");
    fails(setting, begin + COMMIT, "exits and has not waited for its bulk copy");
    fails(setting, begin + COMMIT + await.replace(" 0;", " 1;"), "exits and has not waited for its bulk copy");
    run(setting, begin + COMMIT + COMMIT + await.replace(" 0;", " 1;"));
    Setting alone = Setting.of(32).in(table()).tensor((in, out) -> halves(out, Swizzle.NONE));
    fails(
        alone,
        begin.replace(fill(256, 64), fill(256, 32)) + COMMIT + fill(32, 32) + await,
        "writes shared memory at 0x400 which a bulk store still reads: no wait_group.read has waited for it");
    fails(setting, begin + COMMIT + await + LATER + fill(64, 64), "race: writes 4 bytes", "which thread (0,0,0) read");
    run(setting, begin + COMMIT + await + "bar.sync 0;\n" + fill(64, 64));
    // Before the whole group was waited for, global memory is as it was.
    String look = "ld.global.u32 %r5, [%out+4]; @%p0 st.global.u32 [%out+92], %r5;\n";
    gives(new int[] {0, 1}, run(setting, begin + COMMIT + await + look));
    int[] late = run(setting, begin + COMMIT + await + look);
    int[] done = run(setting, begin + COMMIT + await.replace(".read", "") + look);
    assertArrayEquals(new int[] {0, 1}, new int[] {late[23], done[23]});
    assertArrayEquals(Arrays.copyOf(numbers(20), 20), Arrays.copyOf(done, 20));
  }

  @Test
  void mapsAndPlacesAreChecked() {
    Setting setting = Setting.of(32).in(table()).tensor((in, out) -> halves(in, Swizzle.BYTES_128));
    String load = init(1) + at(0, 0) + EXPECT.replace("BYTES", "1024") + LOAD + await(0);
    fails(setting, load.replace("[%tile]", "[%tile+64]"), "is no multiple of 128");
    fails(
        setting, load.replace("2d", "3d").replace("%r21}", "%r21, %r20}"), "gives 3 coordinates for a tensor map of 2");
    fails(setting, load.replace("%map,", "%map+64,"), "where none is that a driver encoded");
    fails(setting, load.replace("%map,", "%map+32,"), "which is no multiple of 64");
    fails(setting, load.replace("[%tile]", "[%tile+65024]"), "out of bounds");
    fails(
        setting,
        load.replace("@%p0 fence.mbarrier_init.release.cluster;", ""),
        "executed no fence.mbarrier_init since it initialised it");
    fails(setting.in(Arrays.copyOf(table(), 100)), load, "copies in bulk from 80 bytes", "beyond its end");
    fails(
        setting.tensor((in, out) -> new TensorMap(
            DType.BF16, in, List.of(new Dimension(40, 2, 32), new Dimension(20, 96, 8)), Swizzle.BYTES_128)),
        load,
        "copies rows of 64 bytes with a swizzle of 128");
    String cast = load.replace("bytes [", "bytes.multicast::cluster [").replace("}], [%bar]", "}], [%bar], %r22");
    run(setting, "mov.b32 %r22, 1;\n" + cast);
    fails(setting, "mov.b32 %r22, 3;\n" + cast, "copies to the blocks 0x3 of its cluster, which has one");
    run(setting, load.replace("bar.sync 0;", "bar.sync 0; prefetch.tensormap [%map];"));
  }
}
