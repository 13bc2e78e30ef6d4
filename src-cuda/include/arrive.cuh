// Work that the last of several blocks does when the others are done, so that it needs no launch of its own.
#pragma once

#include <cstdint>

namespace fovea {

/// Whether this block is the last of `count` that come here with this counter, which is zero before the first and after
/// the last. The last one sees what the others wrote to global memory before. All threads of a block call it.
__device__ __forceinline__ bool is_last(uint32_t* counter, int count) {
  __shared__ bool last;
  __threadfence();
  __syncthreads();
  if (threadIdx.x == 0) {
    last = atomicInc(counter, static_cast<uint32_t>(count - 1)) == static_cast<uint32_t>(count - 1);
  }
  __syncthreads();
  const bool result = last;
  __threadfence();
  __syncthreads();
  return result;
}

}  // namespace fovea
