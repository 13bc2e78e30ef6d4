package dev.fovea.kernels.ptx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.math.BigInteger;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Integer, logic, comparison and data movement instructions against values computed in Java another way. */
class InstructionTest {
  private static final long[] EDGES = {
    0,
    1,
    2,
    31,
    32,
    33,
    63,
    64,
    127,
    128,
    255,
    0x7fff,
    0x8000,
    0xffff,
    0x7fff_ffffL,
    0x8000_0000L,
    0xffff_ffffL,
    0x1_0000_0000L,
    Long.MAX_VALUE,
    Long.MIN_VALUE,
    -1
  };

  /** What a triple of inputs should give. */
  @FunctionalInterface
  interface Expected {
    long of(long a, long b, long c);
  }

  private static long[] triples() {
    Random random = new Random(1);
    long[] triples = new long[3 * 320];
    for (int i = 0; i < triples.length; i++) {
      triples[i] =
          random.nextInt(3) == 0 ? EDGES[random.nextInt(EDGES.length)] : random.nextLong() >> random.nextInt(64);
    }
    return triples;
  }

  private static DynamicTest row(String text, Expected expected) {
    return dynamicTest(text, () -> {
      long[] triples = triples();
      long[] got = Snippet.run(text, triples);
      long mask = text.contains("%D") ? -1 : text.contains("%hd") ? 0xffff : text.contains("%pd") ? 1 : 0xffff_ffffL;
      for (int i = 0; i < got.length; i++) {
        long a = triples[3 * i];
        long b = triples[3 * i + 1];
        long c = triples[3 * i + 2];
        assertEquals(
            Long.toHexString(expected.of(a, b, c) & mask),
            Long.toHexString(got[i] & mask),
            () -> text + " of " + Long.toHexString(a) + ", " + Long.toHexString(b) + ", " + Long.toHexString(c));
      }
    });
  }

  private static BigInteger big(long value) {
    return BigInteger.valueOf(value);
  }

  private static BigInteger unsigned(long value) {
    return new BigInteger(Long.toUnsignedString(value));
  }

  private static long u(long value) {
    return value & 0xffff_ffffL;
  }

  private static long truth(boolean holds) {
    return holds ? 1 : 0;
  }

