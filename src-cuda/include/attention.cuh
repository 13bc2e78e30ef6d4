// What attention's kernels have in common, forward and backward: where a head lies in memory, products of weights that
// stand in registers, and how tiles come and go.
#pragma once

#include <cstdint>

#include "math.cuh"
#include "operand.cuh"
#include "ptx.cuh"
#include "tile.cuh"

namespace fovea {

constexpr float kInfinity = __builtin_huge_valf();

/// Where row `row`, column 0 of a head stands in a bf16 matrix whose rows hold all heads.
__device__ __forceinline__ uint16_t* head_at(const Operand& x, int64_t row, int64_t column) {
  return static_cast<uint16_t*>(x.data) + row * x.ld + column;
}

/// sums += bf16(weights) other, by a warp: weights [16 Fragments][Others] as mma leaves them, which is how the next
/// product takes its left operand; other [Others][D] at a shared address, swizzled.
template <int D, int Others, int Fragments>
__device__ __forceinline__ void add_weighted(float (&sums)[Fragments][D / 8][4],
    const float (&weights)[Fragments][Others / 8][4], uint32_t other, const LanePlaces<D / 8>& places) {
#pragma unroll
  for (int step = 0; step < Others / 16; step++) {
    uint32_t a[Fragments][4];
#pragma unroll
    for (int i = 0; i < Fragments; i++) {
      a[i][0] = pack_bf16(weights[i][2 * step][0], weights[i][2 * step][1]);
      a[i][1] = pack_bf16(weights[i][2 * step][2], weights[i][2 * step][3]);
      a[i][2] = pack_bf16(weights[i][2 * step + 1][0], weights[i][2 * step + 1][1]);
      a[i][3] = pack_bf16(weights[i][2 * step + 1][2], weights[i][2 * step + 1][3]);
    }
#pragma unroll
    for (int j = 0; j < D / 16; j++) {
      uint32_t b[4];
      ldmatrix_x4_trans(b, other + places(step * 16, j));
#pragma unroll
      for (int i = 0; i < Fragments; i++) {
        mma_bf16(sums[i][2 * j], a[i], b[0], b[1]);
        mma_bf16(sums[i][2 * j + 1], a[i], b[2], b[3]);
      }
    }
  }
}

/// Puts two neighbouring values of row `r` of a result where they go: bf16 into a swizzled tile, from where rows leave
/// in 16-byte pieces (store_rows), f32 straight to memory, if `there`.
template <int D>
__device__ __forceinline__ void put_pair(
    uint8_t* tile, const Operand& to, int64_t row, int64_t column, int r, int j, bool there, float x, float y) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  if (to.type == kBf16) {
    *reinterpret_cast<uint32_t*>(tile + swizzled<D / 8>(r, j) + lane % 4 * 4) = pack_bf16(x, y);
  } else if (there) {
    float* place = static_cast<float*>(to.data) + (row + r) * to.ld + column + j * 8 + lane % 4 * 2;
    place[0] = x;
    place[1] = y;
  }
}

/// Copies a warp's rows [first, first + Rows) of a swizzled tile to memory, those below `rows`.
template <int D, int Rows>
__device__ __forceinline__ void store_rows(
    const uint8_t* tile, const Operand& to, int64_t row, int64_t column, int first, int rows, int headDim) {
  __syncwarp();
  for (int i = static_cast<int>(threadIdx.x % 32); i < Rows * (D / 8); i += 32) {
    const int r = first + i / (D / 8);
    const int chunk = i % (D / 8);
    if (r < rows && chunk * 8 < headDim) {
      *reinterpret_cast<uint4*>(head_at(to, row + r, column + chunk * 8)) =
          *reinterpret_cast<const uint4*>(tile + swizzled<D / 8>(r, chunk));
    }
  }
}

/// Rows of one head as f32, [d][row] with rows `Stride` apart, so that a thread reads its neighbouring rows at once;
/// zero past the last row and the head's width.
template <int D, int Tile, int Stride, int Threads>
__device__ __forceinline__ void fill_transposed(
    float* to, const Operand& x, int64_t base, int64_t column, int rows, int headDim) {
  for (int i = static_cast<int>(threadIdx.x); i < Tile * D; i += Threads) {
    const int r = i / D;
    const int d = i % D;
    to[d * Stride + r] = r < rows && d < headDim ? load(x, base + r, column + d) : 0.f;
  }
}

/// s += the products of a thread's rows of two transposed tiles.
template <int Each, int Stride>
__device__ __forceinline__ void multiply_rows(float (&s)[Each][Each], const float* a, const float* b, int headDim) {
  const int tx = static_cast<int>(threadIdx.x) % 16;
  const int ty = static_cast<int>(threadIdx.x) / 16;
  for (int d = 0; d < headDim; d++) {
#pragma unroll
    for (int i = 0; i < Each; i++) {
      const float x = a[d * Stride + ty * Each + i];
#pragma unroll
      for (int j = 0; j < Each; j++) {
        s[i][j] = fmaf(x, b[d * Stride + tx * Each + j], s[i][j]);
      }
    }
  }
}

/// e^x of a logit less the log-sum-exp: where both are large, rounding may leave x above 0.
__device__ __forceinline__ float probability(float x) {
  return x != x ? x : x > 89.f ? kInfinity : x < -104.f ? 0.f : exp_in_range(x);
}

}  // namespace fovea
