package dev.fovea.kernels.cuda;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.Gemm;
import dev.fovea.kernels.GemmKernels;
import dev.fovea.kernels.Layout;
import dev.fovea.kernels.Norm;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.Sums;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Matrix products on a GPU: {@code gemm.cu}, {@code gemm_f32.cu} and {@link CudaGemmHopper}. B is read as it lies;
 * nothing is packed.
 */
final class CudaGemm implements GemmKernels {
  /** The portable kernels of one layout. */
  private record Forms(CudaTile large, CudaTile small, CudaTile any, CudaTile exact) {}

  /** The widest head that a tile normalises. */
  private static final int WIDEST_HEAD = 128;

  private final CudaQueue queue;
  private final CudaNorm norms;
  private final Map<Layout, Forms> forms = new EnumMap<>(Layout.class);
  private final Forms gated;
  private final @Nullable CudaGemmHopper hopper;

  CudaGemm(CudaQueue queue, CudaNorm norms, CudaTier tier) {
    this.queue = queue;
    this.norms = norms;
    CudaFamily family = queue.family("gemm");
    CudaFamily exact = queue.family("gemm_f32");
    for (Layout layout : Layout.values()) {
      forms.put(layout, forms(family, exact, layout.name().toLowerCase(Locale.ROOT), ""));
    }
    gated = forms(family, exact, "nt", "_gated");
    hopper = tier == CudaTier.HOPPER ? new CudaGemmHopper(queue) : null;
  }

  private static Forms forms(CudaFamily family, CudaFamily exact, String layout, String kind) {
    return new Forms(
        tile(128, 128, 256, family.kernel("gemm_bf16_" + layout + "_128x128" + kind, 65_536)),
        tile(64, 64, 128, family.kernel("gemm_bf16_" + layout + "_64x64" + kind, 32_768)),
        tile(64, 128, 128, family.kernel("gemm_bf16_" + layout + "_64x128_any" + kind, 49_152)),
        tile(64, 128, 256, exact.kernel("gemm_f32_" + layout + "_64x128" + kind, 34_816)));
  }

  private static CudaTile tile(int rows, int columns, int threads, CudaKernel kernel) {
    return new CudaTile(CudaTier.PORTABLE, rows, columns, threads, kernel);
  }

  @Override
  public void run(Gemm g) {
    Gemm.QkNorm norm = g.qkNorm();
    if (norm != null && norm.headDim() > WIDEST_HEAD) {
      if (!isNormLast(g, norm)) {
        throw new UnsupportedOperationException(
            "qkNorm.headDim: got %d with scales, a residual or column sums after it, expected at most %d on a GPU"
                .formatted(norm.headDim(), WIDEST_HEAD));
      }
      run(g, null);
      normalizeWideHeads(g, norm);
    } else {
      run(g, norm);
    }
  }

  private void run(Gemm g, Gemm.@Nullable QkNorm norm) {
    CudaTile tile = tile(g, norm);
    int multiprocessors = queue.device().multiprocessors();
    int rowTiles = tile.down(g);
    int columnTiles = tile.across(g, norm);
    long tiles = (long) rowTiles * columnTiles;
    CudaOperandSums operandSums = CudaOperandSums.of(g);
    int depthPerSplit = tile.depthPerSplit(g, tiles, multiprocessors);
    int splits = Math.ceilDiv(g.k, depthPerSplit);
    Sums sums = g.columnSums();
    long partial = sums == null ? 0 : (long) rowTiles * g.n;
    long split = splits == 1 ? 0 : tiles * splits * tile.rows() * tile.columns();
    long room = partial + operandSums.partial() + split;
    long scratch = room == 0 ? 0 : queue.scratch(room * Float.BYTES);
    long counters = room == 0 ? 0 : queue.counters(columnTiles + operandSums.tiles() + (splits == 1 ? 0 : (int) tiles));
    Launch launch = queue
        .launch()
        .grid(tile.blocks(operandSums.blocks() + tiles * splits, multiprocessors), 1, 1)
        .block(tile.threads(), 1, 1)
        .shared(tile.kernel().sharedBytes());
    if (hopper != null && tile.tier() == CudaTier.HOPPER) {
      hopper.maps(launch, g, tile);
    }
    CudaOperands.matrix(launch, g.a(), g.lda(), g.layout == Layout.TN || g.splitK() % CudaOperands.QUAD == 0);
    CudaOperands.matrix(launch, g.a2(), g.lda2(), true);
    CudaOperands.matrix(launch, g.b(), g.ldb(), inQuads(g));
    CudaOperands.matrix(launch, g.b2(), g.ldb2(), true);
    CudaOperands.sums(launch, g.operandSums());
    launch
        .pointer(scratch + partial * Float.BYTES)
        .pointer(counters + (long) columnTiles * Integer.BYTES)
        .pointer(scratch + (partial + operandSums.partial()) * Float.BYTES)
        .pointer(counters + (long) (columnTiles + operandSums.tiles()) * Integer.BYTES)
        .i32(g.m)
        .i32(g.n)
        .i32(g.k)
        .i32(g.splitK())
        .i32(g.splitM())
        .i32(g.splitB())
        .i32(rowTiles)
        .i32(columnTiles)
        .i32(operandSums.blocks())
        .i32(operandSums.stretches())
        .i32(operandSums.rowsPerStretch())
        .i32(splits)
        .i32(depthPerSplit)
        .i32(0);
    CudaEpilogue.write(launch, g, norm, scratch, counters);
    queue.run(tile.kernel(), launch);
  }

