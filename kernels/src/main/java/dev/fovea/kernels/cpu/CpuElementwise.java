package dev.fovea.kernels.cpu;

import dev.fovea.kernels.Activation;
import dev.fovea.kernels.DType;
import dev.fovea.kernels.ElementwiseKernels;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.Sums;
import dev.fovea.kernels.cpu.simd.Arithmetic;
import dev.fovea.kernels.cpu.simd.Convert;
import dev.fovea.kernels.cpu.simd.Maths;
import dev.fovea.kernels.cpu.simd.Simd;
import dev.fovea.kernels.cpu.simd.Streams;
import org.jspecify.annotations.Nullable;

/** {@link ElementwiseKernels} on the CPU: what works element by element is here, what knows rows in {@link CpuRows}. */
final class CpuElementwise implements ElementwiseKernels {
  private static final Span NOTHING = new Span(0, 0, DType.F32);

  private final WorkerPool pool;
  private final Convert convert;
  private final Staging staging;
  private final Maths maths;
  private final Arithmetic arithmetic;
  private final Streams streams;
  private final Streams halfStreams;
  private final HalfTable halfTable;
  private final CpuRows rowKernels;
  private final CpuFill fill;
  private final CpuCasts casts;
  private final Recycler<Combine> combines = new Recycler<>(Combine::new);
  private final Recycler<Multiply> multiplies = new Recycler<>(Multiply::new);
  private final Recycler<Apply> activations = new Recycler<>(Apply::new);
  private final Recycler<Gradient> gradients = new Recycler<>(Gradient::new);

  CpuElementwise(WorkerPool pool, Simd simd) {
    this.pool = pool;
    convert = simd.convert();
    staging = new Staging(convert);
    maths = simd.maths();
    arithmetic = simd.arithmetic();
    streams = simd.streams();
    halfStreams = simd.halfStreams();
    halfTable = new HalfTable(simd);
    rowKernels = new CpuRows(pool, simd);
    fill = new CpuFill(pool, simd);
    casts = new CpuCasts(pool, simd);
  }

  @Override
  public void fill(Span x, double value) {
    fill.fill(x, value);
  }

  @Override
  public void combine(float alpha, Span x, float beta, @Nullable Span y, Span z) {
    Combine grid = combines.take();
    grid.alpha = alpha;
    grid.x = x;
    grid.beta = beta;
    grid.y = beta == 0 ? null : y;
    grid.z = z;
    grid.run(pool, x.count());
    combines.give(grid);
  }

  @Override
  public void multiply(Span x, Span y, Span z) {
    Multiply grid = multiplies.take();
    grid.x = x;
    grid.y = y;
    grid.z = z;
    grid.run(pool, x.count());
    multiplies.give(grid);
  }

  @Override
  public void addRow(long rows, int columns, Span x, Span row, Span z) {
    rowKernels.addRow(rows, columns, x, row, z);
  }

  @Override
  public void activation(Activation f, Span x, Span y) {
    Apply grid = activations.take();
    grid.f = f;
    grid.x = x;
    grid.y = y;
    grid.run(pool, x.count());
    activations.give(grid);
  }

  @Override
  public void activationGradient(Activation f, Span x, Span dy, Span dx) {
    Gradient grid = gradients.take();
    grid.f = f;
    grid.x = x;
    grid.dy = dy;
    grid.dx = dx;
    grid.run(pool, x.count());
    gradients.give(grid);
  }

  @Override
  public void swiglu(long rows, int width, Span x, Span y) {
    rowKernels.swiglu(rows, width, x, y);
  }

  @Override
  public void swigluGradient(long rows, int width, Span x, Span dy, Span dx) {
    rowKernels.swigluGradient(rows, width, x, dy, dx);
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
    rowKernels.residual(rows, columns, x, branch, columnScale, rowScale, rowsPerScale, y);
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
    rowKernels.residualGradient(rows, columns, dy, branch, columnScale, rowScale, rowsPerScale, dBranch, dColumnScale);
  }

  @Override
  public void cast(Span x, Span y) {
    casts.cast(x, y);
  }

  @Override
  public void castStochastic(Span x, Span y, long seed, long step) {
    casts.castStochastic(x, y, seed, step);
  }

