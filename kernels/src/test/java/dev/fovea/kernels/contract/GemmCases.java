package dev.fovea.kernels.contract;

import static dev.fovea.kernels.Activation.GELU_ERF;
import static dev.fovea.kernels.Activation.GELU_TANH;
import static dev.fovea.kernels.Activation.SILU;
import static dev.fovea.kernels.DType.BF16;
import static dev.fovea.kernels.DType.F32;
import static dev.fovea.kernels.Layout.NN;
import static dev.fovea.kernels.Layout.NT;
import static dev.fovea.kernels.Layout.TN;

import dev.fovea.kernels.Activation;
import dev.fovea.kernels.DType;
import dev.fovea.kernels.Layout;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Matrix products: awkward shapes, every operand of the epilogue, and the layers of vision transformers. */
public final class GemmCases {
  private GemmCases() {}

  public static Stream<KernelCase> all() {
    List<GemmCase> cases = new ArrayList<>();
    shapes(cases);
    operands(cases);
    types(cases);
    forward(cases);
    parallel(cases);
    backward(cases);
    return Stream.concat(cases.stream().map(GemmCase::done), deep());
  }

  /** Sizes from 1 on around the edges of tiles, blocks, panel pieces and passes, in every layout. */
  private static void shapes(List<GemmCase> cases) {
    int[][] sizes = {
      {1, 1, 1},
      {1, 7, 3},
      {7, 1, 5},
      {2, 3, 257},
      {7, 33, 31},
      {8, 32, 64},
      {9, 17, 40},
      {16, 16, 16},
      {31, 65, 33},
      {64, 64, 64},
      {1, 1000, 64},
      {197, 3, 48},
      {196, 40, 197},
      {257, 72, 88},
      {5, 300, 520},
      {410, 90, 20},
      {100, 530, 12},
      {3, 5, 8300}
    };
    for (Layout layout : Layout.values()) {
      for (int[] s : sizes) {
        cases.add(new GemmCase(layout, s[0], s[1], s[2]));
      }
      cases.add(new GemmCase(layout, 37, 45, 53).padded(11));
    }
    for (Layout layout : new Layout[] {NN, NT}) {
      cases.add(new GemmCase(layout, 1, 7, 3).packed());
      cases.add(new GemmCase(layout, 197, 70, 300).packed());
      cases.add(new GemmCase(layout, 9, 257, 40).padded(3).packed());
      cases.add(new GemmCase(layout, 2, 40, 8201).packed());
      cases.add(new GemmCase(layout, 50, 41, 60).splitK(29));
      cases.add(new GemmCase(layout, 50, 41, 600).splitK(300).padded(5));
      cases.add(new GemmCase(layout, 9, 21, 31).splitK(1).packed());
    }
    cases.add(new GemmCase(NT, 1, 1100, 8195));
    cases.add(new GemmCase(NT, 270, 1061, 390).bias().residual().padded(3));
    cases.add(new GemmCase(NN, 270, 1161, 390).pre(1161).packed());
    cases.add(new GemmCase(TN, 270, 1061, 390).accumulate().operandSums());
    cases.add(new GemmCase(TN, 20, 70, 8200).accumulate().operandSums().columnSums());
    cases.add(new GemmCase(TN, 20, 70, 8200).operandSums().columnSums().addSums());
  }