  /**
   * Heads that are wider than a tile are normalised where the product left them: it has rounded them as the contract
   * rounds before a norm, so that the result is the same.
   */
  private void normalizeWideHeads(Gemm g, Gemm.QkNorm norm) {
    Span c = headsIn(g, norm);
    boolean inSecond = c == g.c2();
    long ld = inSecond ? g.ldc2() : g.ldc();
    long begin = inSecond ? norm.begin() - g.splitN() : norm.begin();
    long width = (long) norm.heads() * norm.headDim();
    Span queries = c.from(begin);
    Span keys = c.from(begin + width);
    Norm each = new Norm(g.m, norm.heads(), norm.headDim(), norm.eps(), norm.centered());
    norms.forward(each, queries, ld, norm.queryWeight(), norm.queryBias(), queries, ld, norm.queryStats());
    norms.forward(each, keys, ld, norm.keyWeight(), norm.keyBias(), keys, ld, norm.keyStats());
  }

  /** The matrix that the first head is in. */
  private static Span headsIn(Gemm g, Gemm.QkNorm norm) {
    Span second = g.c2();
    return second != null && norm.begin() >= g.splitN() ? second : g.c();
  }

  /** Whether nothing but the product comes between a head's norm and C, and one matrix has all heads. */
  private static boolean isNormLast(Gemm g, Gemm.QkNorm norm) {
    Span pre = g.pre();
    Span c = headsIn(g, norm);
    DType rounded = (pre == null ? g.c() : pre).dtype();
    return (g.c2() == null || c == g.c2() || norm.begin() + 2L * norm.heads() * norm.headDim() <= g.splitN())
        && (c.dtype() == DType.F32 || c.dtype() == rounded)
        && g.columnScale() == null
        && g.rowScale() == null
        && g.residual() == null
        && g.columnSums() == null;
  }

  /** Whether pieces of B begin on multiples of four columns. */
  private static boolean inQuads(Gemm g) {
    return g.layout == Layout.NT
        ? g.splitK() == g.k || g.splitK() % CudaOperands.QUAD == 0
        : CudaEpilogue.tilesBeginOnMultiplesOf(CudaOperands.QUAD, g);
  }

  /** Tensor cores for BF16, F32 arithmetic otherwise; the largest tile that gives every multiprocessor work. */
  private CudaTile tile(Gemm g, Gemm.@Nullable QkNorm norm) {
    Forms f = g.gated() ? gated : forms.get(g.layout);
    if (f == null) {
      throw new IllegalArgumentException("layout: got " + g.layout);
    }
    int headDim = norm == null ? 0 : norm.headDim();
    boolean tensor = g.a().dtype() == DType.BF16 && g.b().dtype() == DType.BF16 && isBf16(g.a2()) && isBf16(g.b2());
    if (!tensor) {
      return f.exact;
    }
    if (!isChunked(g)) {
      return f.any;
    }
    CudaTile best = hopper == null ? null : hopper.tile(g, norm);
    if (best != null) {
      return best;
    }
    boolean fills = f.large.count(g, norm) >= queue.device().multiprocessors();
    return fills || headDim > f.small.columns() ? f.large : f.small;
  }

  private static boolean isBf16(@Nullable Span span) {
    return span == null || span.dtype() == DType.BF16;
  }

  /** Whether every piece of A and B that a tile copies begins on 16 bytes. */
  private static boolean isChunked(Gemm g) {
    int chunk = CudaOperands.CHUNK_BYTES / DType.BF16.bytes();
    Span a2 = g.a2();
    Span b2 = g.b2();
    return CudaOperands.isChunked(g.a(), g.lda())
        && (b2 == null || CudaOperands.isChunked(b2, g.ldb2()))
        && CudaOperands.isChunked(g.b(), g.ldb())
        && (a2 == null || CudaOperands.isChunked(a2, g.lda2()) && (g.layout != Layout.NT || g.splitK() % chunk == 0))
        && (g.layout == Layout.NT || CudaEpilogue.tilesBeginOnMultiplesOf(chunk, g));
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
