package dev.fovea.kernels.cuda;

import dev.fovea.kernels.Activation;
import dev.fovea.kernels.ElementwiseKernels;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.Sums;
import org.jspecify.annotations.Nullable;

/** Pointwise kernels on a GPU: {@code elementwise.cu}. */
final class CudaElementwise implements ElementwiseKernels {
  private final CudaQueue queue;
  private final CudaCopies copies;
  private final CudaColumnSums columnSums;
  private final CudaKernel combine;
  private final CudaKernel multiply;
  private final CudaKernel activation;
  private final CudaKernel activationGradient;
  private final CudaKernel addRow;
  private final CudaKernel residual;
  private final CudaKernel swiglu;
  private final CudaKernel swigluGradient;
  private final CudaKernel cast;
  private final CudaKernel castStochastic;

  CudaElementwise(CudaQueue queue, CudaCopies copies, CudaColumnSums columnSums) {
    this.queue = queue;
    this.copies = copies;
    this.columnSums = columnSums;
    CudaFamily family = queue.family("elementwise");
    combine = family.kernel("combine");
    multiply = family.kernel("multiply");
    activation = family.kernel("activation");
    activationGradient = family.kernel("activation_gradient");
    addRow = family.kernel("add_row");
    residual = family.kernel("residual");
    swiglu = family.kernel("swiglu");
    swigluGradient = family.kernel("swiglu_gradient");
    cast = family.kernel("cast");
    castStochastic = family.kernel("cast_stochastic");
  }

  @Override
  public void fill(Span x, double value) {
    copies.fill(x, value);
  }

  @Override
  public void combine(float alpha, Span x, float beta, @Nullable Span y, Span z) {
    pointwise(combine, x, beta == 0 ? null : y, z, alpha, beta, Activation.NONE);
  }

  @Override
  public void multiply(Span x, Span y, Span z) {
    pointwise(multiply, x, y, z, 0, 0, Activation.NONE);
  }

  @Override
  public void activation(Activation f, Span x, Span y) {
    pointwise(activation, x, null, y, 0, 0, f);
  }

  @Override
  public void activationGradient(Activation f, Span x, Span dy, Span dx) {
    pointwise(activationGradient, x, dy, dx, 0, 0, f);
  }

  @Override
  public void cast(Span x, Span y) {
    pointwise(cast, x, null, y, 0, 0, Activation.NONE);
  }

  private void pointwise(
      CudaKernel kernel, Span x, @Nullable Span y, Span z, float alpha, float beta, Activation function) {
    if (x.count() == 0) {
      return;
    }
    Launch launch = CudaRows.flat(queue, queue.launch(), x.count());
    CudaOperands.vector(launch, x);
    CudaOperands.vector(launch, y);
    CudaOperands.vector(launch, z);
    launch.i64(x.count()).f32(alpha).f32(beta).i32(CudaOperands.code(function)).i32(0);
    queue.run(kernel, launch);
  }

  @Override
  public void castStochastic(Span x, Span y, long seed, long step) {
    if (x.count() == 0) {
      return;
    }
    Launch launch = CudaRows.flat(queue, queue.launch(), x.count())
        .pointer(x.address())
        .pointer(y.address())
        .i64(x.count())
        .i64(seed)
        .i64(step);
    queue.run(castStochastic, launch);
  }

  @Override
  public void addRow(long rows, int columns, Span x, Span row, Span z) {
    rows(addRow, rows, columns, x, columns, null, 0, z, columns, row, null, 1);
  }

  @Override
  public void swiglu(long rows, int width, Span x, Span y) {
    rows(swiglu, rows, width, x, 2L * width, null, 0, y, width, null, null, 1);
  }

  @Override
  public void swigluGradient(long rows, int width, Span x, Span dy, Span dx) {
    rows(swigluGradient, rows, width, x, 2L * width, dy, width, dx, 2L * width, null, null, 1);
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
    rows(residual, rows, columns, x, columns, branch, columns, y, columns, columnScale, rowScale, rowsPerScale);
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
    if (dColumnScale != null) { // first, since dBranch may be dy
      columnSums.put(rows, columns, dy, columns, branch, columns, rowScale, rowsPerScale, dColumnScale);
    }
    rows(residual, rows, columns, null, 0, dy, columns, dBranch, columns, columnScale, rowScale, rowsPerScale);
  }

  private void rows(
      CudaKernel kernel,
      long rows,
      int columns,
      @Nullable Span x,
      long ldx,
      @Nullable Span y,
      long ldy,
      Span z,
      long ldz,
      @Nullable Span column,
      @Nullable Span rowScale,
      int rowsPerScale) {
    boolean quads = columns % CudaOperands.QUAD == 0; // where a second half begins
    Launch launch = CudaRows.shape(queue, queue.launch(), rows, columns);
    CudaOperands.matrix(launch, x, ldx, quads);
    CudaOperands.matrix(launch, y, ldy, quads);
    CudaOperands.matrix(launch, z, ldz, quads);
    CudaOperands.vector(launch, column);
    launch.pointer(CudaOperands.address(rowScale)).i64(rows).i32(columns).i32(rowScale == null ? 1 : rowsPerScale);
    queue.run(kernel, launch);
  }

  @Override
  public void copy(long rows, int columns, Span x, long ldx, Span y, long ldy) {
    copies.copy(rows, columns, x, ldx, y, ldy);
  }
}
