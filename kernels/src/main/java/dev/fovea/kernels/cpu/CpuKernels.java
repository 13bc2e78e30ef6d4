package dev.fovea.kernels.cpu;

import dev.fovea.kernels.AttentionKernels;
import dev.fovea.kernels.ElementwiseKernels;
import dev.fovea.kernels.GemmKernels;
import dev.fovea.kernels.ImageKernels;
import dev.fovea.kernels.KernelSet;
import dev.fovea.kernels.LossKernels;
import dev.fovea.kernels.NormKernels;
import dev.fovea.kernels.OptimizerKernels;
import dev.fovea.kernels.RandomKernels;
import dev.fovea.kernels.ReduceKernels;
import dev.fovea.kernels.TokenKernels;
import dev.fovea.kernels.cpu.simd.Simd;

/** The kernels on this machine's processors. Safe to call from several threads. */
public final class CpuKernels implements KernelSet, AutoCloseable {
  private static final String THREADS = "fovea.cpu.threads";

  private final Simd simd;
  private final WorkerPool pool;
  private final GemmKernels gemm;
  private final NormKernels norm;
  private final ElementwiseKernels elementwise;
  private final ReduceKernels reduce;
  private final TokenKernels token;
  private final LossKernels loss;
  private final ImageKernels image;
  private final AttentionKernels attention;
  private final RandomKernels random;
  private final OptimizerKernels optimizer;

  private CpuKernels(Simd simd, int threads) {
    this.simd = simd;
    this.pool = new WorkerPool(threads);
    gemm = GemmKernels.checked(new CpuGemm(pool, simd));
    norm = NormKernels.checked(new CpuNorm(pool, simd));
    elementwise = ElementwiseKernels.checked(new CpuElementwise(pool, simd));
    reduce = ReduceKernels.checked(new CpuReduce(pool, simd));
    token = TokenKernels.checked(new CpuToken(pool, simd));
    loss = LossKernels.checked(new CpuLoss(pool, simd));
    image = ImageKernels.checked(new CpuImage(pool, simd));
    attention = AttentionKernels.checked(new CpuAttention(pool, simd));
    random = RandomKernels.checked(new CpuRandom(pool, simd));
    optimizer = OptimizerKernels.checked(new CpuOptimizer(pool, simd));
  }

  /**
   * Kernels on as many threads as there are processors, or as system property {@code fovea.cpu.threads} says.
   *
   * @throws IllegalArgumentException if that property is not a whole number of at least 1
   */
  public static CpuKernels create() {
    String threads = System.getProperty(THREADS);
    return create(threads == null ? Runtime.getRuntime().availableProcessors() : parsed(threads));
  }

  private static int parsed(String threads) {
    try {
      int count = Integer.parseInt(threads);
      if (count >= 1) {
        return count;
      }
    } catch (NumberFormatException e) {
      // worded below
    }
    throw new IllegalArgumentException(
        "%s: got '%s', expected a whole number of at least 1".formatted(THREADS, threads));
  }

  /**
   * Kernels on {@code threads} threads, the caller's counted in.
   *
   * @throws IllegalArgumentException if {@code threads} is below 1
   */
  public static CpuKernels create(int threads) {
    return new CpuKernels(Simd.best(), threads);
  }

  /** The same kernels with the given inner loops: for tests that compare the forms. */
  static CpuKernels create(int threads, Simd simd) {
    return new CpuKernels(simd, threads);
  }

  @Override
  public String description() {
    int threads = pool.threads();
    return "cpu: %d %s, %s".formatted(threads, threads == 1 ? "thread" : "threads", simd.description());
  }

  @Override
  public GemmKernels gemm() {
    return gemm;
  }

  @Override
  public AttentionKernels attention() {
    return attention;
  }

  @Override
  public NormKernels norm() {
    return norm;
  }

  @Override
  public ElementwiseKernels elementwise() {
    return elementwise;
  }

  @Override
  public ReduceKernels reduce() {
    return reduce;
  }

  @Override
  public LossKernels loss() {
    return loss;
  }

  @Override
  public OptimizerKernels optimizer() {
    return optimizer;
  }

  @Override
  public TokenKernels token() {
    return token;
  }

  @Override
  public ImageKernels image() {
    return image;
  }

  @Override
  public RandomKernels random() {
    return random;
  }

  @Override
  public void close() {
    pool.close();
  }
}
