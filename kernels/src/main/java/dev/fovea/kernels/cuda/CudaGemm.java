package dev.fovea.kernels.cuda;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.Gemm;
import dev.fovea.kernels.GemmKernels;
import dev.fovea.kernels.Layout;
import dev.fovea.kernels.Span;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Matrix products on a GPU: {@code gemm.cu}. B is read as it lies; nothing is packed. */
final class CudaGemm implements GemmKernels {
  /** A kernel that makes tiles of {@code rows} by {@code columns}. */
  record Tile(int rows, int columns, int threads, CudaKernel kernel) {
    long count(Gemm g) {
      return (long) Math.ceilDiv(g.m, rows) * tileColumns(g, columns);
    }
  }

  /** The kernels of one layout. */
  private record Forms(Tile large, Tile small, Tile any, Tile exact) {}

  private final CudaQueue queue;
  private final CudaColumnSums columnSums;
  private final Map<Layout, Forms> forms = new EnumMap<>(Layout.class);

  CudaGemm(CudaQueue queue, CudaColumnSums columnSums) {
    this.queue = queue;
    this.columnSums = columnSums;
    CudaFamily family = queue.family("gemm");
    for (Layout layout : Layout.values()) {
      String name = layout.name().toLowerCase(Locale.ROOT);
      forms.put(
          layout,
          new Forms(
              new Tile(128, 128, 256, family.kernel("gemm_bf16_" + name + "_128x128", 65_536)),
              new Tile(64, 64, 128, family.kernel("gemm_bf16_" + name + "_64x64", 32_768)),
              new Tile(64, 128, 128, family.kernel("gemm_bf16_" + name + "_64x128_any", 49_152)),
              new Tile(64, 128, 256, family.kernel("gemm_f32_" + name + "_64x128", 34_816))));
    }
  }

  @Override
  public void run(Gemm g) {
    Tile tile = tile(g);
    int rowTiles = Math.ceilDiv(g.m, tile.rows);
    int columnTiles = tileColumns(g, tile.columns);
    Span sums = g.columnSums();
    long partial = sums == null ? 0 : queue.scratch((long) rowTiles * g.n * Float.BYTES);
    Launch launch = queue
        .launch()
        .grid((long) rowTiles * columnTiles, 1, 1)
        .block(tile.threads, 1, 1)
        .shared(tile.kernel.sharedBytes());
    CudaOperands.matrix(launch, g.a(), g.lda(), g.layout == Layout.TN || g.splitK() % CudaOperands.QUAD == 0);
    CudaOperands.matrix(launch, g.a2(), g.lda2(), true);
    CudaOperands.matrix(launch, g.b(), g.ldb(), inQuads(g));
    launch.i32(g.m).i32(g.n).i32(g.k).i32(g.splitK()).i32(rowTiles).i32(columnTiles);
    CudaEpilogue.write(launch, g, partial);
    queue.run(tile.kernel, launch);
    if (sums != null) {
      columnSums.finish(partial, rowTiles, g.n, (int) Math.min(g.n, sums.count()), sums);
    }
    Span operandSums = g.operandSums();
    if (operandSums != null) {
      columnSums.add(g.k, g.m, g.a(), g.lda(), null, 0, null, 1, operandSums);
    }
  }

  /** Whether pieces of B begin on multiples of four columns. */
  private static boolean inQuads(Gemm g) {
    return g.layout == Layout.NT
        ? g.splitK() == g.k || g.splitK() % CudaOperands.QUAD == 0
        : CudaEpilogue.tilesBeginOnMultiplesOf(CudaOperands.QUAD, g);
  }

  /** Tensor cores for BF16, F32 arithmetic otherwise; the largest tile that gives every multiprocessor work. */
  private Tile tile(Gemm g) {
    Forms f = forms.get(g.layout);
    if (f == null) {
      throw new IllegalArgumentException("layout: got " + g.layout);
    }
    int headDim = g.qkNorm() == null ? 0 : g.qkNorm().headDim();
    if (headDim > f.large.columns) {
      throw new UnsupportedOperationException(
          "qkNorm.headDim: got %d, expected at most %d on a GPU".formatted(headDim, f.large.columns));
    }
    boolean tensor = g.a().dtype() == DType.BF16 && g.b().dtype() == DType.BF16 && isBf16(g.a2());
    if (!tensor) {
      return f.exact;
    }
    if (!isChunked(g)) {
      return f.any;
    }
    boolean fills = f.large.count(g) >= queue.device().multiprocessors();
    return fills || headDim > f.small.columns ? f.large : f.small;
  }

  private static boolean isBf16(@Nullable Span span) {
    return span == null || span.dtype() == DType.BF16;
  }

  /** Whether every piece of A and B that a tile copies begins on 16 bytes. */
  private static boolean isChunked(Gemm g) {
    int chunk = CudaOperands.CHUNK_BYTES / DType.BF16.bytes();
    Span a2 = g.a2();
    return CudaOperands.isChunked(g.a(), g.lda())
        && CudaOperands.isChunked(g.b(), g.ldb())
        && (a2 == null || CudaOperands.isChunked(a2, g.lda2()) && (g.layout != Layout.NT || g.splitK() % chunk == 0))
        && (g.layout == Layout.NT || CudaEpilogue.tilesBeginOnMultiplesOf(chunk, g));
  }

  /** Tiles across C: queries and keys get tiles of whole heads, so that one block has all of a head. */
  private static int tileColumns(Gemm g, int width) {
    Gemm.QkNorm norm = g.qkNorm();
    if (norm == null) {
      return Math.ceilDiv(g.n, width);
    }
    int heads = 2 * norm.heads() * norm.headDim();
    int perTile = Math.max(1, width / norm.headDim()) * norm.headDim();
    return Math.ceilDiv(norm.begin(), width)
        + Math.ceilDiv(heads, perTile)
        + Math.ceilDiv(g.n - norm.begin() - heads, width);
  }

  @Override
  public long packedBytes(Layout layout, int n, int k) {
    return 0;
  }

  @Override
  public void pack(Layout layout, int n, int k, Span b, long ldb, Span packed) {
    throw new UnsupportedOperationException("pack: products on a GPU read B as it lies, packedBytes is 0");
  }
}
