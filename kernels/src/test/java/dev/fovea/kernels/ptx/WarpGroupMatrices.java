package dev.fovea.kernels.ptx;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * {@code wgmma}: four warps multiply 64 x 16 by 16 x n, of bfloat16 or half numbers. A lies in shared memory or in
 * registers, B in shared memory; each warp adds up its 16 rows in f32, in the order of k. The sums of a warp are 16
 * rows, of which register r of a lane holds row lane / 4 + 8 (r / 2 % 2) and column 8 (r / 4) + 2 (lane % 4) + r % 2.
 */
final class WarpGroupMatrices implements Op {
  private static final int K = 16;
  private static final int ROWS = 16;

  private final Type type;
  private final int n;
  private final int[] d;

  /** Registers of A, or of its descriptor. */
  private final int[] a;

  private final boolean registers;
  private final int b;
  private final int adds;
  private final boolean negative;
  private final boolean transposedA;
  private final boolean transposedB;

  private WarpGroupMatrices(Operands o, int n) {
    this.n = n;
    type = o.type(1);
    d = o.regs(0);
    registers = o.operand(1) instanceof Operand.Vector;
    a = o.regs(1);
    b = o.reg(2);
    adds = o.source(3);
    negative = o.number(4) * o.number(5) < 0;
    transposedA = !registers && o.number(6) != 0;
    transposedB = o.number(registers ? 6 : 7) != 0;
    if (d.length != n / 2 || a.length != (registers ? 4 : 1)) {
      throw o.error("has operands of other sizes than its shape");
    }
  }

  static Op compile(Operands o) {
    return switch (o.part(1)) {
      case "fence" -> together((w, m) -> w.products().fence());
      case "commit_group" -> together((w, m) -> w.products().commit(w.block.warpGroups.issued(w)));
      case "wait_group" -> {
        int left = o.number(0);
        yield together((w, m) -> {
          if (w.block.warpGroups.await(w, w.products().awaited(left))) {
            w.products().complete(left);
          }
        });
      }
      case "mma_async" -> together(multiply(o));
      default -> throw o.error("is an instruction that the PTX machine does not know");
    };
  }

  private static Op together(Op op) {
    return (w, m) -> {
      if (w.together(m, -1) != 0) {
        op.run(w, m);
      }
    };
  }

  private static Op multiply(Operands o) {
    String shape = o.part(4);
    boolean known = shape.startsWith("m64n") && shape.endsWith("k16") && o.typeCount() == 3;
    int n = known ? Integer.parseInt(shape, 4, shape.length() - 3, 10) : 0;
    boolean types =
        known && o.type(0) == Type.F32 && (o.type(1) == Type.BF16 || o.type(1) == Type.F16) && o.type(1) == o.type(2);
    if (!types || n < 8 || n > 256 || n % 8 != 0) {
      throw o.error("is a product that the PTX machine does not know");
    }
    return new WarpGroupMatrices(o, n);
  }

  @Override
  public void run(Warp w, int m) {
    Products products = w.products();
    products.checkFenced(d);
    if (registers) {
      products.checkFenced(a);
    }
    long bitsA = registers ? 0 : uniform(w, a[0]);
    long bitsB = uniform(w, b);
    int add = Operands.value(w, adds);
    if (add != 0 && add != -1) {
      throw w.fault(0, "adds to what was there for some lanes and not for others");
    }
    int number = w.block.warpGroups.issue(w, (31 * bitsA + bitsB) * 31 + 2L * w.at + (add & 1));
    Products.Tile tile = products.tile(d, add == 0);
    float[] sums = tile.sums;
    if (add == 0) {
      Arrays.fill(sums, 0);
    }
    float[] x = new float[ROWS * K];
    if (registers) {
      products.source(a);
      readA(w.r, x);
    } else {
      new Reader(w, number)
          .read(MatrixDescriptor.decode(w, bitsA), transposedA, w.index % WarpGroups.WARPS * ROWS, ROWS, x, K, 1);
    }
    if (negative) {
      for (int i = 0; i < x.length; i++) {
        x[i] = -x[i];
      }
    }
    float[] y = second(w, number, new Reader(w, number), MatrixDescriptor.decode(w, bitsB));
    for (int row = 0; row < ROWS; row++) {
      for (int k = 0; k < K; k += 4) {
        add(x, row * K + k, y, k * n, sums, row * n, n);
      }
    }
  }

