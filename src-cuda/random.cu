// Random numbers by Philox4x32-10 keyed by (seed, step, element) (dev.fovea.kernels.RandomKernels), the same bits as
// on CPU. A thread makes one block of four words and what follows from them; 256 threads per block, up to
// 24 registers, no shared memory. Grid: a block per 1024 elements.
// Bound: HBM writes for words and uniform numbers (about 45 integer instructions per element), FMA for normal ones.

#include <cstdint>

#include "math.cuh"
#include "operand.cuh"
#include "philox.cuh"

using namespace fovea;

// limit random_fill: 24 registers, 0 spilled bytes, 0 shared bytes

enum Kind : int32_t { kBits, kUniform, kNormal, kKeep };

struct RandomArgs {
  void* out;
  int64_t count;
  int64_t seed;
  int64_t step;
  int32_t type;
  int32_t kind;
  /// Uniform: low, high, the number below high. Normal: mean, deviation. Keep: the probability, its reciprocal.
  float a;
  float b;
  float c;
  int32_t vectors;
};
static_assert(sizeof(RandomArgs) == 56);

namespace {

__device__ __forceinline__ float fraction(uint32_t word) { return mul(static_cast<float>(word >> 8), 0x1p-24f); }

/// cos of an angle in units of 2^-24 turns.
__device__ __forceinline__ float cosine(int phase) {
  constexpr int kQuarterBits = 22;
  constexpr int kQuarter = 1 << kQuarterBits;
  const int quarters = static_cast<int>(static_cast<uint32_t>(phase + kQuarter / 2) >> kQuarterBits);
  const float t = mul(static_cast<float>(phase - (quarters << kQuarterBits)), 1.f / kQuarter);
  const float z = mul(t, t);
  float p;
  if ((quarters & 1) == 0) {
    p = fused(z, 0x1.d4f7eep-11f, -0x1.55b2b6p-6f);
    p = fused(p, z, 0x1.03c1b0p-2f);
    p = fused(p, z, -0x1.3bd3ccp0f);
    p = fused(p, z, 1.f);
  } else {
    p = fused(z, 0x1.443816p-13f, -0x1.32ada6p-8f);
    p = fused(p, z, 0x1.466b78p-4f);
    p = fused(p, z, -0x1.4abbcep-1f);
    p = fused(p, z, -0x1.777a5cp-25f);
    p = fused(t, 0x1.921fb6p0f, mul(t, p));
  }
  return __uint_as_float(__float_as_uint(p) ^ (static_cast<uint32_t>(quarters + 1) & 2u) << 30);
}

/// Elements 2j and 2j + 1 by Box-Muller.
__device__ __forceinline__ float normal(uint32_t first, uint32_t second, int turn, float mean, float deviation) {
  const float u = mul(static_cast<float>((first >> 8) + 1), 0x1p-24f);
  const float radius = __fsqrt_rn(mul(-2.f, log_exact(u)));
  return fused(deviation, mul(radius, cosine(static_cast<int>(second >> 8) + turn)), mean);
}

}  // namespace

extern "C" __global__ void __launch_bounds__(256) random_fill(const __grid_constant__ RandomArgs args) {
  const int64_t block = static_cast<int64_t>(blockIdx.x) * 256 + threadIdx.x;
  const int64_t left = args.count - 4 * block;
  if (left <= 0) {
    return;
  }
  const int count = static_cast<int>(left < 4 ? left : 4);
  const uint4 words = philox(args.seed, args.step, block);
  const uint32_t word[4] = {words.x, words.y, words.z, words.w};
  if (args.kind == kBits) {
    for (int j = 0; j < count; j++) {
      static_cast<uint32_t*>(args.out)[4 * block + j] = word[j];
    }
    return;
  }
  constexpr int kThreeQuarters = 3 << 22;
  Quad q;
#pragma unroll
  for (int j = 0; j < 4; j++) {
    switch (args.kind) {
      case kUniform:
        q.v[j] = fminf(fused(sub(args.b, args.a), fraction(word[j]), args.a), args.c);
        break;
      case kNormal:
        q.v[j] = normal(word[j & 2], word[j | 1], j % 2 * kThreeQuarters, args.a, args.b);
        break;
      default:
        q.v[j] = fraction(word[j]) < args.a ? args.b : 0.f;
    }
  }
  store4(args.out, args.type, args.vectors != 0, 4 * block, count, q);
}
