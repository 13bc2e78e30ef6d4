// Sums over warps and blocks in a fixed order.
#pragma once

#include <cstdint>

namespace fovea {

/// The sum over groups of `Width` neighbouring lanes (a power of 2), the same bits in each of them.
template <int Width = 32>
__device__ __forceinline__ float warp_sum(float x) {
#pragma unroll
  for (int distance = Width / 2; distance > 0; distance /= 2) {
    x += __shfl_xor_sync(0xffffffffu, x, distance);
  }
  return x;
}

/// The larger of two, NaN if one is.
__device__ __forceinline__ float max_nan(float a, float b) { return a > b || a != a ? a : b; }

template <int Width = 32>
__device__ __forceinline__ float warp_max(float x) {
#pragma unroll
  for (int distance = Width / 2; distance > 0; distance /= 2) {
    x = max_nan(x, __shfl_xor_sync(0xffffffffu, x, distance));
  }
  return x;
}

/// The sum over a block of `Threads`, in every thread. `scratch` has one float per warp and may be reused at once.
template <int Threads>
__device__ __forceinline__ float block_sum(float x, float* scratch) {
  constexpr int kWarps = Threads / 32;
  x = warp_sum(x);
  __syncthreads();
  if (threadIdx.x % 32 == 0) {
    scratch[threadIdx.x / 32] = x;
  }
  __syncthreads();
  return warp_sum<kWarps>(scratch[threadIdx.x % kWarps]);
}

/// As block_sum, for the largest; NaN if there is one.
template <int Threads>
__device__ __forceinline__ float block_max(float x, float* scratch) {
  constexpr int kWarps = Threads / 32;
  x = warp_max(x);
  __syncthreads();
  if (threadIdx.x % 32 == 0) {
    scratch[threadIdx.x / 32] = x;
  }
  __syncthreads();
  return warp_max<kWarps>(scratch[threadIdx.x % kWarps]);
}

}  // namespace fovea
