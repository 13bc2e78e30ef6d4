// One step of Adafactor with factored second moments on many tensors, in place, in three launches
// (dev.fovea.kernels.OptimizerKernels). A tensor is `batch` matrices [rows, columns]; the mean of a row's squares needs
// all of the row and the update needs all means of its matrix, hence three launches, whatever the number of tensors:
//   adafactor_measure   blocks of 8 warps, each a tile of 128 columns and one strip of rows: sums of squares along its
//                       rows and down its columns. Grid: tiles x strips x matrices. 56 registers, 4 KiB of shared
//                       memory.
//   adafactor_factors   blocks of 1024 threads: for each matrix one adds up the rows' sums in order, moves vRow and
//                       takes its mean, the others do so for 1024 columns each. 64 registers, 128 bytes of shared
//                       memory.
//   adafactor_update    blocks of 256 threads, a power of two of them along a row, the others down; about 8192 elements
//                       each. 64 registers, no shared memory.
// A launch takes up to 255 tensors as one table in its argument (32 KB); a block finds its tensor by a binary search.
// Nothing is summed by atomics: results repeat bit for bit. Parameters, gradients and first moments in F32 or BF16;
// an F32 parameter may be written once more, rounded to BF16.
// Bound: HBM; in F32 24 bytes per element, the gradient being read twice, and 2 more for a rounded parameter.

#include <cstdint>

#include "reduce.cuh"
#include "steps.cuh"

using namespace fovea;

// limit adafactor_measure: 56 registers, 0 spilled bytes, 4096 shared bytes
// limit adafactor_factors: 64 registers, 0 spilled bytes, 128 shared bytes
// limit adafactor_update: 64 registers, 0 spilled bytes, 0 shared bytes

/// Element (b, r, c) of parameter, gradient and m stands at b batchStride + r rowStride + c.
struct FactoredPiece {
  void* param;
  void* gradient;
  void* m;
  /// [batch, rows]
  float* vRow;
  /// [batch, columns]
  float* vColumn;
  /// BF16, as the parameter lies, or null.
  void* rounded;
  /// See Scratch.
  float* scratch;
  int64_t batchStride;
  int64_t rowStride;
  int32_t batch;
  int32_t rows;
  int32_t columns;
  int32_t rowsPerStrip;
  int32_t strips;
  int32_t tiles;
  /// Of adafactor_update: threads along a row, and rows of all matrices together per block.
  int32_t across;
  int32_t rowsPerBlock;
  float rate;
  float decay;
  int32_t kinds;
  int32_t firstMeasure;
  int32_t firstFactors;
  int32_t firstUpdate;
};
static_assert(sizeof(FactoredPiece) == 128);

namespace {

constexpr int kThreads = 256;
constexpr int kTile = 128;
constexpr int kFactorThreads = 1024;
constexpr int kPieces = 255;

}  // namespace

struct FactoredArgs {
  Rule rule;
  FactoredPiece pieces[kPieces];
};
static_assert(sizeof(FactoredArgs) == 80 + 255 * 128);

namespace {

/// A piece's part of the scratch memory; the first array is read in quads.
struct Scratch {
  /// [batch, columns]: 1 / sqrt(vColumn).
  float* columnFactors;
  /// [batch, strips, columns]
  float* columnSums;
  /// [batch, rows]: 1 / sqrt(vRow / mean(vRow)).
  float* rowFactors;
  /// [batch, tiles, rows]
  float* rowSums;

  __device__ __forceinline__ explicit Scratch(const FactoredPiece& piece) {
    const int64_t columns = static_cast<int64_t>(piece.batch) * piece.columns;
    const int64_t rows = static_cast<int64_t>(piece.batch) * piece.rows;
    columnFactors = piece.scratch;
    columnSums = columnFactors + columns;
    rowFactors = columnSums + columns * piece.strips;
    rowSums = rowFactors + rows;
  }
};

/// A second moment moved towards the mean square.
__device__ __forceinline__ float moved(float beta2, float eps, float v, float meanSquare) {
  return fused(sub(1.f, beta2), add(meanSquare, eps), mul(beta2, v));
}

}  // namespace

