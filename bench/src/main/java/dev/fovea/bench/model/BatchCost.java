package dev.fovea.bench.model;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.Device;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.vit.model.Initialisation;
import dev.fovea.vit.model.Presets;
import dev.fovea.vit.model.VisionTransformer;
import dev.fovea.vit.model.VitConfig;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.infra.BenchmarkParams;

/** Classes and vectors of ever more pictures at once. */
public class BatchCost extends Cost {
  @Param({"S/16", "B/16"})
  public String model = "";

  @Param({"1", "2", "4", "8", "16"})
  public int batch;

  /** Pictures at 224 pixels. */
  @Setup(Level.Trial)
  public void setup(BenchmarkParams parameters) {
    int classes = method(parameters).equals("predict") ? 1000 : 0;
    VitConfig config = Presets.of(model).toBuilder().classes(classes).build();
    measure(batch, device -> {
      VisionTransformer frozen =
          VisionTransformer.create(config, Initialisation.of(1), device).frozen();
      try (Scope outside = Scope.open(device)) {
        Tensor pixels = outside.keep(Tensor.normal(Shape.of(batch, 3, 224, 224), DType.F32, 1, 1));
        return () -> forward(device, frozen, pixels);
      }
    });
  }

  private static void forward(Device device, VisionTransformer model, Tensor pixels) {
    try (Scope inside = Scope.open(device)) {
      model.forward(pixels);
    }
  }

  /** The probabilities' logits of 1000 classes. */
  @Benchmark
  public void predict() {
    call();
  }

  /** A vector for each picture. */
  @Benchmark
  public void embed() {
    call();
  }
}
