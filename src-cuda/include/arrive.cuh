// Work that the last of several blocks does when the others are done, so that it needs no launch of its own.
#pragma once

#include <cstdint>

#include "ptx.cuh"

namespace fovea {

/// A barrier of the threads that work together: of all of a block, or if `Barrier` names one of the hardware's barriers,
/// of the first `Threads` of it.
template <int Threads, int Barrier>
__device__ __forceinline__ void sync_team() {
  if constexpr (Barrier == 0) {
    __syncthreads();
  } else {
    bar_sync<Barrier, Threads>();
  }
}

/// As sync_team; whether any of them brought something other than zero.
template <int Threads, int Barrier>
__device__ __forceinline__ bool sync_team_or(int value) {
  if constexpr (Barrier == 0) {
    return __syncthreads_or(value) != 0;
  } else {
    return bar_sync_or<Barrier, Threads>(value != 0);
  }
}

/// Whether this block is the last of `count` that come here with this counter, which is zero before the first and after
/// the last. The last one sees what the others wrote to global memory before. All threads of a block call it, or all
/// that sync_team is for.
///
/// One thread speaks for its block: the barrier before orders what the block wrote before its first fence, and the
/// barrier after orders what the block reads behind its second one, which also drops what the cache of the
/// multiprocessor holds of older values.
template <int Threads = 0, int Barrier = 0>
__device__ __forceinline__ bool is_last(uint32_t* counter, int count) {
  sync_team<Threads, Barrier>();
  int last = 0;
  if (threadIdx.x == 0) {
    __threadfence();
    last = atomicInc(counter, static_cast<uint32_t>(count - 1)) == static_cast<uint32_t>(count - 1);
    __threadfence();
  }
  return sync_team_or<Threads, Barrier>(last);
}

}  // namespace fovea
