package dev.fovea.kernels.ptx;

import static dev.fovea.kernels.ptx.Planted.fails;
import static dev.fovea.kernels.ptx.Planted.run;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.fovea.kernels.ptx.Planted.Setting;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** {@code wgmma} against loops, its matrices laid out by the manual's figures; and what is done wrong around it. */
class WarpGroupTest {
  private static final String FENCE = "wgmma.fence.sync.aligned;\n";
  private static final String COMMIT = "wgmma.commit_group.sync.aligned;\n";
  private static final String WAIT = "wgmma.wait_group.sync.aligned 0;\n";

  /** Where B begins in shared memory, behind A. */
  private static final int SECOND = 16 << 10;

  private static final int BYTES = 48 << 10;

  /** Copies what comes in to shared memory, word by word. */
  private static final String FILL =
      """
      mov.u32 %r1, %t;
      MORE: mul.wide.u32 %rd1, %r1, 4;
      add.s64 %rd1, %rd1, %in;
      ld.global.u32 %r2, [%rd1];
      shl.b32 %r3, %r1, 2;
      add.s32 %r3, %r3, %tile;
      st.shared.u32 [%r3], %r2;
      add.s32 %r1, %r1, %ntid.x;
      setp.lt.u32 %p, %r1, 12288;
      @%p bra MORE;
      """.replace("add.s32 %r1, %r1, %ntid.x;", "mov.u32 %r4, %ntid.x; add.s32 %r1, %r1, %r4;");

  private static final String SHARE = "fence.proxy.async.shared::cta; bar.sync 0;\n";

  /** A matrix in shared memory: its width in bytes of the swizzle, and whether rows or columns lie side by side. */
  private record Layout(int swizzle, boolean transposed) {
    /** The byte of a number: mn counts rows of A or columns of B. */
    int at(int mn, int k) {
      if (swizzle == 0) {
        int core = (mn / 8 * 2 + k / 8) * 128;
        return core + (transposed ? k % 8 * 16 + mn % 8 * 2 : mn % 8 * 16 + k % 8 * 2);
      }
      int line = transposed ? k : mn;
      int along = transposed ? mn % (swizzle / 2) : k;
      int slab = transposed ? mn / (swizzle / 2) * 16 * swizzle : 0;
      int swap = switch (swizzle) {
        case 128 -> line % 8;
        case 64 -> line / 2 % 4;
        default -> line / 4 % 2;
      };
      return slab + line * swizzle + (along / 8 ^ swap) * 16 + along % 8 * 2;
    }

    long descriptor() {
      long leading = swizzle == 0 ? 128 : transposed ? 16 * swizzle : 16;
      long stride = swizzle == 0 ? 256 : 8 * swizzle;
      long code = switch (swizzle) {
        case 128 -> 1;
        case 64 -> 2;
        case 32 -> 3;
        default -> 0;
      };
      return leading / 16 << 16 | stride / 16 << 32 | code << 62;
    }
  }

