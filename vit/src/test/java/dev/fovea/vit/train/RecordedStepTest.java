package dev.fovea.vit.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.cuda.CudaException;
import dev.fovea.kernels.cuda.Driver;
import dev.fovea.kernels.cuda.KernelBinary;
import dev.fovea.kernels.ptx.PtxDriver;
import dev.fovea.kernels.ptx.PtxOptions;
import dev.fovea.tensor.CudaDevice;
import dev.fovea.tensor.Device;
import dev.fovea.tensor.Recompute;
import dev.fovea.tensor.Tensor;
import dev.fovea.vit.data.Batch;
import dev.fovea.vit.model.Initialisation;
import dev.fovea.vit.model.VisionTransformer;
import dev.fovea.vit.model.VitConfig;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Recorded steps that are replayed, on a machine that does what it is asked late, beside steps that are launched. */
final class RecordedStepTest {
  private static final int STEPS = 4;
  private static final int CLASSES = 5;

  @BeforeAll
  static void theBuildCompiledKernels() {
    assumeTrue(new KernelBinary("gemm").ptx() != null, "the build found no nvcc, so there are no GPU kernels to run");
  }

  /** What steps told, and what they left. */
  private record Outcome(List<Updates.Result> results, List<float[]> tensors) {}

  @ParameterizedTest
  @CsvSource({
    "F32, true, SEQUENTIAL, SELECTIVE, 1, false",
    "F32, true, PARALLEL, BLOCK, 2, true",
    "BF16, true, PARALLEL, NONE, 1, false",
    "BF16, false, PARALLEL, NONE, 1, false"
  })
  void areTheSameBits(
      DType dtype, boolean masters, VitConfig.Block block, Recompute recompute, int micro, boolean mixed) {
    Outcome plain = train(false, driver(), dtype, masters, block, recompute, micro, mixed);
    Outcome recorded = train(true, driver(), dtype, masters, block, recompute, micro, mixed);
    assertSame(plain, recorded);
  }

  /** The driver has no memory for the graph: the step is done all the same, and so are the next ones. */
  @Test
  void areLaunchedWhereTheyCannotBeRecorded() {
    Driver gpu = driver();
    int[] refused = {0};
    Driver refusing = (Driver) Proxy.newProxyInstance(
        Driver.class.getClassLoader(), new Class<?>[] {Driver.class}, (proxy, method, arguments) -> {
          Object result = method.invoke(gpu, arguments);
          if (method.getName().equals("endCapture")) {
            refused[0]++;
            gpu.destroyGraph((long) result);
            throw new CudaException("CUDA_ERROR_OUT_OF_MEMORY", "making of a graph");
          }
          return result;
        });
    Outcome plain = train(false, driver(), DType.F32, true, VitConfig.Block.SEQUENTIAL, Recompute.SELECTIVE, 1, false);
    Outcome launched =
        train(true, refusing, DType.F32, true, VitConfig.Block.SEQUENTIAL, Recompute.SELECTIVE, 1, false);
    assertSame(plain, launched);
    assertEquals(1, refused[0]);
  }

  private static Driver driver() {
    return new PtxDriver(PtxOptions.standard().withDeferred(true));
  }

  private static void assertSame(Outcome plain, Outcome recorded) {
    assertEquals(plain.results, recorded.results);
    for (int i = 0; i < plain.tensors.size(); i++) {
      assertArrayEquals(plain.tensors.get(i), recorded.tensors.get(i), "tensor " + i);
    }
  }

  private static Outcome train(
      boolean recorded,
      Driver driver,
      DType dtype,
      boolean masters,
      VitConfig.Block block,
      Recompute recompute,
      int micro,
      boolean mixed) {
    VitConfig config = VitConfig.builder()
        .image(16)
        .patch(8)
        .shape(32, 2, 64, 2)
        .block(block)
        .classes(CLASSES)
        .build();
    var settings = new TrainStep.Settings(recompute, micro, 1);
    try (CudaDevice device = CudaDevice.over(driver)) {
      var whole =
          new Classification(VisionTransformer.create(config, Initialisation.of(1), device), Loss.SOFTMAX, 0.1f, 7);
      try (MixedPrecision trained = MixedPrecision.of(whole, dtype, masters);
          Optimizer optimizer = new AdamW(CudaTrainTest.parameters(trained), AdamW.Settings.DEFAULT)) {
        Objective objective = trained.working();
        List<Updates.Result> results = new ArrayList<>();
        try (Updates updates = recorded
            ? new RecordedStep(device, objective, optimizer, settings, 4, mixed)
            : new TrainStep(objective, optimizer, settings)) {
          Updates.Pending before = null;
          for (int i = 0; i < STEPS; i++) {
            if (i == STEPS - 1) {
              updates.rest();
            }
            Updates.Pending now = updates.begin(batch(i, mixed), 1e-2 / (i + 1), i + 1);
            assertEquals(recorded, now instanceof Updates.Pending.Late);
            if (before != null) {
              results.add(before.result());
            }
            before = now;
          }
          results.add(before.result());
        }
        List<float[]> tensors = new ArrayList<>();
        trained.kept().parameters().values().forEach(tensor -> tensors.add(tensor.toFloats()));
        objective.parameters().values().forEach(tensor -> tensors.add(tensor.toFloats()));
        for (Tensor state : optimizer.state().values()) {
          tensors.add(state.toFloats());
        }
        return new Outcome(results, tensors);
      }
    }
  }

  private static Batch batch(int step, boolean mixed) {
    Batch random = CudaTrainTest.batch(4, step);
    float[] targets = new float[4 * CLASSES];
    for (int i = 0; i < targets.length; i++) {
      targets[i] = (i + step) % CLASSES / 10f;
    }
    return new Batch(random.pixels(), random.labels(), mixed ? targets : null);
  }

  @Test
  void onlyStepsThatAreAlikeAreRecorded() {
    VitConfig config = VitConfig.builder()
        .image(16)
        .patch(8)
        .shape(32, 1, 64, 2)
        .classes(CLASSES)
        .build();
    assertTrue(suits(config, new TrainStep.Settings(Recompute.NONE, 1, 1), TrainConfig.OnNonFinite.STOP));
    assertFalse(suits(config, new TrainStep.Settings(Recompute.NONE, 1, 0), TrainConfig.OnNonFinite.STOP));
    assertFalse(suits(config, new TrainStep.Settings(Recompute.OFFLOAD, 1, 1), TrainConfig.OnNonFinite.STOP));
    assertFalse(suits(config, new TrainStep.Settings(Recompute.NONE, 1, 1), TrainConfig.OnNonFinite.SKIP));
    VitConfig dropping = config.toBuilder().dropPath(0.1f).build();
    assertFalse(suits(dropping, new TrainStep.Settings(Recompute.NONE, 1, 1), TrainConfig.OnNonFinite.STOP));
  }

  private static boolean suits(VitConfig config, TrainStep.Settings settings, TrainConfig.OnNonFinite onNonFinite) {
    try (VisionTransformer model = VisionTransformer.create(config, Initialisation.of(1), Device.cpu())) {
      return RecordedStep.suits(new Classification(model, Loss.SOFTMAX, 0, 7), settings, onNonFinite);
    }
  }
}
