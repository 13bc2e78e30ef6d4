package dev.fovea.vit.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.cuda.KernelBinary;
import dev.fovea.kernels.ptx.PtxDriver;
import dev.fovea.tensor.CudaDevice;
import dev.fovea.tensor.Recompute;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.ops.Ops;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * What a block does on a GPU, name by name, from the driver's log of kernels, copies and fills: the parallel block four
 * launches forward and eight backward, the sequential block seven and thirteen, both with QK-norm and biases. What asks
 * for more says so here.
 */
final class BlockLaunchesTest {
  private static final String NORM = "norm_forward_warp";
  private static final String PRODUCT = "gemm_f32_nt_64x128";
  private static final String ATTENTION = "attention_forward_f32_32";

  private static final String NORM_GRADIENT = "norm_backward_warp_128";
  private static final String WEIGHT_GRADIENT = "gemm_f32_tn_64x128";
  private static final String INPUT_GRADIENT = "gemm_f32_nn_64x128";

  @BeforeAll
  static void theBuildCompiledKernels() {
    assumeTrue(new KernelBinary("gemm").ptx() != null, "the build found no nvcc, so there are no GPU kernels to run");
  }

  /** Launches of a pass of training. */
  private record Launches(List<String> forward, List<String> backward) {}

  /** Those of one block, as {@link #more} finds them. */
  private record Block(List<List<String>> forward, List<List<String>> backward) {}

  private static VitConfigBuilder config(VitConfig.Block block) {
    return VitConfig.builder()
        .image(16)
        .patch(8)
        .shape(32, 1, 64, 2)
        .block(block)
        .qkNorm(VitConfig.Norm.layer(1e-6f))
        .classes(5);
  }

  /** Norm; [MLP in | q | k | v] with bias, GELU and QK-norm; attention; [MLP out | attention out] with the residual. */
  @Test
  void parallel() {
    Block block = training(config(VitConfig.Block.PARALLEL).projBias(false));
    assertLaunches(block.forward, NORM, PRODUCT, ATTENTION, PRODUCT);
    assertLaunches(
        block.backward,
        WEIGHT_GRADIENT, // of both halves of the output projection, with the bias
        INPUT_GRADIENT, // with GELU's slope
        "attention_backward_queries_f32_32",
        "attention_backward_keys_f32_32",
        NORM_GRADIENT, // of queries and keys
        WEIGHT_GRADIENT, // of MLP and q, k, v, with the biases
        INPUT_GRADIENT,
        NORM_GRADIENT);
  }

  @Test
  void sequential() {
    Block block = training(config(VitConfig.Block.SEQUENTIAL));
    assertLaunches(block.forward, NORM, PRODUCT, ATTENTION, PRODUCT, NORM, PRODUCT, PRODUCT);
    assertLaunches(
        block.backward,
        WEIGHT_GRADIENT,
        INPUT_GRADIENT, // with GELU's slope and the bias of the layer below
        WEIGHT_GRADIENT,
        INPUT_GRADIENT,
        NORM_GRADIENT,
        WEIGHT_GRADIENT,
        INPUT_GRADIENT,
        "attention_backward_queries_f32_32",
        "attention_backward_keys_f32_32",
        NORM_GRADIENT, // of queries and keys
        WEIGHT_GRADIENT,
        INPUT_GRADIENT,
        NORM_GRADIENT);
  }

  /** The first product's epilogue has the gate; its gradient is a launch of its own. */
  @Test
  void gated() {
    Block block = training(config(VitConfig.Block.SEQUENTIAL).gated(true));
    assertLaunches(block.forward, NORM, PRODUCT, ATTENTION, PRODUCT, NORM, PRODUCT + "_gated", PRODUCT);
    assertCount(block.backward, 14, "swiglu_gradient");
  }

  /** Two output biases, as one other library stores them, ride in one epilogue and share a gradient. */
  @Test
  void parallelWithTwoOutputBiases() {
    Block block = training(config(VitConfig.Block.PARALLEL));
    assertLaunches(block.forward, NORM, PRODUCT, ATTENTION, PRODUCT);
    assertCount(block.backward, 8);
  }

  /** LayerScale: its own gradient, and the gradient of what it scales. */
  @Test
  void layerScale() {
    Block block = training(config(VitConfig.Block.PARALLEL).projBias(false).layerScale(true));
    assertCount(block.forward, 4);
    assertCount(block.backward, 10, "column_sums", "residual");
  }

  private static void assertLaunches(List<List<String>> found, String... expected) {
    assertTrue(found.contains(Arrays.asList(expected)), () -> found.getFirst().toString());
  }

  private static void assertCount(List<List<String>> found, int count, String... among) {
    List<String> first = found.getFirst();
    assertEquals(count, first.size(), first.toString());
    assertTrue(first.containsAll(Arrays.asList(among)), first.toString());
  }

  /** What one block adds to a pass of training. */
  private static Block training(VitConfigBuilder config) {
    Launches one = pass(config.depth(1).build());
    Launches two = pass(config.depth(2).build());
    return new Block(more(one.forward, two.forward), more(one.backward, two.backward));
  }

  /**
   * The stretches of {@code longer} without which it is {@code shorter}: of a block and what surrounds it, the log does
   * not say where one begins if both end with the same kernel.
   */
  private static List<List<String>> more(List<String> shorter, List<String> longer) {
    int count = longer.size() - shorter.size();
    List<List<String>> found = new ArrayList<>();
    for (int at = 0; at + count <= longer.size(); at++) {
      List<String> without = new ArrayList<>(longer.subList(0, at));
      without.addAll(longer.subList(at + count, longer.size()));
      if (without.equals(shorter)) {
        found.add(longer.subList(at, at + count));
      }
    }
    assertTrue(!found.isEmpty(), () -> longer + " is not " + shorter + " with a stretch of it twice");
    return found;
  }

  private static Launches pass(VitConfig config) {
    var driver = new PtxDriver();
    try (CudaDevice device = CudaDevice.over(driver);
        VisionTransformer model = VisionTransformer.create(config, Initialisation.of(1), device);
        Scope scope = Scope.open(device);
        Tape tape = Tape.record(Recompute.NONE)) {
      model.parameters().values().forEach(Tensor::trainable);
      Tensor pixels = Tensor.zeros(Shape.of(1, 3, config.imageHeight(), config.imageWidth()), DType.F32);
      device.synchronize();
      driver.clearLaunches();
      Tensor logits = model.forward(pixels).logits();
      device.synchronize();
      List<String> forward = operations(driver);
      Tensor loss = Ops.softmaxCrossEntropy(logits, Tensor.of(new int[] {1}, 1), 0);
      device.synchronize();
      driver.clearLaunches();
      tape.backward(loss).close();
      device.synchronize();
      return new Launches(forward, operations(driver));
    }
  }

  /** Without the poison of tests. */
  private static List<String> operations(PtxDriver driver) {
    return driver.operations().stream().filter(o -> !o.equals("fill 255")).toList();
  }
}