  private static float[] matrix(int mn, long seed) {
    Random random = new Random(seed);
    float[] numbers = new float[mn * 16];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = Float.intBitsToFloat(Float.floatToRawIntBits(random.nextFloat() - 0.5f) & 0xffff_0000);
    }
    return numbers;
  }

  private static void put(int[] words, int at, float number) {
    words[at >> 2] |= Float.floatToRawIntBits(number) >>> 16 << 8 * (at & 2);
  }

  private static int[] image(float[] a, Layout layoutA, float[] b, Layout layoutB) {
    int[] words = new int[BYTES / 4];
    for (int mn = 0; mn < 64; mn++) {
      for (int k = 0; k < 16; k++) {
        put(words, layoutA.at(mn, k), a[mn * 16 + k]);
      }
    }
    for (int mn = 0; mn < b.length / 16; mn++) {
      for (int k = 0; k < 16; k++) {
        put(words, SECOND + layoutB.at(mn, k), b[mn * 16 + k]);
      }
    }
    return words;
  }

  /** A register with the descriptor of a matrix at an offset of the tile. */
  private static String descriptor(String to, int offset, long bits) {
    return "add.s32 %r5, %tile, " + offset + "; shr.u32 %r5, %r5, 4; cvt.u64.u32 " + to + ", %r5; or.b64 " + to + ", "
        + to + ", " + bits + ";\n";
  }

  private static String sums(int n) {
    return IntStream.range(0, n / 2).mapToObj(i -> "%f" + i).collect(Collectors.joining(", ", "{", "}"));
  }

  private static String multiply(int n, String a, boolean adds, String rest) {
    return "{ .reg .pred p; setp.ne.b32 p, " + (adds ? 1 : 0) + ", 0;\nwgmma.mma_async.sync.aligned.m64n" + n
        + "k16.f32.bf16.bf16 " + sums(n) + ", " + a + ", %rd11, p, " + rest + "; }\n";
  }

  /** Stores each thread's registers one after another. */
  private static String dump(int n) {
    StringBuilder text = new StringBuilder("mul.wide.u32 %rd1, %t, " + 2 * n + "; add.s64 %rd1, %rd1, %out;\n");
    for (int i = 0; i < n / 2; i++) {
      text.append("st.global.f32 [%rd1+")
          .append(4 * i)
          .append("], %f")
          .append(i)
          .append(";\n");
    }
    return text.toString();
  }

  /** What a register of a thread should hold after some products, each added in the order of k. */
  private static float expected(float[] a, float[] b, int thread, int i, int times, float sign) {
    int row = 16 * (thread / 32) + thread % 32 / 4 + 8 * (i / 2 % 2);
    int column = 8 * (i / 4) + 2 * (thread % 4) + i % 2;
    float sum = 0;
    for (int time = 0; time < times; time++) {
      for (int k = 0; k < 16; k++) {
        sum += sign * a[row * 16 + k] * b[column * 16 + k];
      }
    }
    return sum;
  }

  private static void check(float[] a, float[] b, int[] got, int n, int times, float sign) {
    for (int thread = 0; thread < 128; thread++) {
      for (int i = 0; i < n / 2; i++) {
        assertEquals(
            expected(a, b, thread, i, times, sign),
            Float.intBitsToFloat(got[thread * n / 2 + i]),
            "thread " + thread + ", register " + i);
      }
    }
  }

  private static Stream<Arguments> layouts() {
    List<Arguments> all = new ArrayList<>();
    for (int swizzle : new int[] {0, 32, 64, 128}) {
      for (boolean transposedA : new boolean[] {false, true}) {
        for (boolean transposedB : new boolean[] {false, true}) {
          // MN-major slabs are as wide as the swizzle.
          int n = transposedB && swizzle == 128 ? 192 : 32 + swizzle;
          all.add(Arguments.of(n, new Layout(swizzle, transposedA), new Layout(swizzle, transposedB)));
        }
      }
    }
    all.add(Arguments.of(8, new Layout(128, false), new Layout(0, false)));
    all.add(Arguments.of(72, new Layout(128, true), new Layout(128, false)));
    all.add(Arguments.of(256, new Layout(64, false), new Layout(128, true)));
    return all.stream();
  }

  @ParameterizedTest
  @MethodSource("layouts")
  void bothFromSharedMemory(int n, Layout layoutA, Layout layoutB) {
    float[] a = matrix(64, 1);
    float[] b = matrix(n, 2);
    String rest = "1, 1, " + (layoutA.transposed ? 1 : 0) + ", " + (layoutB.transposed ? 1 : 0);
    String body = FILL
        + SHARE
        + descriptor("%rd10", 0, layoutA.descriptor())
        + descriptor("%rd11", SECOND, layoutB.descriptor())
        + FENCE
        + multiply(n, "%rd10", false, rest)
        + multiply(n, "%rd10", true, rest)
        + COMMIT
        + WAIT
        + dump(n);
    Setting setting = Setting.of(128).in(image(a, layoutA, b, layoutB)).out(64 * n);
    check(a, b, run(setting, body), n, 2, 1);
  }

  @Test
  void theFirstFromRegisters() {
    int n = 24;
    float[] a = matrix(64, 3);
    float[] b = matrix(n, 4);
    Layout layout = new Layout(128, false);
    Layout rows = new Layout(32, false);
    // Registers of A from the plain rows of a matrix of 32 bytes a row, whose chunks are swapped.
    StringBuilder load = new StringBuilder(
        "shr.u32 %r6, %t, 5; shl.b32 %r6, %r6, 4; and.b32 %r7, %t, 31; shr.u32 %r8, %r7, 2; add.s32 %r6, %r6, %r8;\n"
            + "and.b32 %r7, %t, 3; shl.b32 %r7, %r7, 2;\n");
    for (int i = 0; i < 4; i++) {
      // Row r6 + 8 (i % 2), chunk i / 2, swapped where the row is 4 to 7 of 8.
      load.append("add.s32 %r8, %r6, " + 8 * (i % 2) + "; shr.u32 %r9, %r8, 2; and.b32 %r9, %r9, 1; xor.b32 %r9, %r9, "
          + i / 2 + "; shl.b32 %r9, %r9, 4; shl.b32 %r8, %r8, 5; add.s32 %r8, %r8, %r9; add.s32 %r8, %r8, %r7;"
          + " add.s32 %r8, %r8, %tile; ld.shared.b32 %r" + (20 + i) + ", [%r8];\n");
    }
    String body = FILL
        + SHARE
        + load
        + descriptor("%rd11", SECOND, layout.descriptor())
        + FENCE
        + multiply(n, "{%r20, %r21, %r22, %r23}", false, "-1, 1, 0")
        + COMMIT
        + WAIT
        + dump(n);
    Setting setting = Setting.of(128).in(image(a, rows, b, layout)).out(64 * n);
    check(a, b, run(setting, body), n, 1, -1);
  }

  @Test
  void aSliceOfAWiderMatrix() {
    int n = 16;
    float[] a = matrix(64, 5);
    float[] b = matrix(n, 6);
    Layout layout = new Layout(128, false);
    int[] words = new int[BYTES / 4];
    for (int k = 0; k < 16; k++) {
      for (int mn = 0; mn < 64; mn++) {
        // Columns 32 to 47 of 64: two steps of 16, which is 32 bytes each.
        put(words, layout.at(mn, k + 32), a[mn * 16 + k]);
      }
      for (int mn = 0; mn < n; mn++) {
        put(words, SECOND + layout.at(mn, k + 48), b[mn * 16 + k]);
      }
    }
    String body = FILL
        + SHARE
        + descriptor("%rd10", 64, layout.descriptor())
        + descriptor("%rd11", SECOND + 96, layout.descriptor())
        + FENCE
        + multiply(n, "%rd10", false, "1, 1, 0, 0")
        + COMMIT
        + WAIT
        + dump(n);
    check(a, b, run(Setting.of(128).in(words).out(64 * n), body), n, 1, 1);
  }

  @Test
  void patternsThatBeginElsewhere() {
    int n = 8;
    float[] a = matrix(64, 7);
    float[] b = matrix(n, 8);
    Layout layout = new Layout(128, false);
    int[] image = image(a, layout, b, layout);
    int[] words = new int[BYTES / 4];
    // A begins 3 rows of 128 bytes further on, its pattern with it.
    System.arraycopy(image, 0, words, 96, SECOND / 4 - 96);
    System.arraycopy(image, SECOND / 4, words, SECOND / 4, 1024);
    String body = FILL
        + SHARE
        + descriptor("%rd10", 384, layout.descriptor() | 3L << 49)
        + descriptor("%rd11", SECOND, layout.descriptor())
        + FENCE
        + multiply(n, "%rd10", false, "1, 1, 0, 0")
        + COMMIT
        + WAIT
        + dump(n);
    check(a, b, run(Setting.of(128).in(words).out(64 * n), body), n, 1, 1);
  }

  private static final Layout PLAIN = new Layout(128, false);
  private static final Setting SETTING =
      Setting.of(128).in(image(matrix(64, 1), PLAIN, matrix(8, 2), PLAIN)).out(1024);
  private static final String BEGIN =
      descriptor("%rd10", 0, PLAIN.descriptor()) + descriptor("%rd11", SECOND, PLAIN.descriptor());
  private static final String MULTIPLY = multiply(8, "%rd10", false, "1, 1, 0, 0");
  private static final String READY = FILL + SHARE + BEGIN;

  @Test
  void sumsBelongToNobodyBeforeTheyAreWaitedFor() {
    run(SETTING, READY + FENCE + MULTIPLY + COMMIT + WAIT + dump(8));
    String flying = "uses a register of a wgmma in flight: no wgmma.wait_group has waited for it";
    fails(SETTING, READY + FENCE + MULTIPLY + COMMIT + dump(8) + WAIT, flying, "st.global.f32 [%rd1], %f0");
    fails(SETTING, READY + FENCE + MULTIPLY + COMMIT + WAIT.replace(" 0;", " 1;") + dump(8), flying);
    fails(SETTING, READY + FENCE + MULTIPLY + WAIT + dump(8), flying);
    fails(SETTING, READY + FENCE + MULTIPLY + COMMIT + "mov.f32 %f3, 0f00000000;\n" + WAIT, flying);
    run(SETTING, READY + FENCE + MULTIPLY + COMMIT + COMMIT + WAIT.replace(" 0;", " 1;") + dump(8));
    fails(SETTING, READY + FENCE + MULTIPLY + COMMIT, "exits and has not waited for its wgmma");
    String fromRegisters = multiply(8, "{%r20, %r21, %r22, %r23}", false, "1, 1, 0");
    fails(
        SETTING,
        READY + FENCE + fromRegisters + COMMIT + "add.s32 %r22, %r22, 1;\n" + WAIT,
        flying,
        "add.s32 %r22, %r22, 1");
  }

  @Test
  void registersAreFenced() {
    fails(SETTING, READY + MULTIPLY + COMMIT + WAIT, "multiplies before any wgmma.fence");
    fails(
        SETTING,
        READY + FENCE + "mov.f32 %f2, 0f00000000;\n" + MULTIPLY + COMMIT + WAIT,
        "multiplies with a register that was used since the last wgmma.fence, at planted.ptx",
        "`mov.f32 %f2, 0`");
    fails(
        SETTING,
        READY + FENCE + MULTIPLY + COMMIT + WAIT + dump(8) + MULTIPLY + COMMIT + WAIT,
        "used since the last wgmma.fence");
    run(SETTING, READY + FENCE + MULTIPLY + COMMIT + WAIT + dump(8) + FENCE + MULTIPLY + COMMIT + WAIT);
    fails(
        SETTING,
        READY + FENCE + MULTIPLY + multiply(16, "%rd10", false, "1, 1, 0, 0") + COMMIT + WAIT,
        "of which another wgmma in flight uses some, in another shape");
  }

  @Test
  void matricesAreThereAndFenced() {
    fails(SETTING, BEGIN + FENCE + MULTIPLY + COMMIT + WAIT, "multiplies 4 bytes of shared memory", "uninitialised");
    fails(
        SETTING,
        FILL + "bar.sync 0;\n" + BEGIN + FENCE + MULTIPLY + COMMIT + WAIT,
        "multiplies shared memory at 0x",
        "wrote",
        "no fence.proxy.async of that thread lies between");
    fails(
        SETTING.in(Arrays.copyOf(new int[0], BYTES / 4)),
        READY + SHARE + FENCE + MULTIPLY.replace("%rd10", "%rd12") + COMMIT + WAIT,
        "uninitialised");
    fails(
        SETTING,
        READY + "or.b64 %rd10, %rd10, 16384;\n" + FENCE + MULTIPLY + COMMIT + WAIT,
        "which sets bits that mean nothing");
  }

  @Test
  void matricesAreNotOverwrittenWhileTheyAreRead() {
    String store = "mov.b32 %r1, 0; st.shared.u32 [%tile], %r1;\n";
    String race = "race: writes shared memory at 0x400, which wgmma number 1 of warpgroup 0 reads";
    fails(SETTING, READY + FENCE + MULTIPLY + COMMIT + store.replace("st.", "@%p0 st.") + WAIT, race);
    run(SETTING, READY + FENCE + MULTIPLY + COMMIT + WAIT + "bar.sync 0;\n" + store);
    // A fifth warp writes: it must have learnt of the wait, not of the wgmma.
    String other = "setp.lt.u32 %p, %t, 128; @%p bra FIRST; bar.sync 1, 160;\n" + store + "bra OUT; FIRST:\n";
    Setting five = new Setting(160, SETTING.in(), SETTING.out(), SETTING.shared(), null);
    String begin = FILL + SHARE + BEGIN + other + FENCE + MULTIPLY + COMMIT;
    run(five, begin + WAIT + "bar.arrive 1, 160; OUT:\n");
    fails(five, begin + "bar.arrive 1, 160;\n" + WAIT + "OUT:\n", race, "thread (128,0,0)");
  }

  @Test
  void fourWarpsMultiplyTogether() {
    String some = "setp.lt.u32 %p, %t, 96; @!%p bra OUT;\n";
    fails(
        SETTING,
        READY + some + FENCE + MULTIPLY + COMMIT + WAIT + "OUT:\n",
        "deadlock",
        "wait for wgmma number 1 of the warps 3 of their warpgroup");
    fails(
        SETTING,
        READY + "setp.lt.u32 %p, %t, 32; @%p add.s64 %rd10, %rd10, 2;\n" + FENCE + MULTIPLY + COMMIT + WAIT,
        "whose wgmma number 1 is another, or of other matrices, than that of a warp before it in its warpgroup");
    fails(
        SETTING,
        READY + "setp.eq.u32 %p, %t, 7; @%p add.s64 %rd10, %rd10, 2;\n" + FENCE + MULTIPLY + COMMIT + WAIT,
        "multiplies with another matrix descriptor than the first lane");
    fails(
        Setting.of(96).in(SETTING.in()), READY + FENCE + MULTIPLY + COMMIT + WAIT, "in a warpgroup of less than four");
    fails(
        SETTING,
        READY + FENCE + MULTIPLY.replace("wgmma", "@%p0 wgmma") + COMMIT + WAIT,
        "wait for other lanes of their warp");
  }
}
