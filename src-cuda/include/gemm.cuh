// What products on tensor cores and on CUDA cores have in common: their argument, which tile a block makes, how it goes
// along k, and the bias gradient of a TN product (the sums of A over k), which has blocks of its own at the beginning
// of the grid: each sums 128 columns of A over a stretch of k, and the one that finishes last adds up the stretches in
// their order. A TN product of few tiles and a long k is split along k as well: each block leaves the sums of its
// piece, and the one of a tile that finishes last adds them up in their order and goes on to the epilogue.
//
// Grid: one block per tile, in groups of eight tile rows, so that neighbouring blocks share operands in L2. A may be
// split along k: its second part goes on where the first ends, with its own tail. In TN, A and B may be split along m
// and n: a tile lies in one part.
#pragma once

#include <cstdint>

#include "arrive.cuh"
#include "epilogue.cuh"
#include "operand.cuh"

namespace fovea {

enum Layout { kNN, kNT, kTN };

struct GemmArgs {
  Operand a;
  /// The columns of A from `splitK` on, or in TN from `splitM` on, if it is in two parts.
  Operand a2;
  Operand b;
  /// TN: the columns of B from `splitB` on, if it is in two parts.
  Operand b2;
  /// TN: [m] or none.
  Sums operandSums;
  /// [stretches, m] of these sums, and a counter for each 128 columns of A.
  float* operandPartial;
  uint32_t* operandCounters;
  /// TN: the sums of each piece of k of each tile, and a counter for each tile.
  float* splitSums;
  uint32_t* splitCounters;
  int32_t m;
  int32_t n;
  int32_t k;
  int32_t splitK;
  int32_t splitM;
  int32_t splitB;
  int32_t rowTiles;
  int32_t columnTiles;
  /// Blocks that make the sums of A: so many stretches of so many rows each.
  int32_t sumBlocks;
  int32_t stretches;
  int32_t rowsPerStretch;
  /// Pieces of k, and their length, a multiple of 32.
  int32_t splits;
  int32_t depthPerSplit;
  int32_t reserved;
  Epilogue e;
};
static_assert(sizeof(GemmArgs) == 4 * 24 + 16 + 4 * 8 + 14 * 4 + sizeof(Epilogue));

constexpr int kGroup = 8;

/// Which piece of work a block has: of one block for each, those that make the sums of A come first.
__device__ __forceinline__ int piece_of_block(const GemmArgs& args) {
  return static_cast<int>(blockIdx.x) - args.sumBlocks;
}

/// The tile of a piece of work: down the rows of a group of tile rows, then on to the next columns.
__device__ __forceinline__ int2 tile_of(const GemmArgs& args, int piece) {
  const int tile = piece % (args.rowTiles * args.columnTiles);
  const int perGroup = kGroup * args.columnTiles;
  const int group = tile / perGroup;
  const int within = tile % perGroup;
  const int rows = min(kGroup, args.rowTiles - group * kGroup);
  return make_int2(group * kGroup + within % rows, within / rows);
}

/// A stretch of rows or columns [first, end) of C within one part of an operand, `skipped` before that part.
struct Extent {
  int first;
  int end;
  int skipped;
};

/// Tile `index` of `Size` along `count`, which is in two parts if `split` is below it.
template <int Size>
__device__ __forceinline__ Extent extent_of(int index, int split, int count) {
  const int before = (split + Size - 1) / Size;
  return index < before ? Extent{index * Size, split, 0} : Extent{split + (index - before) * Size, count, split};
}

/// The sums of 128 columns of A [k,m] over a stretch of k, the `index`th such piece of work. `Barrier` is sync_team's,
/// here and below.
template <int Threads, int Barrier = 0>
__device__ __forceinline__ void sum_operand(const GemmArgs& args, int index, float* shared) {
  const int tile = index / args.stretches;
  const int stretch = index % args.stretches;
  const int thread = static_cast<int>(threadIdx.x);
  const Extent columns = extent_of<128>(tile, args.splitM, args.m);
  const Operand& a = columns.skipped > 0 ? args.a2 : args.a;
  const int column = columns.first + thread % 32 * 4;
  const int end = min(args.k, (stretch + 1) * args.rowsPerStretch);
  Quad sums = {};
  if (column < columns.end) {
#pragma unroll 4
    for (int row = stretch * args.rowsPerStretch + thread / 32; row < end; row += Threads / 32) {
      const Quad x = load4(a, row, column - columns.skipped, min(4, columns.end - column));
#pragma unroll
      for (int j = 0; j < 4; j++) {
        sums.v[j] += x.v[j];
      }
    }
  }
  reinterpret_cast<float4*>(shared)[thread] = make_float4(sums.v[0], sums.v[1], sums.v[2], sums.v[3]);
  sync_team<Threads, Barrier>();
  const int own = columns.first + thread;
  const bool owner = thread < 128 && own < columns.end;
  float sum = 0.f;
  if (owner) {
    sum = shared[thread];
#pragma unroll
    for (int w = 1; w < Threads / 32; w++) {
      sum += shared[w * 128 + thread];
    }
    args.operandPartial[static_cast<int64_t>(stretch) * args.m + own] = sum;
  }
  if (!is_last<Threads, Barrier>(args.operandCounters + tile, args.stretches) || !owner) {
    return;
  }
  sum = args.operandPartial[own];
  for (int i = 1; i < args.stretches; i++) {
    sum += args.operandPartial[static_cast<int64_t>(i) * args.m + own];
  }
  args.operandSums.put(own, sum);
}

/// Which piece of k a piece of work of a TN product takes.
__device__ __forceinline__ int split_of(const GemmArgs& args, int piece) {
  return piece / (args.rowTiles * args.columnTiles);
}

/// Adds up the sums of a tile's pieces of k in the block that finishes last, and says whether this one is it. `each`
/// runs a function on every one of a thread's `Count` sums.
template <int Threads, int Count, int Barrier = 0, typename Each>
__device__ __forceinline__ bool gather_splits(const GemmArgs& args, int piece, Each each) {
  if (args.splits == 1) {
    return true;
  }
  const int64_t tile = piece % (args.rowTiles * args.columnTiles);
  float* all = args.splitSums + tile * args.splits * Count * Threads + threadIdx.x;
  float* own = all + static_cast<int64_t>(split_of(args, piece)) * Count * Threads;
  each([&](int i, float& sum) { own[i * Threads] = sum; });
  if (!is_last<Threads, Barrier>(args.splitCounters + tile, args.splits)) {
    return false;
  }
  each([&](int i, float& sum) { sum = all[i * Threads]; });
#pragma unroll 1
  for (int split = 1; split < args.splits; split++) {
    const float* further = all + static_cast<int64_t>(split) * Count * Threads;
    each([&](int i, float& sum) { sum += further[i * Threads]; });
  }
  return true;
}

/// The steps of the main loop: where along k one begins, in A's part and in B, and where it must stop. Only where
/// `Split` says so may A be in two parts.
template <int Depth, bool Split>
struct Steps {
  int first;
  /// TN: the first step of this piece of k.
  int from;
  int total;
  int splitK;
  int k;

