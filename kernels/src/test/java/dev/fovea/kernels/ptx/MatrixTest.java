package dev.fovea.kernels.ptx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Matrix instructions against loops written from the manual's figures: where each lane's elements lie. */
class MatrixTest {
  private static final String HEAD = """
      .version 9.0
      .target sm_80
      .address_size 64
      .visible .entry test(.param .u64 in, .param .u64 out)
      {
        .reg .b32 %a<4>, %b<2>, %c<4>, %d<4>, %t, %u, %v;
        .reg .f32 %fc<4>, %fd<4>;
        .reg .b64 %in, %out, %at;
        .shared .align 128 .b8 tile[4096];
        ld.param.u64 %in, [in];
        ld.param.u64 %out, [out];
        mov.u32 %t, %tid.x;
        mul.wide.u32 %at, %t, 64;
        add.s64 %in, %in, %at;
        add.s64 %out, %out, %at;
      """;
  private static final String TAIL = "\n ret;\n}\n";

  /** Per lane 16 words in, 16 words out. */
  private static int[] run(String body, int[] in) {
    try (Machine machine = new Machine()) {
      Kernel kernel = machine.load("matrix.ptx", HEAD + body + TAIL).kernel("test");
      long out = machine.upload(new int[512]);
      machine.launch(kernel, 1, 32, 0, machine.upload(in), out);
      return machine.ints(out, 512);
    }
  }

  private static String list(String name, int count) {
    StringBuilder text = new StringBuilder("{");
    for (int i = 0; i < count; i++) {
      text.append(i == 0 ? "" : ", ").append(name).append(i);
    }
    return text + "}";
  }

