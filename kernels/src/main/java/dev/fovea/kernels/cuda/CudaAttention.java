package dev.fovea.kernels.cuda;

import dev.fovea.kernels.Attention;
import dev.fovea.kernels.Attention.Operand;
import dev.fovea.kernels.AttentionKernels;
import dev.fovea.kernels.DType;
import dev.fovea.kernels.Span;

/** Attention on a GPU: {@code attention.cu} and {@code attention_f32.cu}. */
final class CudaAttention implements AttentionKernels {
  /** A kernel for head dimensions up to so many. */
  private record Form(int headDim, int queries, int keys, int threads, CudaKernel kernel) {}

  private final CudaQueue queue;
  private final CudaAttentionGradient gradient;
  private final Form[] tensor;
  private final Form[] exact;
  private final Form[] weights;

  CudaAttention(CudaQueue queue) {
    this.queue = queue;
    gradient = new CudaAttentionGradient(queue);
    CudaFamily family = queue.family("attention");
    CudaFamily cores = queue.family("attention_f32");
    tensor = new Form[] {
      tensor(family, 32, 128, 64, 24_576),
      tensor(family, 64, 128, 64, 49_152),
      tensor(family, 80, 64, 64, 51_200),
      tensor(family, 96, 64, 64, 61_440),
      tensor(family, 112, 64, 64, 71_680),
      tensor(family, 128, 64, 64, 81_920),
      tensor(family, 256, 64, 32, 98_304)
    };
    exact = new Form[] {
      exact(cores, "forward_f32", 32, 64, 34_816),
      exact(cores, "forward_f32", 64, 64, 52_224),
      exact(cores, "forward_f32", 128, 64, 87_040),
      exact(cores, "forward_f32", 256, 32, 78_336)
    };
    weights = new Form[] {exact(cores, "weights", 64, 64, 52_224), exact(cores, "weights", 256, 32, 78_336)};
  }

  private static Form tensor(CudaFamily family, int headDim, int queries, int keys, int shared) {
    return new Form(headDim, queries, keys, 128, family.kernel("attention_forward_bf16_" + headDim, shared));
  }

  private static Form exact(CudaFamily family, String name, int headDim, int tile, int shared) {
    return new Form(headDim, tile, tile, 256, family.kernel("attention_" + name + "_" + headDim, shared));
  }

  @Override
  public void forward(Attention call) {
    Form form = form(suitsTensorCores(call) ? tensor : exact, call.headDim);
    queue.run(form.kernel, launch(call, form, 1, 0));
  }

  @Override
  public void backward(Attention call) {
    gradient.run(call);
  }

  @Override
  public void weights(Attention call, Span p) {
    Form form = form(weights, call.headDim);
    queue.run(form.kernel, launch(call, form, Math.ceilDiv(call.keys, form.keys), p.address()));
  }

  /** BF16 with every head's rows on 16 bytes, as asynchronous copies need it. */
  private static boolean suitsTensorCores(Attention call) {
    return call.headDim % (CudaOperands.CHUNK_BYTES / DType.BF16.bytes()) == 0
        && isChunked(call.q())
        && isChunked(call.k())
        && isChunked(call.v())
        && (isChunked(call.o()) || call.o().span().dtype() == DType.F32);
  }

  private static boolean isChunked(Operand operand) {
    return CudaOperands.isChunked(operand.span(), operand.ld());
  }

  private static Form form(Form[] forms, int headDim) {
    for (Form form : forms) {
      if (headDim <= form.headDim) {
        return form;
      }
    }
    throw new IllegalArgumentException("headDim: got " + headDim + ", expected at most 256");
  }

  private Launch launch(Attention call, Form form, int columns, long weights) {
    long tiles = Math.ceilDiv(call.queries, form.queries);
    Launch launch = queue
        .launch()
        .grid(tiles * call.heads * call.batch, columns, 1)
        .block(form.threads, 1, 1)
        .shared(form.kernel.sharedBytes());
    boolean forward = weights == 0;
    operand(launch, call.q());
    operand(launch, call.k());
    operand(launch, forward ? call.v() : call.k());
    operand(launch, forward ? call.o() : call.q());
    return launch
        .pointer(CudaOperands.address(call.lse()))
        .pointer(CudaOperands.address(call.lengths()))
        .pointer(weights)
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