  __device__ __forceinline__ Steps(const GemmArgs& args, int piece)
      : first((args.splitK + Depth - 1) / Depth),
        from(Split ? 0 : split_of(args, piece) * (args.depthPerSplit / Depth)),
        total(Split ? first + (args.k - args.splitK + Depth - 1) / Depth
                    : min(first - from, args.depthPerSplit / Depth)),
        splitK(args.splitK),
        k(args.k) {}

  __device__ __forceinline__ bool second(int step) const { return Split && step >= first; }
  /// Offset along k, in all of A.
  __device__ __forceinline__ int begin(int step) const {
    return second(step) ? splitK + (step - first) * Depth : (from + step) * Depth;
  }
  __device__ __forceinline__ int end(int step) const { return second(step) ? k : splitK; }
};

/// The rows of C that a tile makes. Only TN products have A in parts along m.
template <int Layout, int M>
__device__ __forceinline__ Extent rows_of(const GemmArgs& args, int index) {
  return Layout == kTN ? extent_of<M>(index, args.splitM, args.m) : Extent{index * M, args.m, 0};
}

/// The columns of C that a tile makes, for the epilogue; only TN products have B in parts along n, and they have no
/// heads.
template <int Layout, int N, bool Gated = false>
__device__ __forceinline__ TileColumns tile_columns(const GemmArgs& args, int index) {
  if (Gated) {
    return {index * (N / 2), min(N / 2, args.e.gate - index * (N / 2)), false};
  }
  if (Layout == kTN) {
    const Extent columns = extent_of<N>(index, args.splitB, args.n);
    return {columns.first, min(N, columns.end - columns.first), false};
  }
  return tile_columns<N>(args.e, args.n, index);
}

/// The same columns as a part of B.
template <int Layout, int N, bool Gated = false>
__device__ __forceinline__ Extent columns_of(const GemmArgs& args, int index) {
  if (Layout == kTN) {
    return extent_of<N>(index, args.splitB, args.n);
  }
  const TileColumns columns = tile_columns<Layout, N, Gated>(args, index);
  return {columns.first, columns.first + columns.count, 0};
}

}  // namespace fovea