  /** Each operand of the epilogue alone, then all that go together. */
  private static void operands(List<GemmCase> cases) {
    cases.add(new GemmCase(NN, 33, 70, 20).alpha(-0.5f));
    cases.add(new GemmCase(NN, 33, 70, 20).accumulate());
    cases.add(new GemmCase(NN, 33, 70, 20).accumulate().alpha(2));
    cases.add(new GemmCase(NT, 33, 70, 20).bias());
    cases.add(new GemmCase(NT, 33, 70, 20).bias(41));
    cases.add(new GemmCase(NT, 33, 70, 20).bias(41).secondBias());
    cases.add(new GemmCase(NT, 33, 300, 20).bias().secondBias().residual());
    cases.add(new GemmCase(NT, 33, 70, 20).pre(70));
    cases.add(new GemmCase(NT, 33, 70, 20).pre(13));
    for (Activation f : Activation.values()) {
      cases.add(new GemmCase(NT, 33, 70, 20).activation(f, 70));
      cases.add(new GemmCase(NT, 33, 300, 20).activation(f, 261));
      cases.add(new GemmCase(NN, 33, 70, 20).gradient(f, 70));
      cases.add(new GemmCase(NN, 33, 300, 20).gradient(f, 1));
    }
    cases.add(new GemmCase(NT, 33, 70, 20).columnScale());
    cases.add(new GemmCase(NT, 33, 70, 20).rowScale(1));
    cases.add(new GemmCase(NT, 33, 70, 20).rowScale(10));
    cases.add(new GemmCase(NT, 33, 70, 20).residual());
    cases.add(new GemmCase(NT, 33, 70, 20).residualInPlace());
    cases.add(new GemmCase(NT, 33, 70, 20).splitN(1));
    cases.add(new GemmCase(NT, 33, 300, 20).splitN(259).padded(2));
    cases.add(new GemmCase(NN, 33, 70, 20).columnSums());
    cases.add(new GemmCase(NN, 197, 384, 40).columnSums(300));
    cases.add(new GemmCase(NN, 450, 300, 20).columnSums());
    cases.add(new GemmCase(NN, 450, 300, 20).columnSums().addSums());
    cases.add(new GemmCase(TN, 33, 70, 20).operandSums());
    cases.add(new GemmCase(TN, 300, 70, 600).operandSums());
    cases.add(new GemmCase(TN, 300, 70, 600).operandSums().addSums());
    for (DType type : new DType[] {F32, BF16}) {
      cases.add(new GemmCase(TN, 90, 70, 60)
          .types(type, type, F32)
          .splitM(33)
          .accumulate()
          .operandSums());
      cases.add(new GemmCase(TN, 20, 90, 60)
          .types(type, type, F32)
          .splitB(37)
          .padded(3)
          .accumulate());
      cases.add(new GemmCase(TN, 200, 144, 600)
          .types(type, type, F32)
          .splitM(136)
          .splitB(8)
          .accumulate()
          .operandSums()
          .addSums());
    }
    for (int headDim : new int[] {64, 72, 80, 88, 104, 112, 128, 160, 17}) {
      cases.add(new GemmCase(NT, 20, 7 * headDim, 64).qkNorm(0, 3, headDim, true));
      cases.add(new GemmCase(NT, 11, 11 + 4 * headDim, 64).qkNorm(9, 2, headDim, false));
    }
    cases.add(everything(F32));
    cases.add(everything(BF16));
  }

  private static GemmCase everything(DType type) {
    return new GemmCase(NT, 61, 290, 50)
        .types(type, type, type)
        .exact()
        .padded(6)
        .splitK(21)
        .splitN(100)
        .alpha(2)
        .accumulate()
        .bias()
        .pre(110)
        .activation(GELU_TANH, 90)
        .columnScale()
        .rowScale(9)
        .residual()
        .columnSums();
  }

  private static void types(List<GemmCase> cases) {
    for (Layout layout : Layout.values()) {
      cases.add(new GemmCase(layout, 37, 45, 53).types(BF16, BF16, BF16));
      cases.add(new GemmCase(layout, 37, 45, 53).types(BF16, BF16, F32));
      cases.add(new GemmCase(layout, 40, 72, 104).types(BF16, BF16, BF16));
      cases.add(new GemmCase(layout, 264, 200, 136).types(BF16, BF16, BF16).padded(8));
      cases.add(new GemmCase(layout, 37, 45, 53).types(F32, BF16, F32).padded(1));
      cases.add(new GemmCase(layout, 37, 45, 53).types(BF16, F32, F32).accumulate());
    }
    cases.add(new GemmCase(NT, 37, 45, 53).types(BF16, BF16, BF16).packed());
    cases.add(new GemmCase(NT, 50, 72, 600).types(BF16, BF16, BF16).splitK(296));
    cases.add(new GemmCase(NN, 50, 72, 120).types(BF16, BF16, BF16).splitK(56));
  }

  /** Layers of a sequential block, narrow: qkv, projection, both halves of the MLP. */
  private static void forward(List<GemmCase> cases) {
    for (DType type : new DType[] {F32, BF16}) {
      cases.add(new GemmCase(NT, 197, 3 * 192, 96).types(type, type, type).bias());
      cases.add(
          new GemmCase(NT, 197, 3 * 192, 96).types(type, type, type).bias().qkNorm(0, 3, 64, true));
      cases.add(new GemmCase(NT, 100, 384, 96)
          .types(type, type, type)
          .exact()
          .bias()
          .pre(384)
          .activation(GELU_ERF, 384));
      cases.add(new GemmCase(NT, 4 * 50, 96, 384)
          .types(type, type, type)
          .packed()
          .bias()
          .columnScale()
          .rowScale(50)
          .residualInPlace());
    }
  }

