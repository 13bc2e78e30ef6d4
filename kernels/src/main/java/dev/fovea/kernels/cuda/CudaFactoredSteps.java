package dev.fovea.kernels.cuda;

import dev.fovea.kernels.OptimizerKernels.FactoredPiece;
import dev.fovea.kernels.OptimizerKernels.Factors;
import java.util.List;

/** Adafactor's steps with factored second moments: {@code adafactor.cu}. */
final class CudaFactoredSteps {
  /** Entries of a launch's table, and bytes of an entry. */
  private static final int MOST = 255;

  private static final int PIECE_BYTES = 128;
  private static final int THREADS = 256;
  private static final int FACTOR_THREADS = 1024;

  /** Columns that a block measures. */
  private static final int TILE = 128;

  /** A strip has at least so many rows, and there are at most so many strips. */
  private static final int STRIP = 64;

  private static final int MAX_STRIPS = 64;

  /** Elements that a block updates, more or less. */
  private static final int PER_BLOCK = 8192;

  private static final int ALIGNMENT = 256;

  private final CudaQueue queue;
  private final CudaKernel measure;
  private final CudaKernel factors;
  private final CudaKernel update;

  CudaFactoredSteps(CudaQueue queue) {
    this.queue = queue;
    CudaFamily family = queue.family("adafactor");
    measure = family.kernel("adafactor_measure");
    factors = family.kernel("adafactor_factors");
    update = family.kernel("adafactor_update");
  }

  /** How a tensor is divided among blocks. */
  private record Division(
      int tiles,
      int rowsPerStrip,
      int strips,
      int across,
      int rowsPerBlock,
      long measures,
      long factors,
      long updates) {
    static Division of(Factors f) {
      int tiles = Math.ceilDiv(f.columns(), TILE);
      int rowsPerStrip = Math.max(STRIP, Math.ceilDiv(f.rows(), MAX_STRIPS));
      int strips = Math.ceilDiv(f.rows(), rowsPerStrip);
      int across = CudaRows.across(f.columns());
      int down = THREADS / across;
      int rowsPerBlock = down * Math.max(1, PER_BLOCK / (down * f.columns()));
      return new Division(
          tiles,
          rowsPerStrip,
          strips,
          across,
          rowsPerBlock,
          (long) tiles * strips * f.batch(),
          f.batch() * (1L + Math.ceilDiv(f.columns(), FACTOR_THREADS)),
          Math.ceilDiv((long) f.batch() * f.rows(), (long) rowsPerBlock));
    }

    /** Bytes of scratch memory. */
    long room(Factors f) {
      long floats = f.columns() * (1L + strips) + f.rows() * (1L + tiles);
      return (f.batch() * floats * Float.BYTES + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }
  }

  void run(CudaSteps steps, List<FactoredPiece> pieces) {
    for (int first = 0; first < pieces.size(); first += MOST) {
      run(steps, first, pieces.subList(first, Math.min(pieces.size(), first + MOST)));
    }
  }

  private void run(CudaSteps steps, int first, List<FactoredPiece> pieces) {
    long room = 0;
    for (FactoredPiece piece : pieces) {
      room += Division.of(piece.factors()).room(piece.factors());
    }
    long scratch = queue.scratch(room);
    Launch launch = steps.begin(queue.launch(), first, pieces.size());
    long measures = 0;
    long factorings = 0;
    long updates = 0;
    for (FactoredPiece piece : pieces) {
      Division division = Division.of(piece.factors());
      add(launch, piece, division, scratch);
      launch.i32(Math.toIntExact(measures)).i32(Math.toIntExact(factorings)).i32(Math.toIntExact(updates));
      scratch += division.room(piece.factors());
      measures += division.measures;
      factorings += division.factors;
      updates += division.updates;
    }
    launch.skip((MOST - pieces.size()) * PIECE_BYTES);
    // The three take the same struct.
    queue.run(measure, launch.grid(measures, 1, 1).block(THREADS, 1, 1));
    queue.run(factors, launch.grid(factorings, 1, 1).block(FACTOR_THREADS, 1, 1));
    queue.run(update, launch.grid(updates, 1, 1).block(THREADS, 1, 1));
  }

  /** All of an entry but the numbers of its first blocks. */
  private static void add(Launch launch, FactoredPiece piece, Division division, long scratch) {
    Factors f = piece.factors();
    boolean quads =
        f.rowStride() % CudaOperands.QUAD == 0 && (f.batch() == 1 || f.batchStride() % CudaOperands.QUAD == 0);
    int kinds = CudaSteps.kinds(piece.param(), piece.gradient(), piece.m(), piece.rounded(), quads)
        | (f.columns() % CudaOperands.QUAD == 0 ? CudaSteps.OTHER_QUADS : 0);
    launch
        .pointer(piece.param().address())
        .pointer(piece.gradient().address())
        .pointer(piece.m().address())
        .pointer(piece.vRow().address())
        .pointer(piece.vColumn().address())
        .pointer(CudaOperands.address(piece.rounded()))
        .pointer(scratch)
        .i64(f.batchStride())
        .i64(f.rowStride())
        .i32(f.batch())
        .i32(f.rows())
        .i32(f.columns())
        .i32(division.rowsPerStrip)
        .i32(division.strips)
        .i32(division.tiles)
        .i32(division.across)
        .i32(division.rowsPerBlock)
        .f32(piece.rate())
        .f32(piece.decay())
        .i32(kinds);
  }
}
