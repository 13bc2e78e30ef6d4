package dev.fovea.kernels.cpu;

import static dev.fovea.kernels.cpu.simd.Memory.ALL;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.simd.Convert;
import dev.fovea.kernels.cpu.simd.Simd;
import java.lang.foreign.MemorySegment;

/** Writes one value everywhere, and copies bytes: the kernels that do not compute. */
final class CpuFill {
  private static final int BLOCK = 1 << 17;
  private static final Span NOTHING = new Span(0, 0, DType.U8);

  private final WorkerPool pool;
  private final Convert convert;
  private final Recycler<Fill> fills = new Recycler<>(Fill::new);
  private final Recycler<Copy> copies = new Recycler<>(Copy::new);

  CpuFill(WorkerPool pool, Simd simd) {
    this.pool = pool;
    convert = simd.convert();
  }

  void fill(Span x, double value) {
    Fill grid = fills.take();
    grid.x = x;
    grid.value = value;
    pool.run(grid, blocks(x.bytes()));
    fills.give(grid);
  }

  void copy(long rows, int columns, Span x, long ldx, Span y, long ldy) {
    Copy grid = copies.take();
    long width = (long) columns * x.dtype().bytes();
    boolean dense = ldx == columns && ldy == columns;
    grid.from = x.address();
    grid.to = y.address();
    grid.fromStep = ldx * x.dtype().bytes();
    grid.toStep = ldy * x.dtype().bytes();
    grid.width = width;
    grid.bytes = dense ? rows * width : 0;
    grid.rows = rows;
    grid.rowsPerBlock = Math.max(1, BLOCK / Math.max(1, width));
    pool.run(grid, dense ? blocks(rows * width) : Math.toIntExact((rows + grid.rowsPerBlock - 1) / grid.rowsPerBlock));
    copies.give(grid);
  }

  private static int blocks(long bytes) {
    return Math.toIntExact((bytes + BLOCK - 1) / BLOCK);
  }

  private final class Fill implements Grid {
    private Span x = NOTHING;
    private double value;

    @Override
    public void block(int index, Scratch scratch) {
      long first = x.address() + (long) index * BLOCK;
      long count = Math.min(BLOCK, x.bytes() - (long) index * BLOCK);
      put(first, scratch.floats(0, 1));
      for (long done = x.dtype().bytes(); done < count; done *= 2) {
        MemorySegment.copy(ALL, first, ALL, first + done, Math.min(done, count - done));
      }
    }

    private void put(long address, float[] one) {
      one[0] = (float) value;
      switch (x.dtype()) {
        case F32 -> convert.storeF32(one, 0, address, 1);
        case BF16 -> convert.storeBf16(one, 0, address, 1);
        case F16 -> convert.storeF16(one, 0, address, 1);
        case F64 -> ALL.set(JAVA_DOUBLE, address, value);
        case I32 -> ALL.set(JAVA_INT, address, (int) Math.rint(value));
        case I64 -> ALL.set(JAVA_LONG, address, (long) Math.rint(value));
        case U8 -> ALL.set(JAVA_BYTE, address, (byte) Math.rint(value));
      }
    }
  }

  private static final class Copy implements Grid {
    private long from;
    private long to;
    private long fromStep;
    private long toStep;
    private long width;
    private long bytes;
    private long rows;
    private long rowsPerBlock;

    @Override
    public void block(int index, Scratch scratch) {
      if (bytes > 0) {
        long first = (long) index * BLOCK;
        MemorySegment.copy(ALL, from + first, ALL, to + first, Math.min(BLOCK, bytes - first));
        return;
      }
      long end = Math.min(rows, (index + 1) * rowsPerBlock);
      for (long row = index * rowsPerBlock; row < end; row++) {
        MemorySegment.copy(ALL, from + row * fromStep, ALL, to + row * toStep, width);
      }
    }
  }
}