  /** The parallel block of ViT-22B: one projection in, {@code [mlp | q | k | v]}, and one out. */
  private static void parallel(List<GemmCase> cases) {
    for (DType type : new DType[] {F32, BF16}) {
      cases.add(new GemmCase(NT, 70, 256 + 3 * 128, 128)
          .types(type, type, type)
          .splitN(256)
          .bias(256)
          .activation(GELU_TANH, 256)
          .qkNorm(256, 2, 64, true));
      cases.add(new GemmCase(NT, 70, 250 + 3 * 144, 128)
          .types(type, type, type)
          .padded(2)
          .splitN(250)
          .bias(250)
          .exact()
          .pre(250)
          .activation(GELU_TANH, 250));
      cases.add(new GemmCase(NT, 70, 128, 128 + 512)
          .types(type, type, type)
          .splitK(128)
          .bias()
          .rowScale(35)
          .residual());
    }
    cases.add(new GemmCase(NT, 70, 256 + 3 * 128, 128)
        .packed()
        .splitN(256)
        .bias(256)
        .pre(640)
        .activation(GELU_TANH, 256)
        .qkNorm(256, 2, 64, false));
  }

  private static void backward(List<GemmCase> cases) {
    for (DType type : new DType[] {F32, BF16}) {
      for (int n : new int[] {2, 70, 256, 600}) {
        cases.add(new GemmCase(NT, 130, n, 40).types(type, type, type).bias().gated(SILU));
      }
      cases.add(new GemmCase(NT, 70, 258, 41).types(type, type, type).bias().gated(SILU));
      cases.add(new GemmCase(NT, 65, 272, 64)
          .types(type, type, type)
          .padded(8)
          .bias()
          .secondBias()
          .gated(GELU_TANH));
      cases.add(new GemmCase(NN, 197, 384, 96)
          .types(type, type, type)
          .gradient(GELU_ERF, 384)
          .columnSums());
      cases.add(new GemmCase(NN, 130, 640, 96)
          .types(type, type, type)
          .splitN(128)
          .gradient(GELU_TANH, 640)
          .columnSums());
      cases.add(new GemmCase(NN, 197, 96, 384).types(type, type, type).accumulate());
      cases.add(
          new GemmCase(TN, 96, 384, 788).types(type, type, F32).accumulate().operandSums());
    }
  }

  /** Weights' gradients of few tiles over many rows, which devices may split along k. */
  public static Stream<KernelCase> deep() {
    List<GemmCase> cases = new ArrayList<>();
    for (DType type : new DType[] {F32, BF16}) {
      cases.add(new GemmCase(TN, 72, 40, 1540)
          .types(type, type, F32)
          .accumulate()
          .operandSums()
          .columnSums()
          .addSums());
      cases.add(new GemmCase(TN, 70, 37, 1030).types(type, type, F32).alpha(-0.5f));
      cases.add(new GemmCase(TN, 80, 48, 1030)
          .types(type, type, F32)
          .splitM(24)
          .splitB(16)
          .accumulate()
          .operandSums());
      cases.add(new GemmCase(TN, 8, 16, 2081).types(type, type, type).padded(8));
    }
    return cases.stream().map(GemmCase::done);
  }

  /**
   * Products of BF16 for kernels whose tiles are 128 rows by 128, 192 or 256 columns and 64 deep: one or a few tiles,
   * at their edges, with every operand of the epilogue.
   */
  public static Stream<KernelCase> warpgroups() {
    List<GemmCase> cases = new ArrayList<>();
    for (Layout layout : Layout.values()) {
      cases.add(bf16(layout, 40, 72, 104));
      cases.add(bf16(layout, 64, 184, 72).padded(8));
      cases.add(bf16(layout, 136, 200, 264).padded(8).alpha(-0.5f));
    }
    cases.add(bf16(NT, 1, 1, 8));
    cases.add(bf16(NT, 130, 129, 600).bias());
    cases.add(bf16(NN, 9, 264, 1000).accumulate());
    cases.add(bf16(NT, 50, 72, 200).splitK(64).residualInPlace());
    cases.add(bf16(NN, 50, 72, 200).splitK(128));
    cases.add(bf16(NT, 130, 100, 40).bias().gated(SILU));
    cases.add(bf16(NT, 65, 176, 64).padded(8).bias().secondBias().gated(GELU_TANH));
    cases.add(bf16(NT, 40, 256, 72).bias().gated(SILU));
    cases.add(bf16(NT, 20, 504, 64).qkNorm(0, 3, 72, true));
    cases.add(bf16(NT, 11, 363, 64).qkNorm(9, 2, 88, false));
    cases.add(bf16(NT, 70, 640, 128)
        .splitN(256)
        .bias(256)
        .pre(256)
        .activation(GELU_TANH, 256)
        .qkNorm(256, 2, 64, true));
    cases.add(bf16(NT, 150, 296, 104)
        .exact()
        .padded(8)
        .splitK(64)
        .splitN(101)
        .alpha(2)
        .accumulate()
        .bias()
        .pre(110)
        .activation(GELU_TANH, 90)
        .columnScale()
        .rowScale(9)
        .residual()
        .columnSums());
    cases.add(bf16(NN, 300, 184, 96).gradient(GELU_ERF, 184).columnSums());
    cases.add(new GemmCase(TN, 200, 144, 600)
        .types(BF16, BF16, F32)
        .splitM(136)
        .splitB(8)
        .accumulate()
        .operandSums()
        .addSums());
    return cases.stream().map(GemmCase::done);
  }