  @TestFactory
  Stream<DynamicTest> arithmetic() {
    return Stream.of(
        row("add.s32 %d, %a, %b;", (a, b, c) -> big(a).add(big(b)).longValue()),
        row("add.s64 %D, %A, %B;", (a, b, c) -> big(a).add(big(b)).longValue()),
        row("add.u16 %hd, %ha, %hb;", (a, b, c) -> a + b),
        row("add.sat.s32 %d, %a, %b;", (a, b, c) -> Math.clamp((long) (int) a + (int) b, -1L << 31, (1L << 31) - 1)),
        row("sub.s32 %d, %a, %b;", (a, b, c) -> big(a).subtract(big(b)).longValue()),
        row("mul.lo.s32 %d, %a, %b;", (a, b, c) -> big(a).multiply(big(b)).longValue()),
        row(
            "mul.hi.s32 %d, %a, %b;",
            (a, b, c) -> big((int) a).multiply(big((int) b)).shiftRight(32).longValue()),
        row(
            "mul.hi.u32 %d, %a, %b;",
            (a, b, c) -> big(u(a)).multiply(big(u(b))).shiftRight(32).longValue()),
        row(
            "mul.wide.s32 %D, %a, %b;",
            (a, b, c) -> big((int) a).multiply(big((int) b)).longValue()),
        row(
            "mul.wide.u32 %D, %a, %b;",
            (a, b, c) -> big(u(a)).multiply(big(u(b))).longValue()),
        row("mul.wide.u16 %d, %ha, %hb;", (a, b, c) -> (a & 0xffff) * (b & 0xffff)),
        row(
            "mul.hi.u64 %D, %A, %B;",
            (a, b, c) -> unsigned(a).multiply(unsigned(b)).shiftRight(64).longValue()),
        row(
            "mul.hi.s64 %D, %A, %B;",
            (a, b, c) -> big(a).multiply(big(b)).shiftRight(64).longValue()),
        row(
            "mad.lo.s32 %d, %a, %b, %c;",
            (a, b, c) -> big(a).multiply(big(b)).add(big(c)).longValue()),
        row(
            "mad.wide.s32 %D, %a, %b, %C;",
            (a, b, c) -> big((int) a).multiply(big((int) b)).add(big(c)).longValue()),
        row(
            "mad.hi.u32 %d, %a, %b, %c;",
            (a, b, c) ->
                big(u(a)).multiply(big(u(b))).shiftRight(32).add(big(c)).longValue()),
        row("div.s32 %d, %a, %b;", (a, b, c) -> (int) b == 0 ? -1 : (long) (int) a / (int) b),
        row("div.u32 %d, %a, %b;", (a, b, c) -> u(b) == 0 ? -1 : u(a) / u(b)),
        row(
            "div.u64 %D, %A, %B;",
            (a, b, c) -> b == 0 ? -1 : unsigned(a).divide(unsigned(b)).longValue()),
        row(
            "rem.s64 %D, %A, %B;",
            (a, b, c) -> b == 0 ? a : big(a).remainder(big(b)).longValue()),
        row("rem.u32 %d, %a, %b;", (a, b, c) -> u(b) == 0 ? a : u(a) % u(b)),
        row("abs.s32 %d, %a;", (a, b, c) -> (int) a < 0 ? -a : a),
        row("neg.s64 %D, %A;", (a, b, c) -> 0 - a),
        row("min.s32 %d, %a, %b;", (a, b, c) -> (int) a < (int) b ? a : b),
        row("max.u32 %d, %a, %b;", (a, b, c) -> u(a) > u(b) ? a : b),
        row("min.u64 %D, %A, %B;", (a, b, c) -> unsigned(a).min(unsigned(b)).longValue()),
        row("max.s16 %hd, %ha, %hb;", (a, b, c) -> Math.max((short) a, (short) b)),
        row(
            "sad.u32 %d, %a, %b, %c;",
            (a, b, c) -> big(u(a)).subtract(big(u(b))).abs().add(big(c)).longValue()),
        row(
            "add.cc.u32 %d, %a, %b; addc.u32 %e, %c, %a; mov.b64 %D, {%d, %e};",
            (a, b, c) -> (u(a) | c << 32) + (u(b) | a << 32)),
        row(
            "sub.cc.u32 %d, %a, %b; subc.u32 %e, %c, %a; mov.b64 %D, {%d, %e};",
            (a, b, c) -> (u(a) | c << 32) - (u(b) | a << 32)),
        row(
            "add.cc.u64 %D, %A, %B; addc.u64 %D, 0, 0;",
            (a, b, c) -> unsigned(a).add(unsigned(b)).shiftRight(64).longValue()),
        row(
            "mad.lo.cc.u32 %d, %a, %b, %c; madc.hi.u32 %e, %a, %b, 0; mov.b64 %D, {%d, %e};",
            (a, b, c) -> u(a) * u(b) + u(c)));
  }

