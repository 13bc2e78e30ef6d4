package dev.fovea.vit.weights;

import dev.fovea.kernels.ElementwiseKernels;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/** Copies between a file's tensor and a parameter as a {@link Piece} says, in either direction. */
final class PieceCopy {
  /** Elements of a tile's side: both of its sides' cache lines fit the first level. */
  private static final int TILE = 32;

  private final Tensor from;
  private final Tensor to;
  private final List<Axis> axes;

  private PieceCopy(Tensor from, Tensor to, List<Axis> axes) {
    if (from.dtype() != to.dtype()) {
      throw new IllegalArgumentException("dtype: got %s, expected %s".formatted(from.dtype(), to.dtype()));
    }
    this.from = from;
    this.to = to;
    this.axes = axes;
  }

  /** From the file's tensor into the parameter. */
  static void load(Piece piece, Tensor source, Tensor target) {
    if (piece.added()) {
      var sum = target.span().slice(piece.targetFirst(), piece.count());
      kernels(target).combine(1, source.span().slice(piece.sourceFirst(), piece.count()), 1, sum, sum);
    } else {
      new PieceCopy(source, target, piece.axes()).run(piece.sourceFirst(), piece.targetFirst());
    }
  }

  /** From the parameter into the file's tensor. */
  static void store(Piece piece, Tensor target, Tensor source) {
    List<Axis> reversed = piece.axes().stream().map(Axis::reversed).toList();
    new PieceCopy(target, source, reversed).run(piece.targetFirst(), piece.sourceFirst());
  }

  private static ElementwiseKernels kernels(Tensor tensor) {
    return tensor.device().kernels().elementwise();
  }

  private void run(long first, long second) {
    loop(0, first, second);
  }

  /** Runs the axes from {@code level} on; the last two are done at once. */
  private void loop(int level, long at, long into) {
    if (axes.size() - level > 2) {
      Axis axis = axes.get(level);
      for (long i = 0; i < axis.size(); i++) {
        loop(level + 1, at + i * axis.source(), into + i * axis.target());
      }
      return;
    }
    Axis inner = axes.getLast();
    Axis outer = axes.size() - level == 2 ? axes.get(level) : new Axis(1, inner.size(), inner.size());
    if (inner.source() == 1 && inner.target() == 1) {
      kernels(to)
          .copy(
              outer.size(),
              Math.toIntExact(inner.size()),
              from.span().from(at),
              outer.source(),
              to.span().from(into),
              outer.target());
    } else {
      tiles(outer, inner, at, into);
    }
  }

  /** Element by element, in tiles: one side or the other is read or written across its rows. */
  private void tiles(Axis outer, Axis inner, long at, long into) {
    MemorySegment read = from.segment();
    MemorySegment write = to.segment();
    int bytes = from.dtype().bytes();
    for (long i = 0; i < outer.size(); i += TILE) {
      long rows = Math.min(TILE, outer.size() - i);
      for (long j = 0; j < inner.size(); j += TILE) {
        long columns = Math.min(TILE, inner.size() - j);
        long a = at + i * outer.source() + j * inner.source();
        long b = into + i * outer.target() + j * inner.target();
        for (long r = 0; r < rows; r++) {
          long x = (a + r * outer.source()) * bytes;
          long y = (b + r * outer.target()) * bytes;
          if (bytes == Integer.BYTES) {
            words(read, x, inner.source() * bytes, write, y, inner.target() * bytes, columns);
          } else {
            halves(read, x, inner.source() * bytes, write, y, inner.target() * bytes, columns);
          }
        }
      }
    }
  }

  private static void words(
      MemorySegment read, long x, long stepX, MemorySegment write, long y, long stepY, long count) {
    for (long c = 0; c < count; c++) {
      write.set(ValueLayout.JAVA_INT, y + c * stepY, read.get(ValueLayout.JAVA_INT, x + c * stepX));
    }
  }

  private static void halves(
      MemorySegment read, long x, long stepX, MemorySegment write, long y, long stepY, long count) {
    for (long c = 0; c < count; c++) {
      write.set(ValueLayout.JAVA_SHORT, y + c * stepY, read.get(ValueLayout.JAVA_SHORT, x + c * stepX));
    }
  }
}
