// Sums in an order fixed by the shape alone (dev.fovea.kernels.ReduceKernels). F32 or BF16 in, F32 out.
//
// fold: a block of 256 threads folds 4096 values to one (16 per thread in four chains, then a tree); launched again on
//   its own results until one is left. 32 bytes of shared memory. Bound: HBM.
// fold_squares: the first level of sums of squares of up to 1362 tensors, which stand in one table in the argument; a
//   block finds its tensor by a binary search over their first blocks. 32 bytes of shared memory. Bound: HBM.
// column_sums: a block of 32 x 8 threads sums 128 columns over a stretch of rows, four columns per thread; the block
//   that finishes last adds up the stretches' partial sums in their order. 4 KiB of shared memory. Grid: columns / 128
//   x stretches, 128 of them at most. Bound: HBM.
// clip_factor: one warp.
// Registers: up to 48 for column_sums, 32 for the others.

#include <cstdint>

#include "arrive.cuh"
#include "operand.cuh"
#include "pieces.cuh"
#include "reduce.cuh"

using namespace fovea;

// limit column_sums: 48 registers, 0 spilled bytes, 4096 shared bytes
// limit *: 32 registers, 0 spilled bytes, 32 shared bytes

enum Kind : int32_t { kSum, kSquares, kLargest };

struct FoldArgs {
  Operand x;
  float* out;
  int64_t count;
  int32_t kind;
  /// Whether the result is added to what stands in out.
  int32_t accumulate;
};
static_assert(sizeof(FoldArgs) == 48);

/// One of many tensors; block b of the launch folds the values from 4096 (b - firstBlock) on.
struct FoldPiece {
  void* data;
  int64_t count;
  int32_t firstBlock;
  int16_t type;
  int16_t vectors;
};
static_assert(sizeof(FoldPiece) == 24);

constexpr int kFoldPieces = 1362;

struct FoldSquaresArgs {
  /// One number for each block.
  float* out;
  int32_t pieces;
  int32_t reserved;
  FoldPiece piece[kFoldPieces];
};
static_assert(sizeof(FoldSquaresArgs) == 16 + 1362 * 24);

struct ColumnSumsArgs {
  Operand x;
  /// Multiplied with x if there.
  Operand y;
  /// Multiplied with row r / rowsPerScale if there.
  const float* rowScale;
  /// [stretches, columns]; not used if there is just one.
  float* partial;
  /// [columns]
  Sums sums;
  /// One for each block along x; zero before and after.
  uint32_t* counters;
  int64_t rows;
  int64_t rowsPerBlock;
  int32_t columns;
  int32_t rowsPerScale;
};
static_assert(sizeof(ColumnSumsArgs) == 112);

struct ClipArgs {
  const float* squares;
  float* out;
  float most;
  int32_t reserved;
};
static_assert(sizeof(ClipArgs) == 24);

namespace {

constexpr int kThreads = 256;
constexpr int kPerThread = 16;

/// One number from the block's values, those from `first` on; all threads get it.
__device__ __forceinline__ float fold_values(
    const Operand& x, int64_t first, int64_t count, int32_t kind, float* scratch) {
  float chain[4] = {};
#pragma unroll
  for (int s = 0; s < kPerThread / 4; s++) {
    const int64_t i = first + (s * kThreads + static_cast<int>(threadIdx.x)) * 4;
    const int64_t left = count - i;
    const Quad q = left > 0 ? load4(x, 0, i, static_cast<int>(left < 4 ? left : 4)) : Quad{};
#pragma unroll
    for (int j = 0; j < 4; j++) {
      switch (kind) {
        case kSum:
          chain[j] += q.v[j];
          break;
        case kSquares:
          chain[j] = fmaf(q.v[j], q.v[j], chain[j]);
          break;
        default:
          chain[j] = max_nan(chain[j], fabsf(q.v[j]));
      }
    }
  }
  return kind == kLargest
             ? block_max<kThreads>(max_nan(max_nan(chain[0], chain[1]), max_nan(chain[2], chain[3])), scratch)
             : block_sum<kThreads>((chain[0] + chain[1]) + (chain[2] + chain[3]), scratch);
}

}  // namespace

