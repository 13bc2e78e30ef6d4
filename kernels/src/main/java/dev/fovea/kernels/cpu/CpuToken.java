package dev.fovea.kernels.cpu;

import dev.fovea.kernels.Span;
import dev.fovea.kernels.Sums;
import dev.fovea.kernels.TokenKernels;
import dev.fovea.kernels.cpu.simd.Simd;
import org.jspecify.annotations.Nullable;

/** Token kernels on CPU. */
final class CpuToken implements TokenKernels {
  private final WorkerPool pool;
  private final Recycler<TokenAssembly> assemblies;
  private final Recycler<TokenAssemblyGradient> assemblyGradients;
  private final Recycler<RowGather> gathers;
  private final Recycler<RowScatter> scatters;
  private final Recycler<MeanPool> pools;
  private final Recycler<MeanPoolGradient> poolGradients;

  CpuToken(WorkerPool pool, Simd simd) {
    this.pool = pool;
    Staging staging = new Staging(simd.convert());
    assemblies = new Recycler<>(() -> new TokenAssembly(staging, simd.reductions()));
    assemblyGradients = new Recycler<>(() -> new TokenAssemblyGradient(staging, simd.reductions()));
    gathers = new Recycler<>(RowGather::new);
    scatters = new Recycler<>(() -> new RowScatter(staging, simd.reductions()));
    pools = new Recycler<>(() -> new MeanPool(staging, simd.reductions()));
    poolGradients = new Recycler<>(() -> new MeanPoolGradient(staging));
  }

  @Override
  public void assemble(
      int batch,
      int prefixes,
      int patchCount,
      int width,
      Span patches,
      @Nullable Span prefix,
      @Nullable Span positions,
      Span out) {
    TokenAssembly launch = assemblies.take();
    launch.run(pool, batch, prefixes, patchCount, width, patches, prefix, positions, out);
    assemblies.give(launch);
  }

  @Override
  public void assembleGradient(
      int batch,
      int prefixes,
      int patchCount,
      int width,
      Span dOut,
      @Nullable Span dPatches,
      @Nullable Sums dPrefix,
      @Nullable Sums dPositions) {
    TokenAssemblyGradient launch = assemblyGradients.take();
    launch.run(pool, batch, prefixes, patchCount, width, dOut, dPatches, dPrefix, dPositions);
    assemblyGradients.give(launch);
  }

  @Override
  public void gather(long rows, int width, Span x, Span index, Span out) {
    Indices.check("index", index, rows, 0, x.count() / width - 1);
    RowGather launch = gathers.take();
    launch.run(pool, rows, width, x, index, out);
    gathers.give(launch);
  }

  @Override
  public void scatterAdd(long rows, int width, Span x, Span index, Span out) {
    long outRows = out.count() / width;
    Indices.check("index", index, rows, 0, outRows - 1);
    RowScatter launch = scatters.take();
    launch.run(pool, rows, width, x, index, out, outRows);
    scatters.give(launch);
  }

  @Override
  public void meanPool(int batch, int tokens, int width, int first, Span x, @Nullable Span lengths, Span out) {
    checkLengths(batch, tokens, first, lengths);
    MeanPool launch = pools.take();
    launch.run(pool, batch, tokens, width, first, x, lengths, out);
    pools.give(launch);
  }

  @Override
  public void meanPoolGradient(
      int batch, int tokens, int width, int first, Span dOut, @Nullable Span lengths, Span dx) {
    checkLengths(batch, tokens, first, lengths);
    MeanPoolGradient launch = poolGradients.take();
    launch.run(pool, batch, tokens, width, first, dOut, lengths, dx);
    poolGradients.give(launch);
  }

  private static void checkLengths(int batch, int tokens, int first, @Nullable Span lengths) {
    if (lengths != null) {
      Indices.check("lengths", lengths, batch, first + 1L, tokens);
    }
  }
}
