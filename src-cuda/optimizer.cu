// One step of AdamW, SGD with momentum, or Adafactor on one parameter, in place (dev.fovea.kernels.OptimizerKernels).
// Parameter, gradient and first moment in F32 or BF16, second moments in F32, arithmetic in F32: the CPU's operations
// one by one, and its random words where a BF16 parameter is rounded stochastically. Steps without a factored moment
// give the CPU's bits.
//
// adamw_step, sgd_step, adafactor_step: blocks of 256 threads, grid-stride loops over quads of elements, no shared
//   memory.
// Adafactor with a factored moment, of matrices [rows, columns]:
//   adafactor_measure   blocks of 8 warps, each a tile of 128 columns and one strip of rows: sums of squares along its
//                       rows and down its columns. 4 KiB of shared memory. Grid: tiles x strips x matrices.
//   adafactor_factors   blocks of 1024 threads: for each matrix one adds up the rows' sums in order, moves vRow and
//                       takes its mean, the others do so for 1024 columns each. 128 bytes of shared memory.
//   adafactor_update    blocks of X x Y threads, X along a row, Y rows at a time; no shared memory.
// Nothing is summed by atomics. Bound: HBM; AdamW in F32 moves 28 bytes per element, factored Adafactor in F32 24.

#include <cstdint>

#include "loops.cuh"
#include "math.cuh"
#include "operand.cuh"
#include "philox.cuh"
#include "reduce.cuh"

using namespace fovea;

// limit *_step: 64 registers, 0 spilled bytes, 0 shared bytes
// limit adafactor_measure: 48 registers, 0 spilled bytes, 4096 shared bytes
// limit adafactor_factors: 64 registers, 0 spilled bytes, 128 shared bytes
// limit adafactor_update: 64 registers, 0 spilled bytes, 0 shared bytes

/// What the rules are told; each uses some of it.
struct Rule {
  /// The key and step of the random words.
  int64_t seed;
  int64_t step;
  /// beta1, or the momentum; rounded to BF16 for an Adafactor moment in BF16, which is multiplied in BF16.
  float momentum;
  /// 1 - beta1 before any rounding.
  float fresh;
  float beta2;
  float eps;
  /// The parameter's factor before the step; SGD: weight decay.
  float shrink;
  float rate;
  /// AdamW: 1 / sqrt(1 - beta2^step).
  float rootScale;
  int32_t stochastic;
  int32_t nesterov;
  int32_t reserved;
};
static_assert(sizeof(Rule) == 56);

struct StepArgs {
  Operand param;
  Operand gradient;
  Operand m;
  Operand v;
  /// [1], or null for 1.
  const float* gradientScale;
  int64_t count;
  Rule rule;
};
static_assert(sizeof(StepArgs) == 4 * 24 + 16 + 56);

/// Element (b, r, c) of parameter, gradient and m stands at b batchStride + r ld + c.
struct FactoredArgs {
  Operand param;
  Operand gradient;
  Operand m;
  /// [batch, columns]: 1 / sqrt(vColumn).
  Operand columnFactors;
  /// [batch, rows]: 1 / sqrt(vRow / mean(vRow)).
  float* rowFactors;
  float* vRow;
  float* vColumn;
  /// [batch, tiles, rows]
  float* rowSums;
  /// [batch, strips, columns]
  float* columnSums;
  const float* gradientScale;
  int64_t batchStride;
  int32_t batch;
  int32_t rows;
  int32_t columns;
  int32_t rowsPerStrip;
  int32_t strips;
  int32_t tiles;
  Rule rule;
};
static_assert(sizeof(FactoredArgs) == 4 * 24 + 7 * 8 + 6 * 4 + 56);

