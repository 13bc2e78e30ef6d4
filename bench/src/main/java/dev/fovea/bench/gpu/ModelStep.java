package dev.fovea.bench.gpu;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.fovea.kernels.DType;
import dev.fovea.tensor.CudaDevice;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.io.TensorFile;
import dev.fovea.vit.Vit;
import dev.fovea.vit.model.VisionTransformer.Output;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** A model of another library, forward on the GPU in F32 or BF16, against what that library computed in float64. */
record ModelStep(Path folder, DType dtype) implements Worker.Step {
  private static final double F32_TOLERANCE = 1e-4;
  private static final double BF16_TOLERANCE = 2e-2;

  @Override
  public String kernel() {
    return "model";
  }

  @Override
  public String shape() {
    return folder.getFileName() + " " + dtype;
  }

  @Override
  public void run(NotingDriver driver, ObjectNode result) throws IOException {
    CudaDevice device = CudaDevice.over(driver);
    double worst = 0;
    try (TensorFile input = TensorFile.open(folder.resolve("input.safetensors"));
        TensorFile expected = TensorFile.open(folder.resolve("expected.safetensors"));
        Vit vit = Vit.load(folder, device, dtype);
        Scope scope = Scope.open(device)) {
      Output output = vit.forward(input.load("pixel_values", DType.F32));
      for (String name : expected.names()) {
        Tensor ours = named(output, name);
        if (ours != null) {
          double error = relative(floats(expected, name), ours.toFloats());
          result.put(name, error);
          worst = Math.max(worst, error);
        }
      }
    }
    device.close();
    double tolerance = dtype == DType.F32 ? F32_TOLERANCE : BF16_TOLERANCE;
    result.put("error", worst).put("ofTolerance", worst / tolerance);
    if (!(worst <= tolerance)) {
      throw new IllegalStateException(
          "off by %.2e of the largest value, expected at most %.0e".formatted(worst, tolerance));
    }
  }

  private static float[] floats(TensorFile file, String name) throws IOException {
    try (Scope scope = Scope.open()) {
      return file.load(name, DType.F32).toFloats();
    }
  }

  /** Forward results only: gradients wait for kernels that GPUs do not have yet. */
  private static @Nullable Tensor named(Output output, String name) {
    return switch (name) {
      case "features", "last_hidden_state" -> output.features();
      case "pre_logits", "pooler_output" -> output.preLogits();
      case "logits" -> output.logits();
      default -> null;
    };
  }

  /** The largest difference relative to the largest magnitude. */
  private static double relative(float[] expected, float[] got) {
    if (expected.length != got.length) {
      throw new IllegalStateException("got %d values, expected %d".formatted(got.length, expected.length));
    }
    double error = 0;
    double magnitude = 0;
    for (int i = 0; i < expected.length; i++) {
      double difference = Math.abs((double) expected[i] - got[i]);
      error = Double.isNaN(difference) ? Double.POSITIVE_INFINITY : Math.max(error, difference);
      magnitude = Math.max(magnitude, Math.abs(expected[i]));
    }
    return error == 0 ? 0 : error / magnitude;
  }
}
