package dev.fovea.kernels.cpu.simd;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link Columns} with the Vector API: one vector of columns at a time, from top to bottom. What a loop carries along
 * is always an argument, never the receiver: C2 knows the class of a vector that was just loaded, and need not trust a
 * profile to inline.
 */
final class VectorColumns implements Columns {
  private static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
  private static final int LANES = S.length();
  private static final int STRIDE = VectorTiles.best().columns();

  /**
   * The loops around an exponential, called through handles that are no constants so that they are never inlined:
   * inside a compilation as large as attention's, C2 reaches its limit of nodes and leaves their vectors boxed.
   */
  private static final MethodHandle[] NOT_INLINED = {
    loop("expDown", float[].class, int.class, int.class, float[].class, int.class, float[].class, int.class),
    loop(
        "gradientDown",
        float[].class,
        int.class,
        float[].class,
        int.class,
        int.class,
        float[].class,
        int.class,
        float[].class,
        int.class)
  };

  private static MethodHandle loop(String name, Class<?>... parameters) {
    try {
      return MethodHandles.lookup()
          .findStatic(VectorColumns.class, name, MethodType.methodType(void.class, parameters));
    } catch (ReflectiveOperationException e) {
      throw new LinkageError(name, e);
    }
  }

  @Override
  public void max(float[] x, int at, int rows, int width, float[] max, int maxAt) {
    for (int j = 0; j < width; j += LANES) {
      maxDown(x, at + j, rows, max, maxAt + j);
    }
  }

  /**
   * Compare and blend are two instructions, where {@link FloatVector#max} with its rules for NaN and zero takes five.
   * They are written out, because a function as short as this pair is compiled alone and then no longer inlined.
   */
  private static void maxDown(float[] x, int at, int rows, float[] max, int maxAt) {
    FloatVector m = FloatVector.fromArray(S, max, maxAt);
    int i = 0;
    for (; i < rows - 1; i += 2) {
      int row = at + i * STRIDE;
      FloatVector x0 = FloatVector.fromArray(S, x, row);
      FloatVector x1 = FloatVector.fromArray(S, x, row + STRIDE);
      FloatVector larger = x1.blend(x0, x1.compare(VectorOperators.LE, x0));
      m = larger.blend(m, larger.compare(VectorOperators.LE, m));
    }
    if (i < rows) {
      FloatVector last = FloatVector.fromArray(S, x, at + i * STRIDE);
      m = last.blend(m, last.compare(VectorOperators.LE, m));
    }
    m.intoArray(max, maxAt);
  }

  @Override
  public void exp(float[] x, int at, int rows, int width, float[] shift, int shiftAt, float[] sum, int sumAt) {
    try {
      for (int j = 0; j < width; j += LANES) {
        NOT_INLINED[0].invokeExact(x, at + j, rows, shift, shiftAt + j, sum, sumAt + j);
      }
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  @SuppressWarnings("unused") // through its handle
  private static void expDown(float[] x, int at, int rows, float[] shift, int shiftAt, float[] sum, int sumAt) {
    FloatVector s = FloatVector.fromArray(S, shift, shiftAt);
    FloatVector total = FloatVector.fromArray(S, sum, sumAt);
    for (int i = 0; i < rows; i++) {
      int row = at + i * STRIDE;
      FloatVector e = VectorMaths.expFlushed(FloatVector.fromArray(S, x, row).sub(s));
      e.intoArray(x, row);
      total = e.add(total);
    }
    total.intoArray(sum, sumAt);
  }

  @Override
  public void scale(float[] x, int at, int rows, int width, float[] factor, int factorAt) {
    for (int j = 0; j < width; j += LANES) {
      FloatVector f = FloatVector.fromArray(S, factor, factorAt + j);
      for (int i = 0; i < rows; i++) {
        int row = at + i * STRIDE + j;
        FloatVector.fromArray(S, x, row).mul(f).intoArray(x, row);
      }
    }
  }

  @Override
  public void dot(float[] a, int aAt, float[] b, int bAt, int rows, int width, float[] dot, int dotAt) {
    for (int j = 0; j < width; j += LANES) {
      FloatVector sum = FloatVector.zero(S);
      for (int i = 0; i < rows; i++) {
        int row = i * STRIDE + j;
        sum = FloatVector.fromArray(S, a, aAt + row).fma(FloatVector.fromArray(S, b, bAt + row), sum);
      }
      sum.intoArray(dot, dotAt + j);
    }
  }

  @Override
  public void softmaxGradient(
      float[] p, int pAt, float[] d, int dAt, int rows, int width, float[] lse, int lseAt, float[] dot, int dotAt) {
    try {
      for (int j = 0; j < width; j += LANES) {
        NOT_INLINED[1].invokeExact(p, pAt + j, d, dAt + j, rows, lse, lseAt + j, dot, dotAt + j);
      }
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  @SuppressWarnings("unused") // through its handle
  private static void gradientDown(
      float[] p, int pAt, float[] d, int dAt, int rows, float[] lse, int lseAt, float[] dot, int dotAt) {
    FloatVector l = FloatVector.fromArray(S, lse, lseAt);
    FloatVector t = FloatVector.fromArray(S, dot, dotAt);
    for (int i = 0; i < rows; i++) {
      int row = i * STRIDE;
      FloatVector e =
          VectorMaths.expFlushed(FloatVector.fromArray(S, p, pAt + row).sub(l));
      e.intoArray(p, pAt + row);
      FloatVector.fromArray(S, d, dAt + row).sub(t).mul(e).intoArray(d, dAt + row);
    }
  }
}
