// One step of AdamW, SGD with momentum, or Adafactor without factors on many tensors, in place, in one launch
// (dev.fovea.kernels.OptimizerKernels). Parameters, gradients and first moments in F32 or BF16, second moments in F32,
// arithmetic in F32: the CPU's operations one by one, and its random words where a BF16 parameter is rounded
// stochastically, so that the results are the CPU's bits. An F32 parameter may be written once more, rounded to BF16:
// what a model computes with whose parameters are kept in F32.
//
// A launch takes up to 510 tensors as one table in its argument (32 KB, which kernels may have since compute capability
// 7.0). A block of 256 threads finds its tensor by a binary search over their first blocks, and moves 8192 of its
// elements, four per thread and round; no shared memory, up to 48 registers. Grid: the sum over tensors of their
// elements / 8192. What changes from step to step may stand in device memory, so that a recorded launch can be
// replayed. Bound: HBM; AdamW in F32 moves 28 bytes per element, SGD 20, a rounded parameter 2 more.

#include <cstdint>

#include "steps.cuh"

using namespace fovea;

// limit *_step: 48 registers, 0 spilled bytes, 0 shared bytes

struct Piece {
  void* param;
  void* gradient;
  void* m;
  float* v;
  /// BF16, or null.
  void* rounded;
  int64_t count;
  float rate;
  float decay;
  int32_t firstBlock;
  int32_t kinds;
};
static_assert(sizeof(Piece) == 64);

namespace {

constexpr int kThreads = 256;
constexpr int64_t kPerBlock = 8192;
constexpr int kPieces = 510;

}  // namespace

struct StepArgs {
  Rule rule;
  Piece pieces[kPieces];
};
static_assert(sizeof(StepArgs) == 80 + 510 * 64);

namespace {

/// Runs a rule of (parameter, scaled gradient, m, v, values of this step) on every element of the block's piece.
template <bool HasV, typename F>
__device__ __forceinline__ void for_elements(const StepArgs& args, F f) {
  const int at = piece_of(args.pieces, args.rule.pieces, &Piece::firstBlock);
  const Piece& piece = args.pieces[at];
  const Move move = move_of(args.rule, piece.rate, piece.decay, at);
  const Operand param = operand_of(piece.param, piece.kinds, kParamBf16, kParamQuads);
  const Operand gradient = operand_of(piece.gradient, piece.kinds, kGradientBf16, kGradientQuads);
  const Operand moment = operand_of(piece.m, piece.kinds, kMomentBf16, kMomentQuads);
  const Operand second = operand_of(piece.v, piece.kinds, 0, kOtherQuads);
  const Operand rounded = rounded_of(piece.rounded, piece.kinds);
  const int64_t first = (static_cast<int>(blockIdx.x) - piece.firstBlock) * kPerBlock;
  const int64_t end = first + kPerBlock < piece.count ? first + kPerBlock : piece.count;
  for (int64_t i = first + 4 * static_cast<int>(threadIdx.x); i < end; i += 4 * kThreads) {
    const int count = static_cast<int>(end - i < 4 ? end - i : 4);
    Quad p = load4(param, 0, i, count);
    const Quad g = load4(gradient, 0, i, count);
    Quad m = load4(moment, 0, i, count);
    Quad v = HasV ? load4(second, 0, i, count) : Quad{};
#pragma unroll
    for (int j = 0; j < 4; j++) {
      f(p.v[j], mul(g.v[j], move.gradientScale), m.v[j], v.v[j], move, moment.type == kBf16);
    }
    store4(moment, 0, i, count, m);
    if (HasV) {
      store4(second, 0, i, count, v);
    }
    store_param(param, rounded, i, count, p, args.rule.stochastic != 0, move);
  }
}

}  // namespace

extern "C" __global__ void __launch_bounds__(kThreads) adamw_step(const __grid_constant__ StepArgs args) {
  const Rule& rule = args.rule;
  for_elements<true>(args, [&](float& p, float g, float& m, float& v, const Move& move, bool) {
    m = fused(rule.fresh, sub(g, m), m);
    v = fused(mul(g, sub(1.f, rule.beta2)), g, mul(v, rule.beta2));
    const float step = quotient(m, fused(__fsqrt_rn(v), move.second, rule.eps));
    p = fused(-mul(move.learningRate, move.first), step, mul(p, move.shrink));
  });
}

extern "C" __global__ void __launch_bounds__(kThreads) sgd_step(const __grid_constant__ StepArgs args) {
  const Rule& rule = args.rule;
  for_elements<false>(args, [&](float& p, float g, float& m, float&, const Move& move, bool) {
    const float d = fused(p, rule.coupled, g);
    m = fused(m, rule.momentum, d);
    p = fused(rule.nesterov ? fused(m, rule.momentum, d) : m, -move.learningRate, mul(p, move.shrink));
  });
}

/// Adafactor with a second moment per element.
extern "C" __global__ void __launch_bounds__(kThreads) adafactor_step(const __grid_constant__ StepArgs args) {
  const Rule& rule = args.rule;
  for_elements<true>(args, [&](float& p, float g, float& m, float& v, const Move& move, bool half) {
    v = fused(sub(1.f, move.first), fused(g, g, rule.eps), mul(v, move.first));
    adafactor_along(p, m, quotient(g, __fsqrt_rn(v)), rule, move, half);
  });
}
