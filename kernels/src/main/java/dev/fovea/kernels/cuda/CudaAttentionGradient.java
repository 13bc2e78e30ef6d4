package dev.fovea.kernels.cuda;

import dev.fovea.kernels.Attention;
import dev.fovea.kernels.Attention.Operand;
import dev.fovea.kernels.DType;

/**
 * The gradient of attention on a GPU, {@code attention_backward.cu} and {@code attention_backward_f32.cu}: a kernel
 * over tiles of queries, then one over tiles of keys.
 */
final class CudaAttentionGradient {
  private static final int TENSOR_THREADS = 128;
  private static final int EXACT_THREADS = 256;

  /** A pair of kernels for head dimensions up to so many, each of whose blocks owns so many rows. */
  private record Form(int headDim, int rows, int threads, CudaKernel queries, CudaKernel keys) {}

  private final CudaQueue queue;
  private final Form[] tensor;
  private final Form[] exact;

  CudaAttentionGradient(CudaQueue queue) {
    this.queue = queue;
    CudaFamily family = queue.family("attention_backward");
    CudaFamily cores = queue.family("attention_backward_f32");
    tensor = new Form[] {
      tensor(family, 32, 128, 25_088, 25_088),
      tensor(family, 64, 128, 49_664, 41_216),
      tensor(family, 80, 64, 62_464, 62_464),
      tensor(family, 96, 64, 49_664, 49_664),
      tensor(family, 128, 64, 66_048, 66_048)
    };
    exact = new Form[] {
      exact(cores, 32, 64, 52_736),
      exact(cores, 64, 64, 87_552),
      exact(cores, 128, 32, 78_592),
      exact(cores, 256, 16, 83_328)
    };
  }

  private static Form tensor(CudaFamily family, int headDim, int rows, int sharedQueries, int sharedKeys) {
    return form(family, "bf16_" + headDim, headDim, rows, TENSOR_THREADS, sharedQueries, sharedKeys);
  }

  private static Form exact(CudaFamily family, int headDim, int rows, int shared) {
    return form(family, "f32_" + headDim, headDim, rows, EXACT_THREADS, shared, shared);
  }

  private static Form form(
      CudaFamily family, String name, int headDim, int rows, int threads, int sharedQueries, int sharedKeys) {
    return new Form(
        headDim,
        rows,
        threads,
        family.kernel("attention_backward_queries_" + name, sharedQueries),
        family.kernel("attention_backward_keys_" + name, sharedKeys));
  }

  void run(Attention call) {
    Form[] forms = suitsTensorCores(call) ? tensor : exact;
    int i = 0;
    while (call.headDim > forms[i].headDim) {
      i++;
    }
    Form form = forms[i];
    long delta = queue.scratch((long) call.batch * call.heads * call.queries * Float.BYTES);
    queue.run(form.queries, launch(call, form, form.queries, call.queries, delta));
    queue.run(form.keys, launch(call, form, form.keys, call.keys, delta));
  }

  /** BF16 with every head's rows on 16 bytes, as asynchronous copies need it; gradients may be F32. */
  private boolean suitsTensorCores(Attention call) {
    return call.headDim % (CudaOperands.CHUNK_BYTES / DType.BF16.bytes()) == 0
        && call.headDim <= tensor[tensor.length - 1].headDim
        && isChunked(call.q())
        && isChunked(call.k())
        && isChunked(call.v())
        && isChunked(call.o())
        && isChunked(call.dO())
        && isWritable(call.dq())
        && isWritable(call.dk())
        && isWritable(call.dv());
  }

  private static boolean isChunked(Operand operand) {
    return CudaOperands.isChunked(operand.span(), operand.ld());
  }

  private static boolean isWritable(Operand operand) {
    return isChunked(operand) || operand.span().dtype() == DType.F32;
  }

  private Launch launch(Attention call, Form form, CudaKernel kernel, int rows, long delta) {
    long tiles = Math.ceilDiv(rows, form.rows);
    Launch launch = queue
        .launch()
        .grid(tiles * call.heads * call.batch, 1, 1)
        .block(form.threads, 1, 1)
        .shared(kernel.sharedBytes());
    operand(launch, call.q());
    operand(launch, call.k());
    operand(launch, call.v());
    operand(launch, call.o());
    operand(launch, call.dO());
    operand(launch, call.dq());
    operand(launch, call.dk());
    operand(launch, call.dv());
    return launch
        .pointer(CudaOperands.address(call.lse()))
        .pointer(delta)
        .pointer(CudaOperands.address(call.lengths()))
        .i32(call.batch)
        .i32(call.heads)
        .i32(call.queries)
        .i32(call.keys)
        .i32(call.headDim)
        .f32(call.scale());
  }

  private static void operand(Launch launch, Operand operand) {
    CudaOperands.matrix(launch, operand.span(), operand.ld(), false);
  }
}
