package dev.fovea.kernels.ptx;

import org.jspecify.annotations.Nullable;

/**
 * {@code ldmatrix} and {@code stmatrix}: 8 x 8 matrices of 16-bit numbers between shared memory and fragments. Lanes 8i
 * to 8i+7 give the addresses of the rows of matrix i; lane n holds columns 2(n%4) and the next of row n/4, or with
 * {@code .trans} rows 2(n%4) and the next of column n/4.
 */
final class MatrixMoves {
  private static final int ROW_BYTES = 16;

  private MatrixMoves() {}

  static @Nullable Op compile(Operands o) {
    if (o.name.equals("movmatrix")) {
      return transpose(o);
    }
    if (!o.has("m8n8") || !o.has("b16")) {
      return null;
    }
    boolean load = o.name.equals("ldmatrix");
    int[] d = o.regs(load ? 0 : 1);
    int a = o.base(load ? 1 : 0);
    long offset = o.offset(load ? 1 : 0);
    boolean transposed = o.has("trans");
    boolean generic = o.space() == Operands.Space.GENERIC;
    return (w, m) -> {
      if (w.together(m, -1) == 0) {
        return;
      }
      for (int lane = 0; lane < 8 * d.length; lane++) {
        w.rows[lane] = row(w, lane, w.r[a + lane] + offset, generic, load ? "reads" : "writes");
      }
      for (int i = 0; i < d.length; i++) {
        if (load) {
          load(w, i, d[i], transposed);
        } else {
          store(w, i, d[i], transposed);
        }
      }
    };
  }

  private static int row(Warp w, int lane, long address, boolean generic, String verb) {
    if (generic && GlobalMemory.window(address) != GlobalMemory.SHARED_WINDOW) {
      throw w.fault(lane, verb + " a matrix at " + Warp.hex(address) + ", which is not in shared memory");
    }
    return w.block.shared.offset(w, lane, address, ROW_BYTES, verb);
  }

  private static void load(Warp w, int matrix, int d, boolean transposed) {
    long[] cells = w.exchange;
    for (int row = 0; row < 8; row++) {
      int lane = matrix * 8 + row;
      int at = w.rows[lane];
      for (int i = 0; i < 4; i++) {
        cells[row * 4 + i] = w.block.shared.get(w, lane, at + 4 * i, 4);
      }
    }
    deal(w.r, d, cells, transposed);
  }

  /** Gives each lane its two numbers of a matrix whose rows are four words. */
  private static void deal(long[] r, int d, long[] cells, boolean transposed) {
    for (int l = 0; l < Warp.LANES; l++) {
      r[d + l] = transposed ? half(cells, 2 * (l & 3), l >> 2) | half(cells, 2 * (l & 3) + 1, l >> 2) << 16 : cells[l];
    }
  }

  private static long half(long[] cells, int row, int column) {
    return cells[row * 4 + (column >> 1)] >>> 16 * (column & 1) & 0xffff;
  }

  private static void store(Warp w, int matrix, int d, boolean transposed) {
    long[] cells = w.exchange;
    for (int l = 0; l < Warp.LANES; l++) {
      cells[l] = w.r[d + l] & 0xffff_ffffL;
    }
    for (int row = 0; row < 8; row++) {
      int lane = matrix * 8 + row;
      int at = w.rows[lane];
      for (int i = 0; i < 4; i++) {
        long value = transposed ? half(cells, 2 * i, row) | half(cells, 2 * i + 1, row) << 16 : cells[row * 4 + i];
        w.block.shared.put(w, lane, at + 4 * i, 4, value);
      }
    }
  }

  private static Op transpose(Operands o) {
    int d = o.reg(0);
    int a = o.reg(1);
    return (w, m) -> {
      if (w.together(m, -1) == 0) {
        return;
      }
      for (int l = 0; l < Warp.LANES; l++) {
        w.exchange[l] = w.r[a + l] & 0xffff_ffffL;
      }
      deal(w.r, d, w.exchange, true);
    };
  }
}