  @TestFactory
  Stream<DynamicTest> bits() {
    return Stream.of(
        row("and.b32 %d, %a, %b;", (a, b, c) -> a & b),
        row("or.b64 %D, %A, %B;", (a, b, c) -> a | b),
        row("xor.b16 %hd, %ha, %hb;", (a, b, c) -> a ^ b),
        row("not.b64 %D, %A;", (a, b, c) -> -1 - a),
        row("cnot.b32 %d, %a;", (a, b, c) -> truth((int) a == 0)),
        row("lop3.b32 %d, %a, %b, %c, 0x96;", (a, b, c) -> a ^ b ^ c),
        row("lop3.b32 %d, %a, %b, %c, 0xea;", (a, b, c) -> a & b | c),
        row("lop3.b32 %d, %a, %b, %c, 0xca;", (a, b, c) -> a & b | ~a & c),
        row(
            "shl.b32 %d, %a, %b;",
            (a, b, c) -> big(a).shiftLeft((int) Math.min(u(b), 32)).longValue()),
        row(
            "shl.b64 %D, %A, %b;",
            (a, b, c) -> big(a).shiftLeft((int) Math.min(u(b), 64)).longValue()),
        row(
            "shr.s32 %d, %a, %b;",
            (a, b, c) -> big((int) a).shiftRight((int) Math.min(u(b), 32)).longValue()),
        row(
            "shr.u32 %d, %a, %b;",
            (a, b, c) -> big(u(a)).shiftRight((int) Math.min(u(b), 32)).longValue()),
        row(
            "shr.u64 %D, %A, %b;",
            (a, b, c) -> unsigned(a).shiftRight((int) Math.min(u(b), 64)).longValue()),
        row(
            "shr.s16 %hd, %ha, %b;",
            (a, b, c) -> big((short) a).shiftRight((int) Math.min(u(b), 16)).longValue()),
        row(
            "shf.l.wrap.b32 %d, %a, %b, %c;",
            (a, b, c) -> big(b)
                .shiftLeft(32)
                .or(big(u(a)))
                .shiftLeft((int) c & 31)
                .shiftRight(32)
                .longValue()),
        row(
            "shf.r.clamp.b32 %d, %a, %b, %c;",
            (a, b, c) -> big(u(b))
                .shiftLeft(32)
                .or(big(u(a)))
                .shiftRight((int) Math.min(u(c), 32))
                .longValue()),
        row(
            "and.b32 %b, %b, 31; and.b32 %c, %c, 31; bfe.u32 %d, %a, %b, %c;",
            (a, b, c) -> big(u(a))
                .shiftRight((int) b & 31)
                .mod(BigInteger.TWO.pow((int) c & 31))
                .longValue()),
        row("bfe.s32 %d, %a, 5, 9;", (a, b, c) -> a << 50 >> 55),
        row("bfe.s32 %d, %a, 28, 9;", (a, b, c) -> (int) a >> 28),
        row("bfe.u64 %D, %A, 40, 20;", (a, b, c) -> a >>> 40 & 0xf_ffff),
        row("bfi.b32 %d, %a, %b, 7, 11;", (a, b, c) -> b & ~(0x7ff << 7) | (a & 0x7ff) << 7),
        row("bfi.b64 %D, %A, %B, 60, 9;", (a, b, c) -> b & -1L >>> 4 | a << 60),
        row("prmt.b32 %d, %a, %b, 0x5410;", (a, b, c) -> a & 0xffff | b << 16),
        row("prmt.b32 %d, %a, %b, 0x7632;", (a, b, c) -> u(a) >> 16 | b & 0xffff_0000L),
        row("prmt.b32 %d, %a, %b, 0x8880;", (a, b, c) -> (byte) a < 0 ? ~0xffL | a & 255 : a & 255),
        row("popc.b64 %d, %A;", (a, b, c) -> unsigned(a).bitCount()),
        row("clz.b32 %d, %a;", (a, b, c) -> 32 - big(u(a)).bitLength()),
        row("clz.b64 %d, %A;", (a, b, c) -> 64 - unsigned(a).bitLength()),
        row("brev.b32 %d, %a;", (a, b, c) -> Integer.reverse((int) a)),
        row("bfind.u32 %d, %a;", (a, b, c) -> big(u(a)).bitLength() - 1),
        row("bfind.s32 %d, %a;", (a, b, c) -> big((int) a).bitLength() - 1));
  }