extern "C" __global__ void __launch_bounds__(kThreads, 4) adafactor_measure(const __grid_constant__ FactoredArgs args) {
  __shared__ float4 partial[kThreads];
  const FactoredPiece& piece = args.pieces[piece_of(args.pieces, args.rule.pieces, &FactoredPiece::firstMeasure)];
  const Operand gradient = operand_of(piece.gradient, piece.kinds, kGradientBf16, kGradientQuads);
  const Scratch scratch(piece);
  const int lane = static_cast<int>(threadIdx.x % 32);
  const int warp = static_cast<int>(threadIdx.x / 32);
  const int block = static_cast<int>(blockIdx.x) - piece.firstMeasure;
  const int tile = block % piece.tiles;
  const int strip = block / piece.tiles % piece.strips;
  const int64_t matrix = block / piece.tiles / piece.strips;
  const int column = tile * kTile + 4 * lane;
  const int count = min(4, piece.columns - column);
  const int last = min(piece.rows, (strip + 1) * piece.rowsPerStrip);
  const float scale = args.rule.gradientScale == nullptr ? 1.f : args.rule.gradientScale[0];
  const int64_t base = matrix * piece.batchStride + column;
  const int64_t rowStride = piece.rowStride;
  float* rowSums = scratch.rowSums + (matrix * piece.tiles + tile) * piece.rows;
  Quad sums = {};
#pragma unroll 4
  for (int row = strip * piece.rowsPerStrip + warp; row < last; row += kThreads / 32) {
    const Quad g = count > 0 ? load4(gradient, 0, base + row * rowStride, count) : Quad{};
    float squares[4];
#pragma unroll
    for (int j = 0; j < 4; j++) {
      const float scaled = mul(g.v[j], scale);
      squares[j] = mul(scaled, scaled);
      sums.v[j] += squares[j];
    }
    const float sum = warp_sum((squares[0] + squares[1]) + (squares[2] + squares[3]));
    if (lane == 0) {
      rowSums[row] = sum;
    }
  }
  partial[threadIdx.x] = make_float4(sums.v[0], sums.v[1], sums.v[2], sums.v[3]);
  __syncthreads();
  const int own = tile * kTile + static_cast<int>(threadIdx.x);
  if (threadIdx.x < kTile && own < piece.columns) {
    const float* from = reinterpret_cast<const float*>(partial) + threadIdx.x;
    float sum = from[0];
#pragma unroll
    for (int w = 1; w < kThreads / 32; w++) {
      sum += from[w * kTile];
    }
    scratch.columnSums[(matrix * piece.strips + strip) * piece.columns + own] = sum;
  }
}