namespace {

constexpr int kThreads = 256;
constexpr int kTile = 128;
constexpr int kFactorThreads = 1024;

__device__ __forceinline__ float read_scale(const float* scale) { return scale == nullptr ? 1.f : scale[0]; }

/// Elements [i, i + count) of a parameter; their indices choose the random words.
__device__ __forceinline__ void store_param(const Operand& param, int64_t i, int count, const Quad& x, const Rule& rule) {
  if (param.type == kF32 || !rule.stochastic) {
    store4(param.data, param.type, param.vectors != 0, i, count, x);
    return;
  }
  const uint4 words = philox_words(rule.seed, rule.step, i);
  const uint32_t word[4] = {words.x, words.y, words.z, words.w};
#pragma unroll
  for (int j = 0; j < 4; j++) {
    if (j < count) {
      static_cast<uint16_t*>(param.data)[i + j] = to_bf16_stochastic(x.v[j], word[j]);
    }
  }
}

/// Runs a rule of (parameter, scaled gradient, m, v) on every element.
template <bool HasV, typename F>
__device__ __forceinline__ void for_elements(const StepArgs& args, F f) {
  const float scale = read_scale(args.gradientScale);
  for_quads<kThreads>(args.count, [&](int64_t i, int count) {
    Quad p = load4(args.param, 0, i, count);
    const Quad g = load4(args.gradient, 0, i, count);
    Quad m = load4(args.m, 0, i, count);
    Quad v = HasV ? load4(args.v, 0, i, count) : Quad{};
#pragma unroll
    for (int j = 0; j < 4; j++) {
      f(p.v[j], mul(g.v[j], scale), m.v[j], v.v[j]);
    }
    store4(args.m, 0, i, count, m);
    if (HasV) {
      store4(args.v, 0, i, count, v);
    }
    store_param(args.param, i, count, p, args.rule);
  });
}

/// What Adafactor does with a normalised gradient.
__device__ __forceinline__ void along(float& p, float& m, float update, const Rule& rule, bool half) {
  const float kept = mul(m, rule.momentum);
  m = fused(rule.fresh, update, half ? round_bf16(kept) : kept);
  p = fused(-rule.rate, m, mul(p, rule.shrink));
}

/// A second moment moved towards the mean square.
__device__ __forceinline__ float moved(const Rule& rule, float v, float meanSquare) {
  return fused(sub(1.f, rule.beta2), add(meanSquare, rule.eps), mul(rule.beta2, v));
}

}  // namespace

extern "C" __global__ void __launch_bounds__(kThreads) adamw_step(const __grid_constant__ StepArgs args) {
  const Rule& rule = args.rule;
  for_elements<true>(args, [&](float& p, float g, float& m, float& v) {
    m = fused(rule.fresh, sub(g, m), m);
    v = fused(mul(g, sub(1.f, rule.beta2)), g, mul(v, rule.beta2));
    const float step = quotient(m, fused(__fsqrt_rn(v), rule.rootScale, rule.eps));
    p = fused(-rule.rate, step, mul(p, rule.shrink));
  });
}

extern "C" __global__ void __launch_bounds__(kThreads) sgd_step(const __grid_constant__ StepArgs args) {
  const Rule& rule = args.rule;
  for_elements<false>(args, [&](float& p, float g, float& m, float&) {
    const float d = fused(p, rule.shrink, g);
    m = fused(m, rule.momentum, d);
    p = fused(rule.nesterov ? fused(m, rule.momentum, d) : m, -rule.rate, p);
  });
}

/// Adafactor with a second moment per element.
extern "C" __global__ void __launch_bounds__(kThreads) adafactor_step(const __grid_constant__ StepArgs args) {
  const Rule& rule = args.rule;
  for_elements<true>(args, [&](float& p, float g, float& m, float& v) {
    v = fused(sub(1.f, rule.beta2), fused(g, g, rule.eps), mul(v, rule.beta2));
    along(p, m, quotient(g, __fsqrt_rn(v)), rule, args.m.type == kBf16);
  });
}

