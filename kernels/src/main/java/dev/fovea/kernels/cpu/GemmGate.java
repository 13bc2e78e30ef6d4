package dev.fovea.kernels.cpu;

import dev.fovea.kernels.Activation;
import dev.fovea.kernels.Gemm;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.simd.Arithmetic;
import dev.fovea.kernels.cpu.simd.Maths;
import dev.fovea.kernels.cpu.simd.Simd;

/** What is left of a gated product when its values are kept: the activated left half times the right half. */
final class GemmGate extends RowGrid {
  private final Staging staging;
  private final Maths maths;
  private final Arithmetic arithmetic;
  private Activation activation = Activation.NONE;
  private Span values = Spans.NONE;
  private long ldValues;
  private Span c = Spans.NONE;
  private long ldc;
  private int half;

  GemmGate(Simd simd) {
    staging = new Staging(simd.convert());
    maths = simd.maths();
    arithmetic = simd.arithmetic();
  }

  void run(WorkerPool pool, Gemm call) {
    activation = call.activation();
    values = Spans.orNone(call.pre());
    ldValues = call.ldPre();
    c = call.c();
    ldc = call.ldc();
    half = call.columns();
    run(pool, call.m, half);
  }

  @Override
  void chunk(long row, int rowCount, int column, int width, Scratch scratch) {
    int count = rowCount * width;
    float[] left = scratch.floats(0, count);
    float[] right = scratch.floats(1, count);
    for (int i = 0; i < rowCount; i++) {
      long first = (row + i) * ldValues + column;
      staging.load(values, first, left, i * width, width);
      staging.load(values, first + half, right, i * width, width);
    }
    maths.activation(activation, left, 0, left, 0, count);
    arithmetic.multiply(1, left, 0, right, 0, left, 0, count);
    for (int i = 0; i < rowCount; i++) {
      staging.store(left, i * width, c, (row + i) * ldc + column, width);
    }
  }
}
