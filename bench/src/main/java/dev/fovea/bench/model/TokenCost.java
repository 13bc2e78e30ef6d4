package dev.fovea.bench.model;

import dev.fovea.bench.report.Extra;
import dev.fovea.kernels.DType;
import dev.fovea.tensor.Device;
import dev.fovea.tensor.Gradients;
import dev.fovea.tensor.Recompute;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.ops.Ops;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.infra.BenchmarkParams;

/**
 * Attention of ViT-S (6 heads, 64 wide) over ever more tokens: its time grows with their square, its memory, peak of
 * tensors included, in proportion to them.
 */
public class TokenCost extends Cost {
  private static final int HEADS = 6;
  private static final int WIDTH = 384;

  @Param({"64", "197", "577", "1024", "2048", "4096"})
  public int tokens;

  /** One picture of so many tokens. */
  @Setup(Level.Trial)
  public void setup(BenchmarkParams parameters) {
    boolean gradient = method(parameters).equals("gradient");
    double product = 2.0 * tokens * tokens * WIDTH;
    Extra.work((gradient ? 7 : 2) * product, 4.0 * (gradient ? 12 : 4) * tokens * WIDTH);
    measure(0, device -> {
      try (Scope outside = Scope.open(device)) {
        Tensor qkv = outside.keep(Tensor.normal(Shape.of(1, tokens, 3 * WIDTH), DType.F32, 1, 1));
        Tensor input = gradient ? qkv.trainable() : qkv;
        return () -> run(device, input, gradient);
      }
    });
  }

  private static void run(Device device, Tensor qkv, boolean gradient) {
    try (Scope scope = Scope.open(device)) {
      if (!gradient) {
        Ops.attention(qkv, HEADS);
        return;
      }
      try (Tape tape = Tape.record(Recompute.NONE)) {
        Tensor out = Ops.attention(qkv, HEADS);
        Tensor loss = Ops.meanSquaredError(out, Tensor.zeros(out.shape(), DType.F32));
        try (Gradients _ = tape.backward(loss)) {}
      }
    }
  }

  @Benchmark
  public void forward() {
    call();
  }

  /** Forward and backward. */
  @Benchmark
  public void gradient() {
    call();
  }
}
