package dev.fovea.kernels.cpu.simd;

import static dev.fovea.kernels.cpu.simd.Memory.ALL;

import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** Chooses the shape of {@link Tiles} that fits this machine's vector registers, and holds what the shapes share. */
final class VectorTiles {
  private static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
  private static final int LANES = S.length();
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  private VectorTiles() {}

  /** 256-bit vectors mean AVX2 and its 16 registers; 128 (NEON) and 512 (AVX-512, SVE) have 32. */
  static Tiles best() {
    return S.vectorBitSize() == 256 ? new VectorTiles6x2() : new VectorTiles8x2();
  }

  /** {@link Tiles#store} of a tile two vectors wide, without a residual. */
  static void store(int rows, float[] c, int cAt, int ldc, float[] bias, int biasAt, long to, long ldTo) {
    FloatVector left = FloatVector.fromArray(S, bias, biasAt);
    FloatVector right = FloatVector.fromArray(S, bias, biasAt + LANES);
    for (int i = 0; i < rows; i++) {
      FloatVector c0 = FloatVector.fromArray(S, c, cAt + i * ldc).add(left);
      FloatVector c1 = FloatVector.fromArray(S, c, cAt + i * ldc + LANES).add(right);
      c0.intoMemorySegment(ALL, to + 4 * (i * ldTo), ORDER);
      c1.intoMemorySegment(ALL, to + 4 * (i * ldTo) + 4L * LANES, ORDER);
    }
  }

  /** With a residual. */
  static void store(
      int rows,
      float[] c,
      int cAt,
      int ldc,
      float[] bias,
      int biasAt,
      long residual,
      long ldResidual,
      long to,
      long ldTo) {
    FloatVector left = FloatVector.fromArray(S, bias, biasAt);
    FloatVector right = FloatVector.fromArray(S, bias, biasAt + LANES);
    for (int i = 0; i < rows; i++) {
      long at = residual + 4 * (i * ldResidual);
      FloatVector r0 = FloatVector.fromMemorySegment(S, ALL, at, ORDER);
      FloatVector r1 = FloatVector.fromMemorySegment(S, ALL, at + 4L * LANES, ORDER);
      FloatVector c0 = FloatVector.fromArray(S, c, cAt + i * ldc).add(left).add(r0);
      FloatVector c1 =
          FloatVector.fromArray(S, c, cAt + i * ldc + LANES).add(right).add(r1);
      c0.intoMemorySegment(ALL, to + 4 * (i * ldTo), ORDER);
      c1.intoMemorySegment(ALL, to + 4 * (i * ldTo) + 4L * LANES, ORDER);
    }
  }
}