extern "C" __global__ void __launch_bounds__(kThreads) fold(const __grid_constant__ FoldArgs args) {
  __shared__ float scratch[kThreads / 32];
  const int64_t first = static_cast<int64_t>(blockIdx.x) * kThreads * kPerThread;
  const float result = fold_values(args.x, first, args.count, args.kind, scratch);
  if (threadIdx.x == 0) {
    args.out[blockIdx.x] = args.accumulate ? args.out[blockIdx.x] + result : result;
  }
}

extern "C" __global__ void __launch_bounds__(kThreads) fold_squares(const __grid_constant__ FoldSquaresArgs args) {
  __shared__ float scratch[kThreads / 32];
  const FoldPiece& piece = args.piece[piece_of(args.piece, args.pieces, &FoldPiece::firstBlock)];
  const Operand x = {piece.data, 0, piece.type, piece.vectors};
  const int64_t first = static_cast<int64_t>(static_cast<int>(blockIdx.x) - piece.firstBlock) * kThreads * kPerThread;
  const float result = fold_values(x, first, piece.count, kSquares, scratch);
  if (threadIdx.x == 0) {
    args.out[blockIdx.x] = result;
  }
}

extern "C" __global__ void __launch_bounds__(kThreads) column_sums(const __grid_constant__ ColumnSumsArgs args) {
  __shared__ float4 partial[kThreads];
  const int lane = static_cast<int>(threadIdx.x % 32);
  const int warp = static_cast<int>(threadIdx.x / 32);
  const int column = (static_cast<int>(blockIdx.x) * 32 + lane) * 4;
  const int count = min(4, args.columns - column);
  const int64_t first = static_cast<int64_t>(blockIdx.y) * args.rowsPerBlock;
  const int64_t end = first + args.rowsPerBlock < args.rows ? first + args.rowsPerBlock : args.rows;
  float sums[4] = {};
  for (int64_t row = first + warp; row < end && count > 0; row += kThreads / 32) {
    Quad x = load4(args.x, row, column, count);
    if (args.y.data != nullptr) {
      const Quad y = load4(args.y, row, column, count);
#pragma unroll
      for (int j = 0; j < 4; j++) {
        x.v[j] *= y.v[j];
      }
    }
    const float scale = args.rowScale == nullptr ? 1.f : args.rowScale[row / args.rowsPerScale];
#pragma unroll
    for (int j = 0; j < 4; j++) {
      sums[j] = fmaf(x.v[j], scale, sums[j]);
    }
  }
  partial[threadIdx.x] = make_float4(sums[0], sums[1], sums[2], sums[3]);
  __syncthreads();
  const int c = static_cast<int>(threadIdx.x);
  const int64_t place = static_cast<int64_t>(blockIdx.x) * 128 + c;
  const bool owner = c < 128 && place < args.columns;
  float sum = 0.f;
  if (owner) {
    const float* values = reinterpret_cast<const float*>(partial);
    sum = values[c];
    for (int i = 1; i < kThreads / 32; i++) {
      sum += values[i * 128 + c];
    }
  }
  if (gridDim.y > 1) {
    if (owner) {
      args.partial[static_cast<int64_t>(blockIdx.y) * args.columns + place] = sum;
    }
    if (!is_last(args.counters + blockIdx.x, static_cast<int>(gridDim.y))) {
      return;
    }
    sum = owner ? args.partial[place] : 0.f;
#pragma unroll 8
    for (int i = 1; owner && i < static_cast<int>(gridDim.y); i++) {
      sum += args.partial[static_cast<int64_t>(i) * args.columns + place];
    }
  }
  if (owner) {
    args.sums.put(place, sum);
  }
}

/// out[0] = min(1, most / sqrt(squares[0])).
extern "C" __global__ void __launch_bounds__(32) clip_factor(const __grid_constant__ ClipArgs args) {
  if (threadIdx.x == 0) {
    const float norm = __fsqrt_rn(args.squares[0]);
    const float factor = norm == 0.f ? 1.f : __fdiv_rn(args.most, norm);
    args.out[0] = factor > 1.f ? 1.f : factor;
  }
}
