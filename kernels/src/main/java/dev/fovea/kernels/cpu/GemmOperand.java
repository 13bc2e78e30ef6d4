package dev.fovea.kernels.cpu;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.simd.Arithmetic;
import dev.fovea.kernels.cpu.simd.Packing;
import dev.fovea.kernels.cpu.simd.Simd;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One operand of a product on its way into panels (see {@link dev.fovea.kernels.cpu.simd.Tiles}): the rows of A or the
 * columns of B are its lanes, {@code width} to a panel. Stored either along k (a lane's elements lie side by side) or
 * across k.
 */
final class GemmOperand {
  private static final int STAGE = 0;

  /** Lanes that one task packs: few, so that the rows of one picture keep several threads busy. */
  private static final int TASK_LANES = 32;

  /** The same where they are stored across k, so that memory is read in long stretches; and rows staged at once. */
  private static final int TASK_LANES_ACROSS = 256;

  private static final int STAGED = 16;

  private static final Span NONE = new Span(0, 0, DType.F32);

  final int width;
  private final Staging staging;
  private final Packing packing;
  private final Arithmetic arithmetic;
  private Span span = NONE;
  private long ld;
  private Span second = NONE;
  private long secondLd;
  private int split;
  private boolean across;
  private boolean prepacked;
  private int lanes;

  // The part that is packed: panels [firstPanel, firstPanel + panels), k in [begin, begin + length), in pieces.
  private int firstPanel;
  private int panels;
  private int begin;
  private int length;
  private int depth;

  GemmOperand(Simd simd, Staging staging, int width) {
    this.width = width;
    this.staging = staging;
    packing = simd.packing();
    arithmetic = simd.arithmetic();
  }

  void set(Span span, long ld, @Nullable Span second, long secondLd, int split, boolean across, int lanes) {
    this.span = span;
    this.ld = ld;
    this.second = second == null ? NONE : second;
    this.secondLd = secondLd;
    this.split = split;
    this.across = across;
    this.lanes = lanes;
  }

  /** Says whether the span holds panels already, all {@code k} of one behind the other. */
  void prepacked(boolean is, int k) {
    prepacked = is;
    if (is) {
      ld = k;
    }
  }

  void part(int firstPanel, int endPanel, int begin, int length, int depth) {
    this.firstPanel = firstPanel;
    this.panels = endPanel - firstPanel;
    this.begin = begin;
    this.length = length;
    this.depth = depth;
  }

  /** Floats that the packed part takes. */
  int size() {
    return panels * width * length;
  }

  /**
   * Where the piece of {@code panel} that begins {@code k} steps into the part lies: all panels of a piece in a row.
   */
  int at(int panel, int k) {
    return (k * panels + (panel - firstPanel) * Math.min(depth, length - k)) * width;
  }

  int pieces() {
    return Math.ceilDiv(length, depth);
  }

  /** Panels that one task packs. */
  int groupPanels() {
    return Math.max(1, (across ? TASK_LANES_ACROSS : TASK_LANES) / width);
  }

  int groups(int panels) {
    return Math.ceilDiv(panels, groupPanels());
  }

  int tasks() {
    return pieces() * groups(panels);
  }

  /** Packs one piece of a group of panels, and writes its sums over k to {@code sums[piece * lanes + lane]}. */
  void pack(int task, float[] to, float @Nullable [] sums, Scratch scratch) {
    int groups = groups(panels);
    int piece = task / groups;
    int k = piece * depth;
    int panel = firstPanel + task % groups * groupPanels();
    int end = Math.min(panel + groupPanels(), firstPanel + panels);
    pack(panel, end, begin + k, Math.min(depth, length - k), to, at(panel, k), sums, piece * lanes, scratch);
  }

  /** Packs {@code steps} of k of panels {@code [panel, end)} one behind the other. */
  void pack(
      int panel, int end, int k, int steps, float[] to, int at, float @Nullable [] sums, int sumsAt, Scratch scratch) {
    if (prepacked) {
      for (int p = panel; p < end; p++, at += steps * width) {
        staging.load(span, ((long) p * ld + k) * width, to, at, steps * width);
      }
    } else if (across) {
      int whole = span.dtype() == DType.F32 ? Math.min(end, lanes / width) : panel;
      if (whole > panel) {
        long from = span.address() + 4 * (k * ld + (long) panel * width);
        packing.across(from, ld, steps, whole - panel, to, at, width, sums, sumsAt + panel * width);
      }
      if (whole < end) {
        packAcross(whole, end, k, steps, to, at + (whole - panel) * steps * width, sums, sumsAt, scratch);
      }
    } else if (span.dtype() == DType.F32 && split >= k + steps) {
      for (int p = panel; p < end; p++, at += steps * width) {
        long lane = (long) p * width;
        int present = (int) Math.min(width, lanes - lane);
        packing.panel(span.address() + 4 * (lane * ld + k), ld, present, steps, to, at, width);
      }
    } else {
      packAlong(panel, end, k, steps, to, at, scratch);
    }
  }

  /** Address of the piece of a panel that begins at k, if it was packed beforehand; else 0. */
  long prepackedAt(int panel, int k) {
    return prepacked ? span.address() + 4 * (panel * ld + k) * width : 0;
  }

  private void packAlong(int panel, int end, int k, int steps, float[] to, int at, Scratch scratch) {
    int stagedLd = steps + 16; // rows a power of two apart would share few sets of the cache
    float[] staged = scratch.floats(STAGE, width * stagedLd);
    for (int p = panel; p < end; p++) {
      int present = Math.min(width, lanes - p * width);
      for (int i = 0; i < width; i++) {
        if (i < present) {
          load((long) p * width + i, k, steps, staged, i * stagedLd);
        } else {
          Arrays.fill(staged, i * stagedLd, i * stagedLd + steps, 0f);
        }
      }
      packing.transpose(staged, 0, stagedLd, width, steps, to, at + (p - panel) * steps * width, width);
    }
  }

  private void load(long lane, int k, int steps, float[] to, int at) {
    int inFirst = Math.clamp(split - k, 0, steps);
    if (inFirst > 0) {
      staging.load(span, lane * ld + k, to, at, inFirst);
    }
    if (inFirst < steps) {
      staging.load(second, lane * secondLd + k + inFirst - split, to, at + inFirst, steps - inFirst);
    }
  }

  private void packAcross(
      int panel, int end, int k, int steps, float[] to, int at, float @Nullable [] sums, int sumsAt, Scratch scratch) {
    int first = panel * width;
    int padded = (end - panel) * width;
    int present = Math.min(lanes, end * width) - first;
    float[] staged = scratch.floats(STAGE, STAGED * padded);
    if (sums != null) {
      Arrays.fill(sums, sumsAt + first, sumsAt + first + present, 0f);
    }
    for (int done = 0; done < steps; done += STAGED) {
      int count = Math.min(STAGED, steps - done);
      for (int i = 0; i < count; i++) {
        staging.load(span, (long) (k + done + i) * ld + first, staged, i * padded, present);
        Arrays.fill(staged, i * padded + present, (i + 1) * padded, 0f);
        if (sums != null) {
          arithmetic.add(sums, sumsAt + first, staged, i * padded, sums, sumsAt + first, present);
        }
      }
      for (int p = panel; p < end; p++) {
        int column = (p - panel) * width;
        packing.copy(staged, column, padded, count, width, to, at + column * steps + done * width, width);
      }
    }
  }
}