  /** The second matrix, which the first warp of the group decodes; the others look whether they may read it. */
  private float[] second(Warp w, int number, Reader reader, MatrixDescriptor matrix) {
    WarpGroups.Decoded known = w.block.warpGroups.decoded(w, number);
    if (known == null) {
      float[] values = new float[K * n];
      reader.read(matrix, transposedB, 0, n, values, 1, n);
      w.block.warpGroups.keep(w, new WarpGroups.Decoded(number, values, reader.copies()));
      return values;
    }
    int[] copies = known.copies();
    boolean may = copies != null && SharedMemory.knows(w, copies);
    if (!may && w.block.launch.checks().races()) {
      reader.read(matrix, transposedB, 0, n, null, 1, n);
    }
    return known.values();
  }

  /** A descriptor, which all lanes must have in common. */
  private static long uniform(Warp w, int slot) {
    long bits = w.r[slot];
    for (int l = 1; l < Warp.LANES; l++) {
      if (w.r[slot + l] != bits) {
        throw w.fault(l, "multiplies with another matrix descriptor than the first lane");
      }
    }
    return bits;
  }

  /** Adds four products to each sum of a row, one after another. */
  private static void add(float[] x, int xAt, float[] y, int yAt, float[] z, int zAt, int n) {
    float f0 = x[xAt];
    float f1 = x[xAt + 1];
    float f2 = x[xAt + 2];
    float f3 = x[xAt + 3];
    for (int i = 0; i < n; i++) {
      z[zAt + i] =
          z[zAt + i] + f0 * y[yAt + i] + f1 * y[yAt + n + i] + f2 * y[yAt + 2 * n + i] + f3 * y[yAt + 3 * n + i];
    }
  }

  private float number(int bits) {
    return type == Type.BF16 ? Float.intBitsToFloat(bits << 16) : Float.float16ToFloat((short) bits);
  }

  /** Registers of A begin at (lane / 4, 2 (lane % 4)), 8 rows below, 8 columns on, and both. */
  private void readA(long[] r, float[] x) {
    for (int i = 0; i < a.length; i++) {
      for (int l = 0; l < Warp.LANES; l++) {
        int bits = (int) r[a[i] + l];
        int at = ((l >> 2) + 8 * (i & 1)) * K + 2 * (l & 3) + 8 * (i >> 1);
        x[at] = number(bits);
        x[at + 1] = number(bits >>> 16);
      }
    }
  }

  /** Reads matrices of one product from shared memory. */
  private final class Reader {
    private final Warp w;
    private final int number;

    /** The stamps of the bulk copies that brought what was read; null where threads wrote some. */
    private int @Nullable [] copies = new int[0];

    Reader(Warp w, int number) {
      this.w = w;
      this.number = number;
    }

    int @Nullable [] copies() {
      return copies;
    }

    private void note(int stamp) {
      int[] known = copies;
      if (stamp == 0) {
        copies = null;
      } else if (known != null && (known.length == 0 || known[known.length - 1] != stamp)) {
        copies = Arrays.copyOf(known, known.length + 1);
        copies[known.length] = stamp;
      }
    }

    /** Reads so many rows or columns, whose numbers go so far apart; only checks that it may without a target. */
    void read(
        MatrixDescriptor matrix,
        boolean transposed,
        int from,
        int count,
        float @Nullable [] to,
        int mnStep,
        int kStep) {
      if (transposed) {
        for (int part = from >> 3; part < from + count >> 3; part++) {
          for (int k = 0; k < K; k++) {
            chunk(matrix.acrossK(part, k), to, (part * 8 - from) * mnStep + k * kStep, mnStep);
          }
        }
      } else {
        for (int mn = 0; mn < count; mn++) {
          chunk(matrix.alongK(from + mn, 0), to, mn * mnStep, kStep);
          chunk(matrix.alongK(from + mn, 1), to, mn * mnStep + 8 * kStep, kStep);
        }
      }
    }

    private void chunk(int address, float @Nullable [] to, int at, int step) {
      SharedMemory shared = w.block.shared;
      int offset = shared.offset(w, 0, address, 16, "multiplies");
      note(shared.check(w, 0, offset, 16, "multiplies"));
      if (shared.proxy != null) {
        shared.proxy.product(w.index / WarpGroups.WARPS, number, offset);
      }
      if (to == null) {
        return;
      }
      int[] words = shared.words();
      for (int i = 0; i < 4; i++) {
        int word = words[(offset >> 2) + i];
        to[at + 2 * i * step] = number(word);
        to[at + (2 * i + 1) * step] = number(word >>> 16);
      }
    }
  }
}
