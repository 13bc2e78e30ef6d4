package dev.fovea.kernels.cpu.simd;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/** {@link Packing} by squares of 4 x 4 in 128-bit vectors, which every machine has and every panel is a multiple of. */
final class VectorPacking implements Packing {
  private static final VectorSpecies<Float> S = FloatVector.SPECIES_128;

  /** Lanes 0 and 1 of two vectors in turn, and lanes 2 and 3. */
  private static final VectorShuffle<Float> LOW = VectorShuffle.fromValues(S, 0, 4, 1, 5);

  private static final VectorShuffle<Float> HIGH = VectorShuffle.fromValues(S, 2, 6, 3, 7);

  @Override
  public void transpose(float[] from, int at, int ld, int rows, int columns, float[] to, int toAt, int ldTo) {
    for (int r = 0; r < rows; r += 4) {
      fourRows(from, at + r * ld, ld, columns, to, toAt + r, ldTo);
    }
  }

  private static void fourRows(float[] from, int at, int ld, int columns, float[] to, int toAt, int ldTo) {
    int c = 0;
    for (; c <= columns - 4; c += 4) {
      FloatVector r0 = FloatVector.fromArray(S, from, at + c);
      FloatVector r1 = FloatVector.fromArray(S, from, at + ld + c);
      FloatVector r2 = FloatVector.fromArray(S, from, at + 2 * ld + c);
      FloatVector r3 = FloatVector.fromArray(S, from, at + 3 * ld + c);
      FloatVector even0 = r0.rearrange(LOW, r2);
      FloatVector odd0 = r1.rearrange(LOW, r3);
      FloatVector even1 = r0.rearrange(HIGH, r2);
      FloatVector odd1 = r1.rearrange(HIGH, r3);
      even0.rearrange(LOW, odd0).intoArray(to, toAt + c * ldTo);
      even0.rearrange(HIGH, odd0).intoArray(to, toAt + (c + 1) * ldTo);
      even1.rearrange(LOW, odd1).intoArray(to, toAt + (c + 2) * ldTo);
      even1.rearrange(HIGH, odd1).intoArray(to, toAt + (c + 3) * ldTo);
    }
    for (; c < columns; c++) {
      for (int r = 0; r < 4; r++) {
        to[toAt + c * ldTo + r] = from[at + r * ld + c];
      }
    }
  }

  @Override
  public void copy(float[] from, int at, int ld, int rows, int columns, float[] to, int toAt, int ldTo) {
    if (columns == 8 && FloatVector.SPECIES_PREFERRED.length() >= 8) {
      eights(from, at, ld, rows, to, toAt, ldTo);
    } else {
      fours(from, at, ld, rows, columns, to, toAt, ldTo);
    }
  }

  /** An A panel of 512-bit tiles: a loop of two rounds inside would take ten times as long. */
  private static void eights(float[] from, int at, int ld, int rows, float[] to, int toAt, int ldTo) {
    for (int r = 0; r < rows; r++) {
      FloatVector.fromArray(FloatVector.SPECIES_256, from, at + r * ld).intoArray(to, toAt + r * ldTo);
    }
  }

  private static void fours(float[] from, int at, int ld, int rows, int columns, float[] to, int toAt, int ldTo) {
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < columns; c += 4) {
        FloatVector.fromArray(S, from, at + r * ld + c).intoArray(to, toAt + r * ldTo + c);
      }
    }
  }
}