  @TestFactory
  Stream<DynamicTest> comparisons() {
    return Stream.of(
        row("setp.lt.s32 %pd, %a, %b;", (a, b, c) -> truth((int) a < (int) b)),
        row("setp.ge.u32 %pd, %a, %b;", (a, b, c) -> truth(u(a) >= u(b))),
        row("setp.hi.u64 %pd, %A, %B;", (a, b, c) -> truth(unsigned(a).compareTo(unsigned(b)) > 0)),
        row("setp.le.s64 %pd, %A, %B;", (a, b, c) -> truth(a <= b)),
        row("setp.ne.b16 %pd, %ha, %hb;", (a, b, c) -> truth((short) a != (short) b)),
        row("setp.eq.s32 %pd, %a, 255;", (a, b, c) -> truth((int) a == 255)),
        row(
            "setp.lt.s32 %pq, %b, %c; setp.lt.and.s32 %pd, %a, %b, %pq;",
            (a, b, c) -> truth((int) a < (int) b && (int) b < (int) c)),
        row(
            "setp.lt.s32 %pq, %b, %c; setp.lt.or.s32 %pd|%pq, %a, %b, !%pq;",
            (a, b, c) -> truth((int) a < (int) b || (int) b >= (int) c)),
        row(
            "setp.lt.s32 %pq, %b, %c; setp.gt.s32 %pd, %a, %b; xor.pred %pd, %pd, %pq; not.pred %pd, %pd;",
            (a, b, c) -> truth((int) a > (int) b == (int) b < (int) c)),
        row("set.lt.u32.s32 %d, %a, %b;", (a, b, c) -> (int) a < (int) b ? -1 : 0),
        row("setp.gt.s64 %pq, %A, 9; selp.b32 %d, %b, %c, %pq;", (a, b, c) -> a > 9 ? b : c),
        row("slct.s32.s32 %d, %a, %b, %c;", (a, b, c) -> (int) c >= 0 ? a : b),
        row(
            "setp.lt.s32 %pq, %a, %b; mov.b32 %d, %a; @%pq mov.b32 %d, %b; @!%pq add.s32 %d, %d, 1;",
            (a, b, c) -> (int) a < (int) b ? b : a + 1));
  }

  @TestFactory
  Stream<DynamicTest> moves() {
    return Stream.of(
        row("mov.b64 {%d, %e}, %A; mov.b64 %D, {%e, %d};", (a, b, c) -> a << 32 | a >>> 32),
        row("mov.b32 {%hc, %hd}, %a;", (a, b, c) -> a >> 16),
        row("mov.b32 %d, {%ha, %hb};", (a, b, c) -> a & 0xffff | b << 16),
        row("cvt.s64.s32 %D, %a;", (a, b, c) -> (int) a),
        row("cvt.u64.u32 %D, %a;", (a, b, c) -> u(a)),
        row("ld.global.s32 %D, [%at];", (a, b, c) -> (int) a),
        row("ld.global.u32 %D, [%at];", (a, b, c) -> u(a)),
        row("cvt.s32.s16 %d, %ha;", (a, b, c) -> (short) a),
        row("cvt.u32.u8 %d, %a;", (a, b, c) -> a & 255),
        row("cvt.s32.s8 %d, %a;", (a, b, c) -> (byte) a),
        row("cvt.sat.s8.s32 %d, %a;", (a, b, c) -> Math.clamp((int) a, -128, 127)),
        row("cvt.sat.u8.s32 %d, %a;", (a, b, c) -> Math.clamp((int) a, 0, 255)),
        row("cvt.u32.u64 %d, %A;", (a, b, c) -> a),
        row("{ .reg .b32 %a; mov.b32 %a, 7; cvt.u64.u32 %D, %a; }", (a, b, c) -> 7));
  }

  @TestFactory
  Stream<DynamicTest> control() {
    return Stream.of(
        // As many rounds as the lowest bits say: lanes part and meet again.
        row(
            "and.b32 %b, %a, 15; mov.b32 %d, 0; mov.b32 %c, 0; LOOP: setp.ge.u32 %pq, %c, %b; @%pq bra.uni OUT;"
                + " add.s32 %c, %c, 1; mad.lo.s32 %d, %d, 3, %c; bra LOOP; OUT: add.s32 %d, %d, 5;",
            (a, b, c) -> {
              long sum = 0;
              for (int i = 1; i <= (a & 15); i++) {
                sum = sum * 3 + i;
              }
              return sum + 5;
            }),
        row(
            "setp.lt.s32 %pq, %a, %b; @%pq bra LESS; mov.b32 %d, 1; bra ON; LESS: mov.b32 %d, 2; ON:",
            (a, b, c) -> (int) a < (int) b ? 2 : 1),
        row(
            "{ .reg .b32 %x; { bra L; mov.b32 %x, 1; L: mov.b32 %x, 4; } bra L; mov.b32 %x, 3; L: mov.b32 %d, %x; }",
            (a, b, c) -> 4));
  }
}