  private static String load(String name, int count, int at) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < count; i++) {
      text.append("ld.global.b32 ")
          .append(name)
          .append(i)
          .append(", [%in+")
          .append(4 * (at + i))
          .append("];\n");
    }
    return text.toString();
  }

  private static int half(float value, String type) {
    return type.equals("bf16") ? Float.floatToRawIntBits(value) >>> 16 : Float.floatToFloat16(value) & 0xffff;
  }

  /** Small integers, so that every product and sum is exact in all formats. */
  private static float[][] matrix(Random random, int rows, int columns) {
    float[][] matrix = new float[rows][columns];
    for (float[] row : matrix) {
      for (int i = 0; i < columns; i++) {
        row[i] = random.nextInt(9) - 4;
      }
    }
    return matrix;
  }

  @ParameterizedTest
  @CsvSource({"16,bf16", "8,bf16", "16,f16", "8,f16", "8,tf32", "4,tf32"})
  void productsOfFragments(int k, String type) {
    Random random = new Random(k);
    float[][] a = matrix(random, 16, k);
    float[][] b = matrix(random, k, 8);
    float[][] c = matrix(random, 16, 8);
    boolean tensor = type.equals("tf32");
    int registersA = tensor ? k / 2 : k / 4;
    int registersB = tensor ? k / 4 : k / 8;
    int[] in = new int[512];
    for (int lane = 0; lane < 32; lane++) {
      int group = lane / 4;
      int thread = lane % 4;
      for (int i = 0; i < registersA; i++) {
        int row = i % 2 == 0 ? group : group + 8;
        if (tensor) {
          int column = i < 2 ? thread : thread + 4;
          // What lies below the mantissa's ten bits is not looked at.
          in[lane * 16 + i] = Float.floatToRawIntBits(a[row][column]) | 0x155;
        } else {
          int column = thread * 2 + (i < 2 ? 0 : 8);
          in[lane * 16 + i] = half(a[row][column], type) | half(a[row][column + 1], type) << 16;
        }
      }
      for (int i = 0; i < registersB; i++) {
        if (tensor) {
          in[lane * 16 + 4 + i] = Float.floatToRawIntBits(b[thread + 4 * i][group]);
        } else {
          int row = thread * 2 + 8 * i;
          in[lane * 16 + 4 + i] = half(b[row][group], type) | half(b[row + 1][group], type) << 16;
        }
      }
      for (int i = 0; i < 4; i++) {
        in[lane * 16 + 6 + i] = Float.floatToRawIntBits(c[i < 2 ? group : group + 8][thread * 2 + i % 2]);
      }
    }
    String body = load("%a", registersA, 0) + load("%b", registersB, 4) + load("%fc", 4, 6)
        + "mma.sync.aligned.m16n8k" + k + ".row.col.f32." + type + "." + type + ".f32 " + list("%fd", 4) + ", "
        + list("%a", registersA) + ", " + list("%b", registersB) + ", " + list("%fc", 4) + ";\n"
        + "st.global.v4.f32 [%out], {%fd0, %fd1, %fd2, %fd3};";
    int[] out = run(body, in);
    for (int lane = 0; lane < 32; lane++) {
      for (int i = 0; i < 4; i++) {
        int row = lane / 4 + (i < 2 ? 0 : 8);
        int column = lane % 4 * 2 + i % 2;
        float sum = c[row][column];
        for (int j = 0; j < k; j++) {
          sum += a[row][j] * b[j][column];
        }
        assertEquals(sum, Float.intBitsToFloat(out[lane * 16 + i]), "row " + row + " column " + column);
      }
    }
  }

  @Test
  void halfAccumulators() {
    Random random = new Random(7);
    float[][] a = matrix(random, 16, 16);
    float[][] b = matrix(random, 16, 8);
    int[] in = new int[512];
    for (int lane = 0; lane < 32; lane++) {
      int group = lane / 4;
      int column = lane % 4 * 2;
      for (int i = 0; i < 4; i++) {
        float[] row = a[i % 2 == 0 ? group : group + 8];
        int at = column + (i < 2 ? 0 : 8);
        in[lane * 16 + i] = half(row[at], "f16") | half(row[at + 1], "f16") << 16;
      }
      for (int i = 0; i < 2; i++) {
        in[lane * 16 + 4 + i] = half(b[column + 8 * i][group], "f16") | half(b[column + 8 * i + 1][group], "f16") << 16;
      }
      in[lane * 16 + 6] = half(1, "f16") | half(2, "f16") << 16;
      in[lane * 16 + 7] = half(3, "f16") | half(4, "f16") << 16;
    }
    int[] out = run(
        load("%a", 4, 0) + load("%b", 2, 4) + load("%c", 2, 6)
            + "mma.sync.aligned.m16n8k16.row.col.f16.f16.f16.f16 {%d0, %d1}, {%a0, %a1, %a2, %a3}, {%b0, %b1}, {%c0,"
            + " %c1};st.global.v2.b32 [%out], {%d0, %d1};",
        in);
    for (int lane = 0; lane < 32; lane++) {
      for (int i = 0; i < 4; i++) {
        float sum = i + 1;
        for (int j = 0; j < 16; j++) {
          sum += a[lane / 4 + (i < 2 ? 0 : 8)][j] * b[j][lane % 4 * 2 + i % 2];
        }
        assertEquals(sum, Float.float16ToFloat((short) (out[lane * 16 + i / 2] >> 16 * (i % 2))));
      }
    }
  }

  /** A shared tile of 32 rows of 16 bytes whose element (row, column) is 8 row + column; lane l gives row l. */
  private static final String FILL = """
        shl.b32 %u, %t, 4;
        mov.u32 %v, tile;
        add.s32 %v, %v, %u;
        ld.global.v4.b32 {%a0, %a1, %a2, %a3}, [%in];
        st.shared.v4.b32 [%v], {%a0, %a1, %a2, %a3};
        bar.warp.sync 0xffffffff;
      """;

  private static int[] rows() {
    int[] in = new int[512];
    for (int row = 0; row < 32; row++) {
      for (int i = 0; i < 4; i++) {
        in[row * 16 + i] = row * 8 + 2 * i | row * 8 + 2 * i + 1 << 16;
      }
    }
    return in;
  }

  @ParameterizedTest
  @CsvSource({"1,false", "2,false", "4,false", "1,true", "2,true", "4,true"})
  void loadsOfMatrices(int count, boolean transposed) {
    String body = FILL + "ldmatrix.sync.aligned.m8n8.x" + count + (transposed ? ".trans" : "") + ".shared.b16 "
        + list("%d", count) + ", [%v];\n";
    for (int i = 0; i < count; i++) {
      body += "st.global.b32 [%out+" + 4 * i + "], %d" + i + ";\n";
    }
    int[] out = run(body, rows());
    for (int lane = 0; lane < 32; lane++) {
      for (int i = 0; i < count; i++) {
        for (int j = 0; j < 2; j++) {
          int row = transposed ? 2 * (lane % 4) + j : lane / 4;
          int column = transposed ? lane / 4 : 2 * (lane % 4) + j;
          assertEquals((8 * i + row) * 8 + column, out[lane * 16 + i] >> 16 * j & 0xffff, "lane " + lane);
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"false", "true"})
  void storesUndoLoads(boolean transposed) {
    String trans = transposed ? ".trans" : "";
    String matrices = " {%d0, %d1, %d2, %d3}";
    String body = FILL + "ldmatrix.sync.aligned.m8n8.x4" + trans + ".shared.b16" + matrices + ", [%v];\n"
        + "bar.warp.sync 0xffffffff;\n"
        + "stmatrix.sync.aligned.m8n8.x4" + trans + ".shared.b16 [%v+512]," + matrices + ";\n"
        + "bar.warp.sync 0xffffffff;\n"
        + "ld.shared.v4.b32 {%a0, %a1, %a2, %a3}, [%v+512];\n"
        + "st.global.v4.b32 [%out], {%a0, %a1, %a2, %a3};";
    assertArrayEquals(rows(), run(body, rows()));
  }

  @Test
  void transposesInRegisters() {
    String body = FILL + "ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%d0}, [%v];\n"
        + "movmatrix.sync.aligned.m8n8.trans.b16 %d1, %d0;\n"
        + "ldmatrix.sync.aligned.m8n8.x1.trans.shared.b16 {%d2}, [%v];\n"
        + "sub.s32 %d3, %d1, %d2; st.global.b32 [%out], %d3;";
    int[] out = run(body, rows());
    assertEquals(0, Arrays.stream(out).filter(x -> x != 0).count());
  }
}
