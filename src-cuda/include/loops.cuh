// Loops of pointwise kernels: four neighbouring elements per thread and step.
#pragma once

#include <cstdint>

namespace fovea {

/// Runs `f` on every quad of a count, in blocks of `Threads`: its first element and how many of its four there are.
template <int Threads, typename F>
__device__ __forceinline__ void for_quads(int64_t count, F f) {
  const int64_t stride = static_cast<int64_t>(gridDim.x) * Threads * 4;
  for (int64_t i = (static_cast<int64_t>(blockIdx.x) * Threads + threadIdx.x) * 4; i < count; i += stride) {
    f(i, static_cast<int>(count - i < 4 ? count - i : 4));
  }
}

/// Runs `f` on every quad of every row, in blocks of X threads along a row and Y down: row, first column, how many of
/// its four there are.
template <typename F>
__device__ __forceinline__ void for_rows(int64_t rows, int columns, F f) {
  const int64_t stride = static_cast<int64_t>(gridDim.x) * blockDim.y;
  for (int64_t row = static_cast<int64_t>(blockIdx.x) * blockDim.y + threadIdx.y; row < rows; row += stride) {
    for (int c = static_cast<int>(threadIdx.x) * 4; c < columns; c += static_cast<int>(blockDim.x) * 4) {
      f(row, c, min(4, columns - c));
    }
  }
}

}  // namespace fovea
