package dev.fovea.tensor;

import dev.fovea.kernels.Span;
import java.lang.foreign.MemorySegment;

/** Copies elements of one dtype between tensors, wherever they lie. */
final class Transfer {
  /** What is copied at a time between two GPUs, by way of the host. */
  private static final long PIECE = 64L << 20;

  private Transfer() {}

  /** From {@code source} to {@code target}, of the same dtype and number of elements. */
  static void copy(Tensor source, Tensor target) {
    Span from = source.span();
    Span to = target.span();
    boolean fromHost = source.device() instanceof CpuDevice;
    boolean toHost = target.device() instanceof CpuDevice;
    if (source.device() == target.device() || fromHost && toHost) {
      target.raw().copy(from.address(), to.address(), to.bytes());
    } else if (fromHost) {
      target.raw().write(source.segment(), to.address());
    } else if (toHost) {
      source.raw().read(from.address(), target.segment());
    } else {
      throughHost(source, target);
    }
  }

  private static void throughHost(Tensor source, Tensor target) {
    long bytes = source.span().bytes();
    byte[] piece = new byte[(int) Math.min(PIECE, bytes)];
    for (long at = 0; at < bytes; at += piece.length) {
      MemorySegment part = MemorySegment.ofArray(piece).asSlice(0, Math.min(piece.length, bytes - at));
      source.raw().read(source.span().address() + at, part);
      target.raw().write(part, target.span().address() + at);
    }
  }
}
