package dev.fovea.bench.model;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.Device;
import dev.fovea.tensor.Gradients;
import dev.fovea.tensor.Recompute;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.ops.Ops;
import dev.fovea.vit.model.Initialisation;
import dev.fovea.vit.model.Presets;
import dev.fovea.vit.model.VisionTransformer;
import dev.fovea.vit.model.VitConfig;
import java.util.Objects;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;

/** Gradients of all parameters of ever deeper ViT-Ti/16, under each policy of what is kept and what computed again. */
public class DepthCost extends Cost {
  private static final int PICTURES = 2;

  @Param({"2", "4", "8", "12", "16"})
  public int depth;

  /** A {@link Recompute}. */
  @Param({"NONE", "SELECTIVE", "BLOCK"})
  public String policy = "";

  /** Two pictures at 224 pixels. */
  @Setup(Level.Trial)
  public void setup() {
    VitConfig config = Presets.of("Ti/16").toBuilder().depth(depth).classes(10).build();
    Recompute recompute = Recompute.valueOf(policy);
    measure(PICTURES, device -> {
      VisionTransformer model = VisionTransformer.create(config, Initialisation.of(1), device);
      model.parameters().values().forEach(Tensor::trainable);
      try (Scope outside = Scope.open(device)) {
        Tensor pixels = outside.keep(Tensor.normal(Shape.of(PICTURES, 3, 224, 224), DType.F32, 1, 1));
        Tensor labels = outside.keep(Tensor.zeros(Shape.of(PICTURES), DType.I32));
        return () -> gradients(device, model, recompute, pixels, labels);
      }
    });
  }

  private static void gradients(
      Device device, VisionTransformer model, Recompute recompute, Tensor pixels, Tensor labels) {
    try (Scope scope = Scope.open(device);
        Tape tape = Tape.record(recompute)) {
      Tensor logits = Objects.requireNonNull(model.forward(pixels).logits());
      try (Gradients _ = tape.backward(Ops.softmaxCrossEntropy(logits, labels, 0))) {}
    }
  }

  @Benchmark
  public void gradients() {
    call();
  }
}
