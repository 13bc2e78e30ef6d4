package dev.fovea.kernels.cuda;

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

/**
 * The kernels on one stream of one GPU. A method returns when its work is queued. Any thread may submit; what it
 * submits runs in its order.
 */
public final class CudaKernels implements KernelSet, AutoCloseable {
  private final CudaQueue queue;
  private final CudaTier tier;
  private final GemmKernels gemm;
  private final AttentionKernels attention;
  private final NormKernels norm;
  private final ElementwiseKernels elementwise;
  private final ReduceKernels reduce;
  private final LossKernels loss;
  private final OptimizerKernels optimizer;
  private final TokenKernels token;
  private final ImageKernels image;
  private final RandomKernels random;

  private CudaKernels(CudaQueue queue, CudaTier tier) {
    this.queue = queue;
    this.tier = tier;
    CudaColumnSums columnSums = new CudaColumnSums(queue);
    CudaNorm norms = new CudaNorm(queue);
    gemm = GemmKernels.checked(new CudaGemm(queue, norms, tier));
    attention = AttentionKernels.checked(new CudaAttention(queue));
    norm = NormKernels.checked(norms);
    elementwise = ElementwiseKernels.checked(new CudaElementwise(queue, new CudaCopies(queue), columnSums));
    reduce = ReduceKernels.checked(new CudaReduce(queue, columnSums));
    loss = LossKernels.checked(new CudaLoss(queue));
    optimizer = OptimizerKernels.checked(new CudaOptimizer(queue));
    token = TokenKernels.checked(new CudaToken(queue));
    image = ImageKernels.checked(new CudaImage(queue));
    random = RandomKernels.checked(new CudaRandom(queue));
  }

  /** Kernels that submit to a stream of {@code driver}, 0 for its default stream. The driver stays the caller's. */
  public static CudaKernels over(Driver driver, long stream) {
    return over(driver, stream, CudaTier.of(driver.info()));
  }

  /** As the other, with kernels up to a tier that the device runs. */
  public static CudaKernels over(Driver driver, long stream, CudaTier tier) {
    return new CudaKernels(new CudaQueue(driver, stream), tier);
  }

  /** Where they run. */
  public Driver driver() {
    return queue.driver();
  }

  /** What they submit to. */
  public long stream() {
    return queue.stream();
  }

  @Override
  public String description() {
    DeviceInfo device = queue.device();
    return "cuda: %s, compute capability %s, %d multiprocessors, %s kernels"
        .formatted(device.name(), device.capability(), device.multiprocessors(), tier);
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

  /** Waits for what was submitted, and unloads the kernels. */
  @Override
  public void close() {
    queue.close();
  }
}
