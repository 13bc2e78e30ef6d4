package dev.fovea.kernels.ptx;

import java.lang.foreign.MemorySegment;

/**
 * Runs one or a few instructions on many triples of inputs. The text reads {@code %A %B %C} (64 bit), {@code %a %b %c}
 * (their low 32 bits; {@code %fa...} as floats, {@code %Fa...} the 64 bits as doubles) and {@code %ha...} (16 bits),
 * and writes {@code %D}, {@code %d}, {@code %fd}, {@code %Fd}, {@code %hd} or {@code %pd}.
 */
final class Snippet {
  private static final String HEAD = """
      .version 9.0
      .target sm_80
      .address_size 64
      .visible .entry test(.param .u64 in, .param .u64 out, .param .u32 count)
      {
        .reg .pred %pd, %pq, %pz;
        .reg .b16 %ha, %hb, %hc, %hd;
        .reg .b32 %a, %b, %c, %d, %e, %i, %n;
        .reg .f32 %fa, %fb, %fc, %fd;
        .reg .f64 %Fa, %Fb, %Fc, %Fd;
        .reg .b64 %A, %B, %C, %D, %in, %out, %at;
        ld.param.u64 %in, [in];
        ld.param.u64 %out, [out];
        ld.param.u32 %n, [count];
        mov.u32 %i, %ctaid.x;
        mov.u32 %d, %ntid.x;
        mov.u32 %e, %tid.x;
        mad.lo.s32 %i, %i, %d, %e;
        setp.ge.u32 %pz, %i, %n;
        mul.wide.u32 %at, %i, 24;
        add.s64 %at, %in, %at;
        @%pz bra DONE;
        ld.global.b64 %A, [%at];
        ld.global.b64 %B, [%at+8];
        ld.global.b64 %C, [%at+16];
        cvt.u32.u64 %a, %A;
        cvt.u32.u64 %b, %B;
        cvt.u32.u64 %c, %C;
        cvt.u16.u64 %ha, %A;
        cvt.u16.u64 %hb, %B;
        cvt.u16.u64 %hc, %C;
        mov.b32 %fa, %a;
        mov.b32 %fb, %b;
        mov.b32 %fc, %c;
        mov.b64 %Fa, %A;
        mov.b64 %Fb, %B;
        mov.b64 %Fc, %C;
        mov.b64 %D, 0;
      """;
  private static final String TAIL = """
        mul.wide.u32 %at, %i, 8;
        add.s64 %at, %out, %at;
        st.global.b64 [%at], %D;
      DONE:
        ret;
      }
      """;

  private Snippet() {}

  /** Moves what the text wrote to where it is stored from. */
  private static String result(String text) {
    if (text.contains("%pd")) {
      return "selp.b64 %D, 1, 0, %pd;";
    }
    if (text.contains("%fd")) {
      return "mov.b32 %d, %fd; cvt.u64.u32 %D, %d;";
    }
    if (text.contains("%Fd")) {
      return "mov.b64 %D, %Fd;";
    }
    if (text.contains("%D")) {
      return "";
    }
    return text.contains("%hd") ? "cvt.u64.u16 %D, %hd;" : "cvt.u64.u32 %D, %d;";
  }

  /** The bits of the result for each triple. */
  static long[] run(String text, long[] triples) {
    String result = result(text);
    int count = triples.length / 3;
    try (Machine machine = new Machine()) {
      Kernel kernel =
          machine.load("test.ptx", HEAD + text + "\n" + result + "\n" + TAIL).kernel("test");
      long in = machine.allocate(8L * triples.length);
      machine.memory.copyIn(in, MemorySegment.ofArray(triples));
      long out = machine.allocate(8L * count);
      machine.launch(kernel, (count + 63) / 64, 64, 0, in, out, count);
      return machine.longs(out, count);
    }
  }
}