extern "C" __global__ void __launch_bounds__(kThreads) adafactor_measure(const __grid_constant__ FactoredArgs args) {
  __shared__ float4 partial[kThreads];
  const int lane = static_cast<int>(threadIdx.x % 32);
  const int warp = static_cast<int>(threadIdx.x / 32);
  const int tile = static_cast<int>(blockIdx.x) % args.tiles;
  const int strip = static_cast<int>(blockIdx.x) / args.tiles % args.strips;
  const int64_t matrix = static_cast<int>(blockIdx.x) / args.tiles / args.strips;
  const int column = tile * kTile + 4 * lane;
  const int count = min(4, args.columns - column);
  const int last = min(args.rows, (strip + 1) * args.rowsPerStrip);
  const float scale = read_scale(args.gradientScale);
  const int64_t base = matrix * args.batchStride + column;
  float* rowSums = args.rowSums + (matrix * args.tiles + tile) * args.rows;
  Quad sums = {};
#pragma unroll 4
  for (int row = strip * args.rowsPerStrip + warp; row < last; row += kThreads / 32) {
    const Quad g = count > 0 ? load4(args.gradient.data, args.gradient.type, args.gradient.vectors != 0,
                                     base + row * args.gradient.ld, count)
                             : Quad{};
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
  if (threadIdx.x < kTile && tile * kTile + static_cast<int>(threadIdx.x) < args.columns) {
    const float* own = reinterpret_cast<const float*>(partial) + threadIdx.x;
    float sum = own[0];
#pragma unroll
    for (int w = 1; w < kThreads / 32; w++) {
      sum += own[w * kTile];
    }
    args.columnSums[(matrix * args.strips + strip) * args.columns + tile * kTile + threadIdx.x] = sum;
  }
}

extern "C" __global__ void __launch_bounds__(kFactorThreads)
    adafactor_factors(const __grid_constant__ FactoredArgs args) {
  __shared__ float scratch[kFactorThreads / 32];
  const int thread = static_cast<int>(threadIdx.x);
  const int blocks = 1 + (args.columns + kFactorThreads - 1) / kFactorThreads;
  const int block = static_cast<int>(blockIdx.x) % blocks;
  const int64_t matrix = static_cast<int>(blockIdx.x) / blocks;
  if (block > 0) {
    const int column = (block - 1) * kFactorThreads + thread;
    if (column < args.columns) {
      const float* from = args.columnSums + matrix * args.strips * args.columns + column;
      float sum = from[0];
      for (int strip = 1; strip < args.strips; strip++) {
        sum += from[static_cast<int64_t>(strip) * args.columns];
      }
      const int64_t at = matrix * args.columns + column;
      const float v = moved(args.rule, args.vColumn[at], quotient(sum, static_cast<float>(args.rows)));
      args.vColumn[at] = v;
      static_cast<float*>(args.columnFactors.data)[at] = quotient(1.f, __fsqrt_rn(v));
    }
    return;
  }
  float total = 0.f;
  for (int row = thread; row < args.rows; row += kFactorThreads) {
    const float* from = args.rowSums + matrix * args.tiles * args.rows + row;
    float sum = from[0];
    for (int tile = 1; tile < args.tiles; tile++) {
      sum += from[static_cast<int64_t>(tile) * args.rows];
    }
    const int64_t at = matrix * args.rows + row;
    const float v = moved(args.rule, args.vRow[at], quotient(sum, static_cast<float>(args.columns)));
    args.vRow[at] = v;
    total += v;
  }
  const float mean = quotient(block_sum<kFactorThreads>(total, scratch), static_cast<float>(args.rows));
  for (int row = thread; row < args.rows; row += kFactorThreads) {
    const int64_t at = matrix * args.rows + row;
    args.rowFactors[at] = quotient(1.f, __fsqrt_rn(quotient(args.vRow[at], mean)));
  }
}

extern "C" __global__ void __launch_bounds__(kThreads) adafactor_update(const __grid_constant__ FactoredArgs args) {
  const float scale = read_scale(args.gradientScale);
  for_rows(static_cast<int64_t>(args.batch) * args.rows, args.columns, [&](int64_t row, int c, int count) {
    const int64_t matrix = args.batch == 1 ? 0 : row / args.rows;
    const int64_t i = matrix * args.batchStride + (row - matrix * args.rows) * args.param.ld + c;
    const float factor = mul(scale, args.rowFactors[row]);
    const Quad factors = load4(args.columnFactors, matrix, c, count);
    Quad p = load4(args.param.data, args.param.type, args.param.vectors != 0, i, count);
    const Quad g = load4(args.gradient.data, args.gradient.type, args.gradient.vectors != 0, i, count);
    Quad m = load4(args.m.data, args.m.type, args.m.vectors != 0, i, count);
#pragma unroll
    for (int j = 0; j < 4; j++) {
      along(p.v[j], m.v[j], mul(mul(g.v[j], factor), factors.v[j]), args.rule, args.m.type == kBf16);
    }
    store4(args.m.data, args.m.type, args.m.vectors != 0, i, count, m);
    store_param(args.param, i, count, p, args.rule);
  });
}