  /** The same for a GPU of up to 160 multiprocessors, most of which get a tile. */
  public static Stream<KernelCase> manyTiles() {
    List<GemmCase> cases = new ArrayList<>();
    for (Layout layout : Layout.values()) {
      cases.add(bf16(layout, 1100, 1240, 136));
      cases.add(bf16(layout, 2000, 1160, 72).padded(8));
    }
    cases.add(bf16(NT, 1100, 1240, 200).splitK(64).splitN(512).bias().residual().columnSums());
    cases.add(bf16(NT, 1100, 1224, 136).bias().gated(SILU));
    cases.add(bf16(NT, 1100, 1240, 136).bias().activation(GELU_ERF, 1240).qkNorm(512, 2, 80, true));
    cases.add(new GemmCase(TN, 200, 144, 8200)
        .types(BF16, BF16, F32)
        .splitM(136)
        .splitB(8)
        .accumulate()
        .operandSums()
        .columnSums());
    return cases.stream().map(GemmCase::done);
  }

  private static GemmCase bf16(Layout layout, int m, int n, int k) {
    return new GemmCase(layout, m, n, k).types(BF16, BF16, BF16);
  }

  /** Square products, and layers of ViT-B/16 at batch 1 and 8 and of SigLIP So400m/14 at batch 1 and 8. */
  public static Stream<KernelCase> timed() {
    List<GemmCase> cases = new ArrayList<>();
    cases.add(new GemmCase(NN, 1024, 1024, 1024));
    cases.add(new GemmCase(NN, 2048, 2048, 2048));
    for (int m : new int[] {197, 1576}) {
      layers(cases, m, 768, 2304, 3072);
    }
    for (int m : new int[] {256, 2048}) {
      layers(cases, m, 1152, 3456, 4304);
    }
    cases.add(new GemmCase(NN, 1576, 3072, 768).gradient(GELU_ERF, 3072).columnSums());
    cases.add(new GemmCase(TN, 768, 3072, 1576).accumulate().operandSums());
    return cases.stream().map(GemmCase::done);
  }

  /** For GPUs: square products, and layers of the same models at batch 1, 8 and 64, of {@code type} operands. */
  public static Stream<KernelCase> timed(DType type) {
    List<GemmCase> cases = new ArrayList<>();
    for (int size : new int[] {8192, 4096, 2048}) {
      cases.add(new GemmCase(NT, size, size, size));
    }
    for (int batch : new int[] {64, 8, 1}) {
      layers(cases, 197 * batch, 768, 2304, 3072);
      layers(cases, 256 * batch, 1152, 3456, 4304);
    }
    int rows = 197 * 64;
    cases.add(new GemmCase(NN, rows, 768, 3072));
    cases.add(new GemmCase(NN, rows, 3072, 768).gradient(GELU_ERF, 3072).columnSums());
    GemmCase weights = new GemmCase(TN, 768, 3072, rows).types(type, type, F32);
    return Stream.concat(
        cases.stream().map(one -> one.types(type, type, type).done()),
        Stream.of(weights.accumulate().operandSums().done()));
  }

  /** The plain product of a linear layer in F32, to be timed. */
  public static KernelCase linear(int m, int n, int k) {
    return new GemmCase(NT, m, n, k).done();
  }

  private static void layers(List<GemmCase> cases, int m, int width, int qkv, int hidden) {
    cases.add(new GemmCase(NT, m, qkv, width).packed().bias());
    cases.add(new GemmCase(NT, m, width, width).packed().bias().residualInPlace());
    cases.add(new GemmCase(NT, m, hidden, width).packed().bias().activation(GELU_ERF, hidden));
    cases.add(new GemmCase(NT, m, width, hidden).packed().bias().residualInPlace());
    cases.add(new GemmCase(NT, m, width, width));
  }
}
