// Philox4x32-10 (Salmon et al., SC 2011), as dev.fovea.kernels.RandomKernels defines its key and counter.
#pragma once

#include <cstdint>

namespace fovea {

/// Words 4 block .. 4 block + 3.
__device__ __forceinline__ uint4 philox(int64_t seed, int64_t step, int64_t block) {
  constexpr uint32_t kMultiplier0 = 0xD2511F53u;
  constexpr uint32_t kMultiplier1 = 0xCD9E8D57u;
  uint32_t k0 = static_cast<uint32_t>(seed);
  uint32_t k1 = static_cast<uint32_t>(static_cast<uint64_t>(seed) >> 32);
  uint4 c = make_uint4(static_cast<uint32_t>(block), static_cast<uint32_t>(static_cast<uint64_t>(block) >> 32),
                       static_cast<uint32_t>(step), static_cast<uint32_t>(static_cast<uint64_t>(step) >> 32));
#pragma unroll
  for (int round = 0; round < 10; round++) {
    const uint32_t high0 = __umulhi(kMultiplier0, c.x);
    const uint32_t high1 = __umulhi(kMultiplier1, c.z);
    c = make_uint4(high1 ^ c.y ^ k0, kMultiplier1 * c.z, high0 ^ c.w ^ k1, kMultiplier0 * c.x);
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return c;
}

/// Words i .. i + 3.
__device__ __forceinline__ uint4 philox_words(int64_t seed, int64_t step, int64_t i) {
  const uint4 a = philox(seed, step, i / 4);
  if (i % 4 == 0) {
    return a;
  }
  const uint4 b = philox(seed, step, i / 4 + 1);
  switch (i % 4) {
    case 1:
      return make_uint4(a.y, a.z, a.w, b.x);
    case 2:
      return make_uint4(a.z, a.w, b.x, b.y);
    default:
      return make_uint4(a.w, b.x, b.y, b.z);
  }
}

/// x in bf16: the lower half of the random word is added to the bits of its magnitude, then cut off.
__device__ __forceinline__ uint16_t to_bf16_stochastic(float x, uint32_t word) {
  const uint32_t bits = __float_as_uint(x);
  const uint32_t magnitude = bits & 0x7fffffffu;
  // From the largest finite number on a carry would make an infinity.
  return static_cast<uint16_t>(magnitude >= 0x7f7f0000u ? bits >> 16 | (magnitude > 0x7f800000u ? 0x40u : 0u)
                                                        : (bits + (word & 0xffffu)) >> 16);
}

}  // namespace fovea
