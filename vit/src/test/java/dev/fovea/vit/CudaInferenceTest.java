package dev.fovea.vit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.cuda.KernelBinary;
import dev.fovea.kernels.ptx.PtxDriver;
import dev.fovea.tensor.CudaDevice;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.vit.image.Picture;
import dev.fovea.vit.model.AttentionMaps;
import dev.fovea.vit.model.VisionTransformer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pictures in, answers out, on GPU kernels, which the PTX machine executes: as on the CPU. */
class CudaInferenceTest {
  private static final float TOLERANCE = 1e-4f;

  @TempDir
  private Path folder;

  private CudaDevice device;
  private Vit here;
  private Vit there;

  @BeforeEach
  void load() throws IOException {
    assumeTrue(new KernelBinary("gemm").ptx() != null, "the build found no nvcc, so there are no GPU kernels to run");
    device = CudaDevice.over(new PtxDriver());
    Path model = TinyModel.write(folder.resolve("model"));
    here = Vit.load(model);
    there = Vit.load(model, device);
  }

  @AfterEach
  void close() {
    if (device != null) {
      here.close();
      there.close();
      device.close();
    }
  }

  private static Picture picture(int seed) {
    byte[] rgb = new byte[3 * 40 * 36];
    new Random(seed).nextBytes(rgb);
    return Picture.of(40, 36, rgb);
  }

  @Test
  void picturesAreEmbeddedAndNamed() throws IOException {
    float[][] expected = here.embed(picture(1), picture(2));
    float[][] got = there.embed(picture(1), picture(2));
    for (int i = 0; i < 2; i++) {
      assertArrayEquals(expected[i], got[i], TOLERANCE);
    }
    assertEquals(
        here.predict(picture(3), 5).stream().map(Prediction::label).toList(),
        there.predict(picture(3), 5).stream().map(Prediction::label).toList());
  }

  @Test
  void whereItLooksIsSeen() throws IOException {
    AttentionMaps expected = maps(here);
    AttentionMaps got = maps(there);
    for (int layer = 0; layer < expected.layers(); layer++) {
      assertArrayEquals(expected.head(layer, 1), got.head(layer, 1), TOLERANCE);
    }
    assertArrayEquals(expected.rollout(), got.rollout(), TOLERANCE);
  }

  private static AttentionMaps maps(Vit vit) throws IOException {
    try (Scope scope = Scope.open(vit.device())) {
      return vit.model().attention(vit.inference().preprocessor().apply(picture(4)));
    }
  }

  @Test
  void otherSizesAreResampled() {
    float[] expected = resized(here.model());
    assertArrayEquals(expected, resized(there.model()), TOLERANCE);
  }

  private static float[] resized(VisionTransformer model) {
    try (VisionTransformer other = model.resized(48, 24);
        Scope scope = Scope.open(other.parameters().get("positions").device())) {
      Tensor pixels = Tensor.normal(Shape.of(1, 3, 48, 24), DType.F32, 1, 9);
      return other.forward(pixels).preLogits().toFloats();
    }
  }

  @Test
  void whatIsSavedIsWhatWasLoaded() throws IOException {
    there.save(folder.resolve("saved"));
    try (Vit again = Vit.load(folder.resolve("saved"))) {
      here.model()
          .parameters()
          .forEach((name, tensor) -> assertArrayEquals(
              tensor.toFloats(), again.model().parameters().get(name).toFloats(), name));
    }
    Path halves = folder.resolve("halves");
    try (Vit half = Vit.load(folder.resolve("saved"), device, DType.BF16)) {
      half.save(halves);
      try (Vit again = Vit.load(halves, device, DType.BF16)) {
        half.model()
            .parameters()
            .forEach((name, tensor) -> assertArrayEquals(
                tensor.toFloats(), again.model().parameters().get(name).toFloats(), name));
      }
    }
  }
}
