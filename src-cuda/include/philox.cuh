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

}  // namespace fovea