extern "C" __global__ void __launch_bounds__(kFactorThreads)
    adafactor_factors(const __grid_constant__ FactoredArgs args) {
  __shared__ float warps[kFactorThreads / 32];
  const FactoredPiece& piece = args.pieces[piece_of(args.pieces, args.rule.pieces, &FactoredPiece::firstFactors)];
  const Scratch scratch(piece);
  const float beta2 = args.rule.now == nullptr ? args.rule.given.first : args.rule.now->first;
  const float eps = args.rule.eps;
  const int thread = static_cast<int>(threadIdx.x);
  const int blocks = 1 + (piece.columns + kFactorThreads - 1) / kFactorThreads;
  const int block = (static_cast<int>(blockIdx.x) - piece.firstFactors) % blocks;
  const int64_t matrix = (static_cast<int>(blockIdx.x) - piece.firstFactors) / blocks;
  if (block > 0) {
    const int column = (block - 1) * kFactorThreads + thread;
    if (column < piece.columns) {
      const float* from = scratch.columnSums + matrix * piece.strips * piece.columns + column;
      float sum = from[0];
      for (int strip = 1; strip < piece.strips; strip++) {
        sum += from[static_cast<int64_t>(strip) * piece.columns];
      }
      const int64_t at = matrix * piece.columns + column;
      const float v = moved(beta2, eps, piece.vColumn[at], quotient(sum, static_cast<float>(piece.rows)));
      piece.vColumn[at] = v;
      scratch.columnFactors[at] = quotient(1.f, __fsqrt_rn(v));
    }
    return;
  }
  float total = 0.f;
  for (int row = thread; row < piece.rows; row += kFactorThreads) {
    const float* from = scratch.rowSums + matrix * piece.tiles * piece.rows + row;
    float sum = from[0];
    for (int tile = 1; tile < piece.tiles; tile++) {
      sum += from[static_cast<int64_t>(tile) * piece.rows];
    }
    const int64_t at = matrix * piece.rows + row;
    const float v = moved(beta2, eps, piece.vRow[at], quotient(sum, static_cast<float>(piece.columns)));
    piece.vRow[at] = v;
    total += v;
  }
  const float mean = quotient(block_sum<kFactorThreads>(total, warps), static_cast<float>(piece.rows));
  for (int row = thread; row < piece.rows; row += kFactorThreads) {
    const int64_t at = matrix * piece.rows + row;
    scratch.rowFactors[at] = quotient(1.f, __fsqrt_rn(quotient(piece.vRow[at], mean)));
  }
}

extern "C" __global__ void __launch_bounds__(kThreads) adafactor_update(const __grid_constant__ FactoredArgs args) {
  const int which = piece_of(args.pieces, args.rule.pieces, &FactoredPiece::firstUpdate);
  const FactoredPiece& piece = args.pieces[which];
  const Move move = move_of(args.rule, piece.rate, piece.decay, which);
  const Operand param = operand_of(piece.param, piece.kinds, kParamBf16, kParamQuads);
  const Operand gradient = operand_of(piece.gradient, piece.kinds, kGradientBf16, kGradientQuads);
  const Operand moment = operand_of(piece.m, piece.kinds, kMomentBf16, kMomentQuads);
  const Operand rounded = rounded_of(piece.rounded, piece.kinds);
  const Scratch scratch(piece);
  const Operand columnFactors = operand_of(scratch.columnFactors, piece.kinds, 0, kOtherQuads);
  const int64_t rows = static_cast<int64_t>(piece.batch) * piece.rows;
  const int64_t first = static_cast<int64_t>(static_cast<int>(blockIdx.x) - piece.firstUpdate) * piece.rowsPerBlock;
  const int64_t end = first + piece.rowsPerBlock < rows ? first + piece.rowsPerBlock : rows;
  const int down = kThreads / piece.across;
  const int x = static_cast<int>(threadIdx.x) & (piece.across - 1);
  for (int64_t row = first + static_cast<int>(threadIdx.x) / piece.across; row < end; row += down) {
    const int64_t matrix = piece.batch == 1 ? 0 : row / piece.rows;
    const int64_t from = matrix * piece.batchStride + (row - matrix * piece.rows) * piece.rowStride;
    const float factor = mul(move.gradientScale, scratch.rowFactors[row]);
    for (int c = 4 * x; c < piece.columns; c += 4 * piece.across) {
      const int64_t i = from + c;
      const int count = min(4, piece.columns - c);
      const Quad factors = load4(columnFactors, 0, matrix * piece.columns + c, count);
      Quad p = load4(param, 0, i, count);
      const Quad g = load4(gradient, 0, i, count);
      Quad m = load4(moment, 0, i, count);
#pragma unroll
      for (int j = 0; j < 4; j++) {
        const float update = mul(mul(g.v[j], factor), factors.v[j]);
        adafactor_along(p.v[j], m.v[j], update, args.rule, move, moment.type == kBf16);
      }
      store4(moment, 0, i, count, m);
      store_param(param, rounded, i, count, p, args.rule.stochastic != 0, move);
    }
  }
}