  @Override
  public void copy(long rows, int columns, Span x, long ldx, Span y, long ldy) {
    fill.copy(rows, columns, x, ldx, y, ldy);
  }

  private final class Combine extends PointwiseGrid {
    private float alpha;
    private Span x = NOTHING;
    private float beta;
    private @Nullable Span y;
    private Span z = NOTHING;

    @Override
    void chunk(long first, int count, Scratch scratch) {
      if (!Spans.same(x, y == null ? x : y, z)) {
        staged(first, count, scratch);
        return;
      }
      Streams its = x.dtype() == DType.F32 ? streams : halfStreams;
      long at = x.dtype().bytes() * first;
      if (y != null) {
        its.combine(alpha, x.address() + at, beta, y.address() + at, z.address() + at, count);
      } else {
        its.scale(alpha, x.address() + at, z.address() + at, count);
      }
    }

    private void staged(long first, int count, Scratch scratch) {
      float[] a = scratch.floats(0, count);
      staging.load(x, first, a, 0, count);
      if (y != null) {
        float[] b = scratch.floats(1, count);
        staging.load(y, first, b, 0, count);
        arithmetic.combine(alpha, a, 0, beta, b, 0, a, 0, count);
      } else {
        arithmetic.scale(alpha, a, 0, a, 0, count);
      }
      staging.store(a, 0, z, first, count);
    }
  }

  private final class Multiply extends PointwiseGrid {
    private Span x = NOTHING;
    private Span y = NOTHING;
    private Span z = NOTHING;

    @Override
    void chunk(long first, int count, Scratch scratch) {
      if (Spans.same(x, y, z)) {
        Streams its = x.dtype() == DType.F32 ? streams : halfStreams;
        long at = x.dtype().bytes() * first;
        its.multiply(x.address() + at, y.address() + at, z.address() + at, count);
        return;
      }
      float[] a = scratch.floats(0, count);
      float[] b = scratch.floats(1, count);
      staging.load(x, first, a, 0, count);
      staging.load(y, first, b, 0, count);
      arithmetic.multiply(1, a, 0, b, 0, a, 0, count);
      staging.store(a, 0, z, first, count);
    }
  }

  private final class Apply extends PointwiseGrid {
    private Activation f = Activation.NONE;
    private Span x = NOTHING;
    private Span y = NOTHING;

    @Override
    void chunk(long first, int count, Scratch scratch) {
      if (f != Activation.TANH && Spans.f32(x, y, y)) {
        streams.activation(f, x.address() + 4 * first, y.address() + 4 * first, count);
        return;
      }
      if (x.dtype() == DType.BF16 && y.dtype() == DType.BF16 && x.count() >= HalfTable.SIZE) {
        HalfTable.look(halfTable.values(f), x.address() + 2 * first, y.address() + 2 * first, count);
        return;
      }
      float[] a = scratch.floats(0, count);
      staging.load(x, first, a, 0, count);
      maths.activation(f, a, 0, a, 0, count);
      staging.store(a, 0, y, first, count);
    }
  }

  private final class Gradient extends PointwiseGrid {
    private Activation f = Activation.NONE;
    private Span x = NOTHING;
    private Span dy = NOTHING;
    private Span dx = NOTHING;

    @Override
    void chunk(long first, int count, Scratch scratch) {
      if (f != Activation.TANH && Spans.f32(x, dy, dx)) {
        long at = 4 * first;
        streams.activationGradient(f, x.address() + at, dy.address() + at, dx.address() + at, count);
        return;
      }
      float[] a = scratch.floats(0, count);
      if (x.dtype() == DType.BF16 && Spans.same(x, dy, dx) && x.count() >= HalfTable.SIZE) {
        long at = 2 * first;
        HalfTable.look(halfTable.slopes(f), x.address() + at, a, count);
        convert.multiplyBf16(a, 0, dy.address() + at, dx.address() + at, count);
        return;
      }
      float[] b = scratch.floats(1, count);
      staging.load(x, first, a, 0, count);
      staging.load(dy, first, b, 0, count);
      maths.activationGradient(f, a, 0, b, 0, b, 0, count);
      staging.store(b, 0, dx, first, count);
    }
  }
}
