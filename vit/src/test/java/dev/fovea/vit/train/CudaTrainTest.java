package dev.fovea.vit.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.cuda.KernelBinary;
import dev.fovea.kernels.ptx.PtxDriver;
import dev.fovea.tensor.CudaDevice;
import dev.fovea.tensor.Device;
import dev.fovea.tensor.Recompute;
import dev.fovea.tensor.Tensor;
import dev.fovea.vit.data.Batch;
import dev.fovea.vit.model.Initialisation;
import dev.fovea.vit.model.VisionTransformer;
import dev.fovea.vit.model.VitConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Steps of training on GPU kernels, which the PTX machine executes, beside the same steps on the CPU. */
final class CudaTrainTest {
  private static final int STEPS = 3;

  /** Of F32 losses: they are of order 1, sums of products are in another order. */
  private static final float F32 = 1e-4f;

  /**
   * Of BF16 losses, at a rate at which what rounding does to a step, whose direction is a sign for AdamW, does not grow
   * beyond it: two roundings to 8 bits of a number of order 1 to 2.
   */
  private static final float BF16 = 1f / 128;

  @BeforeAll
  static void theBuildCompiledKernels() {
    assumeTrue(new KernelBinary("gemm").ptx() != null, "the build found no nvcc, so there are no GPU kernels to run");
  }

  /** Losses of all steps, and both moments of every parameter after them. */
  private record Outcome(float[] losses, List<float[]> moments) {}

  @ParameterizedTest
  @EnumSource
  void losesAsOnTheCpuUnderEveryPolicy(VitConfig.Block block) {
    losesAsOnTheCpu(block, DType.F32, F32);
  }

  @ParameterizedTest
  @EnumSource
  void losesAsOnTheCpuInBf16UnderEveryPolicy(VitConfig.Block block) {
    losesAsOnTheCpu(block, DType.BF16, BF16);
  }

  private static void losesAsOnTheCpu(VitConfig.Block block, DType dtype, float tolerance) {
    Outcome cpu = train(block, dtype, Device.cpu(), Recompute.NONE);
    Outcome first = null;
    for (Recompute recompute : Recompute.values()) {
      try (CudaDevice device = CudaDevice.over(new PtxDriver())) {
        Outcome found = train(block, dtype, device, recompute);
        assertArrayEquals(cpu.losses, found.losses, tolerance, recompute.toString());
        first = first == null ? found : first;
        assertArrayEquals(first.losses, found.losses, recompute.toString());
        for (int i = 0; i < found.moments.size(); i++) {
          assertArrayEquals(first.moments.get(i), found.moments.get(i), recompute + ", parameter " + i);
        }
      }
    }
    assertEquals(STEPS, cpu.losses.length);
  }

  private static Outcome train(VitConfig.Block block, DType dtype, Device device, Recompute recompute) {
    VitConfig config = VitConfig.builder()
        .image(16)
        .patch(8)
        .shape(32, 2, 64, 2)
        .block(block)
        .branches(block == VitConfig.Block.THINGS ? 2 : 1)
        .qkNorm(block == VitConfig.Block.PARALLEL ? VitConfig.Norm.layer(1e-6f) : null)
        .classes(5)
        .build();
    VisionTransformer model = VisionTransformer.create(config, Initialisation.of(1), device);
    try (MixedPrecision trained = MixedPrecision.of(new Classification(model, Loss.SOFTMAX, 0.1f, 7), dtype, true);
        Optimizer optimizer = new AdamW(parameters(trained), AdamW.Settings.DEFAULT)) {
      TrainStep step = new TrainStep(trained.working(), optimizer, new TrainStep.Settings(recompute, 1, 1));
      float[] losses = new float[STEPS];
      for (int i = 0; i < STEPS; i++) {
        losses[i] = (float)
            step.update(batch(i), dtype == DType.BF16 ? 1e-3 : 1e-2, i + 1).loss();
      }
      List<float[]> moments = new ArrayList<>();
      for (Tensor state : optimizer.state().values()) {
        moments.add(state.toFloats());
      }
      return new Outcome(losses, moments);
    }
  }

  /** Everything, the masters being moved where there are such. */
  static List<Parameter> parameters(MixedPrecision trained) {
    return Parameter.of(trained.working().model(), 0.05, 0.05, name -> true).stream()
        .map(parameter -> parameter.of(trained.master(parameter.name())))
        .toList();
  }

  private static Batch batch(int step) {
    return batch(3, step);
  }

  /** Some pictures that are noise, of five classes. */
  static Batch batch(int pictures, int step) {
    Random random = new Random(step);
    float[] pixels = new float[pictures * 3 * 16 * 16];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = random.nextFloat() * 2 - 1;
    }
    int[] labels = new int[pictures];
    Arrays.setAll(labels, i -> random.nextInt(5));
    return new Batch(pixels, labels, null);
  }
}
