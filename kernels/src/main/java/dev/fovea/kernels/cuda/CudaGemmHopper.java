package dev.fovea.kernels.cuda;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.Gemm;
import dev.fovea.kernels.Layout;
import dev.fovea.kernels.Span;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Matrix products of BF16 on compute capability 9.0, {@code gemm_hopper.cu}: which tile, if any, and what its bulk
 * copies know of the operands.
 */
final class CudaGemmHopper {
  static final String FAMILY = "gemm_hopper";

  private static final int ROWS = 128;
  private static final int DEPTH = 64;
  private static final int THREADS = 384;

  /** Elements of a row of 128 bytes. */
  private static final int PIECE = 64;

  private final CudaQueue queue;
  private final Map<Layout, List<CudaTile>> forms = new EnumMap<>(Layout.class);
  private final List<CudaTile> gated;

  CudaGemmHopper(CudaQueue queue) {
    this.queue = queue;
    CudaFamily family = queue.family(FAMILY);
    for (Layout layout : Layout.values()) {
      forms.put(layout, tiles(family, layout.name().toLowerCase(Locale.ROOT), ""));
    }
    gated = tiles(family, "nt", "_gated");
  }

  private static List<CudaTile> tiles(CudaFamily family, String layout, String kind) {
    return List.of(
        tile(family, layout, 256, kind, 230_464),
        tile(family, layout, 192, kind, 230_480),
        tile(family, layout, 128, kind, 214_112));
  }

  private static CudaTile tile(CudaFamily family, String layout, int columns, String kind, int sharedBytes) {
    String name = "%s_%s_%dx%d%s".formatted(FAMILY, layout, ROWS, columns, kind);
    return new CudaTile(CudaTier.HOPPER, ROWS, columns, THREADS, family.kernel(name, sharedBytes));
  }

  /**
   * The tile that takes the fewest clocks; null if the portable kernels do better, with their smaller tiles and several
   * blocks on a multiprocessor: where there is not even a tile for every other multiprocessor.
   *
   * @param g a product whose operands are BF16 and begin every row on 16 bytes
   */
  @Nullable
  CudaTile tile(Gemm g, Gemm.@Nullable QkNorm norm) {
    if (g.layout != Layout.TN && g.splitK() != g.k && g.splitK() % DEPTH != 0) {
      return null;
    }
    int multiprocessors = queue.device().multiprocessors();
    CudaTile best = null;
    long fewest = Long.MAX_VALUE;
    for (CudaTile tile : g.gated() ? gated : forms.getOrDefault(g.layout, List.of())) {
      long tiles = tile.count(g, norm);
      int depth = Math.min(g.k, tile.depthPerSplit(g, tiles, multiprocessors));
      long pieces = tiles * Math.ceilDiv(g.k, depth);
      long clocks = Math.ceilDiv(pieces, (long) multiprocessors) * clocks(tile.columns(), Math.ceilDiv(depth, DEPTH));
      if (2 * pieces >= multiprocessors && clocks < fewest) {
        best = tile;
        fewest = clocks;
      }
    }
    return best;
  }

  /**
   * What a tile takes, roughly: of each step, its products (a column in 4 clocks) or its operands, of which
   * second-level caches bring 46 bytes a clock; and its epilogue.
   */
  private static long clocks(int columns, int steps) {
    int operands = (ROWS + columns) * DEPTH * DType.BF16.bytes() / 46;
    return (long) steps * Math.max(4 * columns, operands) + 16L * columns + 1000;
  }

  /** Writes what bulk copies know of A and B, in two parts each. */
  void maps(Launch launch, Gemm g, CudaTile tile) {
    if (g.layout == Layout.TN) {
      map(launch, g.a(), g.lda(), g.splitM(), g.k, PIECE);
      map(launch, g.a2(), g.lda2(), g.m - g.splitM(), g.k, PIECE);
      map(launch, g.b(), g.ldb(), g.splitB(), g.k, PIECE);
      map(launch, g.b2(), g.ldb2(), g.n - g.splitB(), g.k, PIECE);
      return;
    }
    map(launch, g.a(), g.lda(), g.splitK(), g.m, ROWS);
    map(launch, g.a2(), g.lda2(), g.k - g.splitK(), g.m, ROWS);
    if (g.layout == Layout.NN) {
      map(launch, g.b(), g.ldb(), g.n, g.k, PIECE);
    } else {
      map(launch, g.b(), g.ldb(), g.k, g.n, g.gated() ? tile.columns() / 2 : tile.columns());
    }
    map(launch, null, 0, 0, 0, 0);
  }

  /** A matrix of so many columns and rows, copied in boxes of {@code boxRows} rows of 128 bytes. */
  private void map(Launch launch, @Nullable Span span, long ld, int columns, int rows, int boxRows) {
    if (span == null) {
      launch.align(TensorMap.ALIGNMENT).skip(TensorMap.BYTES);
      return;
    }
    int bytes = DType.BF16.bytes();
    var matrix = new TensorMap(
        DType.BF16,
        span.address(),
        List.of(new TensorMap.Dimension(columns, bytes, PIECE), new TensorMap.Dimension(rows, ld * bytes, boxRows)),
        TensorMap.Swizzle.BYTES_128);
    queue.driver().encodeTensorMap(matrix, launch.room(TensorMap.BYTES, TensorMap.ALIGNMENT));
  }
}
