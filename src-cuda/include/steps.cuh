// What the steps of optimizers share: the values that change from step to step, the pieces of work of one launch over
// many tensors, and how a parameter is stored.
#pragma once

#include <cstdint>

#include "math.cuh"
#include "operand.cuh"
#include "philox.cuh"
#include "pieces.cuh"

namespace fovea {

/// dev.fovea.kernels.OptimizerKernels.StepValues.
struct StepValues {
  float learningRate;
  float first;
  float second;
  int32_t reserved;
  /// Of the random words.
  int64_t step;
};
static_assert(sizeof(StepValues) == 24);

/// What is the same for all tensors and steps; each rule uses some of it.
struct Rule {
  /// The values are read there, or if it is null from `given`.
  const StepValues* now;
  /// [1], or null for 1.
  const float* gradientScale;
  StepValues given;
  /// The key of the first tensor's random words; every further one has the next.
  int64_t seed;
  /// beta1, or the momentum.
  float momentum;
  /// 1 - beta1.
  float fresh;
  float beta2;
  float eps;
  /// SGD: weight decay that is added to the gradient.
  float coupled;
  int32_t stochastic;
  int32_t nesterov;
  /// Tensors of this launch.
  int32_t pieces;
};
static_assert(sizeof(Rule) == 80);

/// Bits of a piece's `kinds`: which operands are BF16, and of which every quad lies on a multiple of its size.
enum Kinds : int32_t {
  kParamBf16 = 1,
  kGradientBf16 = 2,
  kMomentBf16 = 4,
  kParamQuads = 8,
  kGradientQuads = 16,
  kMomentQuads = 32,
  kOtherQuads = 64,
  kRoundedQuads = 128
};

/// The numbers with which one tensor moves at this step.
struct Move {
  float gradientScale;
  /// The parameter's factor before the step: 1 - learning rate times weight decay.
  float shrink;
  float learningRate;
  float first;
  float second;
  int64_t seed;
  int64_t step;
};

/// The values of this step, for a tensor of its own rate and decay.
__device__ __forceinline__ Move move_of(const Rule& rule, float rate, float decay, int piece) {
  StepValues values = rule.given;
  if (rule.now != nullptr) {
    values = *rule.now;
  }
  Move move;
  move.gradientScale = rule.gradientScale == nullptr ? 1.f : rule.gradientScale[0];
  move.learningRate = mul(values.learningRate, rate);
  move.shrink = fused(-move.learningRate, decay, 1.f);
  move.first = values.first;
  move.second = values.second;
  move.seed = rule.seed + piece;
  move.step = values.step;
  return move;
}

/// An operand of a piece.
__device__ __forceinline__ Operand operand_of(void* data, int32_t kinds, int32_t bf16, int32_t quads) {
  return {data, 0, (kinds & bf16) != 0 ? kBf16 : kF32, (kinds & quads) != 0};
}

/// Where a piece's rounded parameter goes, if anywhere.
__device__ __forceinline__ Operand rounded_of(void* data, int32_t kinds) {
  return {data, 0, kBf16, (kinds & kRoundedQuads) != 0};
}

/// Elements [i, i + count) of a parameter; their indices choose the random words.
__device__ __forceinline__ void store_param(
    const Operand& param,
    const Operand& rounded,
    int64_t i,
    int count,
    const Quad& x,
    bool stochastic,
    const Move& move) {
  if (rounded.data != nullptr) {
    store4(rounded, 0, i, count, x);
  }
  if (param.type == kF32 || !stochastic) {
    store4(param, 0, i, count, x);
    return;
  }
  const uint4 words = philox_words(move.seed, move.step, i);
  const uint32_t word[4] = {words.x, words.y, words.z, words.w};
#pragma unroll
  for (int j = 0; j < 4; j++) {
    if (j < count) {
      static_cast<uint16_t*>(param.data)[i + j] = to_bf16_stochastic(x.v[j], word[j]);
    }
  }
}

/// What Adafactor does with a normalised gradient. A moment in BF16 is multiplied in BF16.
__device__ __forceinline__ void adafactor_along(
    float& p, float& m, float update, const Rule& rule, const Move& move, bool half) {
  const float kept = half ? round_bf16(mul(m, round_bf16(rule.momentum))) : mul(m, rule.momentum);
  m = fused(rule.fresh, update, kept);
  p = fused(-move.learningRate, m, mul(p, move.shrink));
}

}  // namespace fovea
