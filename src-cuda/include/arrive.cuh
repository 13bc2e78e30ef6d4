// Work that the last of several blocks does when the others are done, so that it needs no launch of its own.
#pragma once

#include <cstdint>

namespace fovea {

/// Whether this block is the last of `count` that come here with this counter, which is zero before the first and after
/// the last. The last one sees what the others wrote to global memory before. All threads of a block call it.
///
/// One thread speaks for its block: the barrier before orders what the block wrote before its first fence, and the
/// barrier after orders what the block reads behind its second one, which also drops what the cache of the
/// multiprocessor holds of older values.
__device__ __forceinline__ bool is_last(uint32_t* counter, int count) {
  __syncthreads();
  int last = 0;
  if (threadIdx.x == 0) {
    __threadfence();
    last = atomicInc(counter, static_cast<uint32_t>(count - 1)) == static_cast<uint32_t>(count - 1);
    __threadfence();
  }
  return __syncthreads_or(last) != 0;
}

}  // namespace fovea
