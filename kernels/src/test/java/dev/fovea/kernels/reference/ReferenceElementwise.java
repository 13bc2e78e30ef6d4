package dev.fovea.kernels.reference;

import static dev.fovea.kernels.reference.Mat.get;
import static dev.fovea.kernels.reference.Mat.set;

import dev.fovea.kernels.Activation;
import dev.fovea.kernels.ElementwiseKernels;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.Sums;
import dev.fovea.kernels.cpu.simd.Exact;
import org.jspecify.annotations.Nullable;

/** {@link ElementwiseKernels} in double precision. */
final class ReferenceElementwise implements ElementwiseKernels {
  @Override
  public void fill(Span x, double value) {
    boolean floating = x.dtype().isFloating();
    for (long i = 0; i < x.count(); i++) {
      set(x, i, floating ? value : Math.rint(value));
    }
  }

  @Override
  public void combine(float alpha, Span x, float beta, @Nullable Span y, Span z) {
    for (long i = 0; i < x.count(); i++) {
      set(z, i, alpha * get(x, i) + (beta == 0 || y == null ? 0 : beta * get(y, i)));
    }
  }

  @Override
  public void multiply(Span x, Span y, Span z) {
    for (long i = 0; i < x.count(); i++) {
      set(z, i, get(x, i) * get(y, i));
    }
  }

  @Override
  public void addRow(long rows, int columns, Span x, Span row, Span z) {
    for (long i = 0; i < rows * columns; i++) {
      set(z, i, get(x, i) + get(row, i % columns));
    }
  }

  @Override
  public void activation(Activation f, Span x, Span y) {
    for (long i = 0; i < x.count(); i++) {
      set(y, i, Exact.activation(f, get(x, i)));
    }
  }

  @Override
  public void activationGradient(Activation f, Span x, Span dy, Span dx) {
    for (long i = 0; i < x.count(); i++) {
      set(dx, i, get(dy, i) * Exact.gradient(f, get(x, i)));
    }
  }

  @Override
  public void swiglu(long rows, int width, Span x, Span y) {
    for (long r = 0; r < rows; r++) {
      for (int c = 0; c < width; c++) {
        long at = r * 2 * width + c;
        set(y, r * width + c, Exact.activation(Activation.SILU, get(x, at)) * get(x, at + width));
      }
    }
  }

  @Override
  public void swigluGradient(long rows, int width, Span x, Span dy, Span dx) {
    for (long r = 0; r < rows; r++) {
      for (int c = 0; c < width; c++) {
        long at = r * 2 * width + c;
        double gate = get(x, at);
        double value = get(x, at + width);
        double slope = get(dy, r * width + c);
        set(dx, at, slope * value * Exact.gradient(Activation.SILU, gate));
        set(dx, at + width, slope * Exact.activation(Activation.SILU, gate));
      }
    }
  }

  @Override
  public void residual(
      long rows,
      int columns,
      Span x,
      Span branch,
      @Nullable Span columnScale,
      @Nullable Span rowScale,
      int rowsPerScale,
      Span y) {
    for (long r = 0; r < rows; r++) {
      for (int c = 0; c < columns; c++) {
        double scale = or1(columnScale, c) * (rowScale == null ? 1 : get(rowScale, r / rowsPerScale));
        set(y, r * columns + c, get(x, r * columns + c) + scale * get(branch, r * columns + c));
      }
    }
  }

  @Override
  public void residualGradient(
      long rows,
      int columns,
      Span dy,
      @Nullable Span branch,
      @Nullable Span columnScale,
      @Nullable Span rowScale,
      int rowsPerScale,
      Span dBranch,
      @Nullable Sums dColumnScale) {
    double[] sums = new double[columns];
    for (long r = 0; r < rows; r++) {
      double factor = rowScale == null ? 1 : get(rowScale, r / rowsPerScale);
      for (int c = 0; c < columns; c++) {
        double slope = factor * get(dy, r * columns + c);
        sums[c] += branch == null ? 0 : slope * get(branch, r * columns + c);
        set(dBranch, r * columns + c, or1(columnScale, c) * slope);
      }
    }
    for (int c = 0; c < columns && dColumnScale != null; c++) {
      Mat.put(dColumnScale, c, sums[c]);
    }
  }

  @Override
  public void cast(Span x, Span y) {
    for (long i = 0; i < x.count(); i++) {
      set(y, i, get(x, i));
    }
  }

  @Override
  public void castStochastic(Span x, Span y, long seed, long step) {
    ReferenceCasts.castStochastic(x, y, seed, step);
  }

  @Override
  public void copy(long rows, int columns, Span x, long ldx, Span y, long ldy) {
    for (long r = 0; r < rows; r++) {
      for (int c = 0; c < columns; c++) {
        set(y, r * ldy + c, get(x, r * ldx + c));
      }
    }
  }

  private static double or1(@Nullable Span span, long i) {
    return span == null ? 1 : get(span, i);
  }
}
