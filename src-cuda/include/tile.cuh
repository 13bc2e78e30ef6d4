// Tiles of bf16 matrices in shared memory: rows of 16-byte chunks, swizzled so that neither ldmatrix nor the copies
// that fill them meet a bank conflict.
#pragma once

#include <cstdint>

#include "operand.cuh"
#include "ptx.cuh"

namespace fovea {

/// How many low bits of a chunk's number take part in the swizzle of rows of `Chunks` chunks, as a power of 2.
template <int Chunks>
constexpr int kSwizzle = Chunks % 8 == 0 ? 8 : Chunks % 4 == 0 ? 4 : Chunks % 2 == 0 ? 2 : 1;

/// Where chunk `chunk` of row `row` lies, in bytes, in a tile whose rows have `Chunks` chunks of 16 bytes: the chunk's
/// low bits are XORed with the row, so that a column of eight rows touches all eight 16-byte bank groups.
template <int Chunks>
__device__ __forceinline__ uint32_t swizzled(int row, int chunk) {
  constexpr int kCommon = kSwizzle<Chunks>;
  constexpr int kShift = kCommon == 8 ? 0 : kCommon == 4 ? 1 : kCommon == 2 ? 2 : 3;
  return static_cast<uint32_t>(row * Chunks + (chunk ^ ((row >> kShift) & (kCommon - 1)))) * 16u;
}

/// A lane's places in a swizzled tile: at rows a multiple of 16 further down and pairs of chunks further right than a
/// first one. What the swizzle does to a pair depends on its place among the first few only, so that these few offsets
/// are kept and the rest are constants in the instruction.
template <int Chunks>
struct LanePlaces {
  static constexpr int kKept = kSwizzle<Chunks> / 2;
  uint32_t at[kKept];

  /// The lane's first place; `chunk` must be below 2 or a multiple of 4 pairs and a bit.
  __device__ __forceinline__ LanePlaces(int row, int chunk) {
#pragma unroll
    for (int i = 0; i < kKept; i++) {
      at[i] = swizzled<Chunks>(row, chunk + 2 * i);
    }
  }

  /// Bytes to `rows` (a multiple of 16) further down and `pair` pairs further right.
  __device__ __forceinline__ uint32_t operator()(int rows, int pair) const {
    return at[pair % kKept] + static_cast<uint32_t>((rows * Chunks + pair / kKept * kSwizzle<Chunks>) * 16);
  }
};

/// Eight neighbouring bf16 of which only `count` are there, whatever their address; the others are zero.
__device__ __forceinline__ uint4 gather8(const uint16_t* from, int count) {
  uint32_t words[4];
#pragma unroll
  for (int i = 0; i < 4; i++) {
    const uint32_t low = 2 * i < count ? from[2 * i] : 0u;
    const uint32_t high = 2 * i + 1 < count ? from[2 * i + 1] : 0u;
    words[i] = low | high << 16;
  }
  return make_uint4(words[0], words[1], words[2], words[3]);
}

/// Fills a tile of [Rows][Chunks * 8] bf16 from rows [row, ..) and columns [column, ..) of a matrix; what lies at or
/// past `rows` or `columns` becomes zero and is not read. `Aligned` says that every row begins on 16 bytes and that
/// `column` is a multiple of 8: the copy is asynchronous then. Otherwise elements are read one by one.
template <int Rows, int Chunks, int Threads, bool Aligned>
__device__ __forceinline__ void fill_tile(
    uint8_t* tile, const uint16_t* matrix, int64_t ld, int row, int rows, int column, int columns) {
  static_assert(Rows * Chunks % Threads == 0);
  constexpr int kStep = Threads / Chunks;
  const int thread = static_cast<int>(threadIdx.x);
#pragma unroll
  for (int i = 0; i < Rows * Chunks / Threads; i++) {
    // Where whole rows of threads fit, a thread keeps to its column; and the swizzle repeats after eight rows.
    constexpr bool kSteady = Threads % Chunks == 0;
    const int r = kSteady ? thread / Chunks + i * kStep : (i * Threads + thread) / Chunks;
    const int chunk = kSteady ? thread % Chunks : (i * Threads + thread) % Chunks;
    const uint32_t to = kSteady && kStep % 8 == 0 ? swizzled<Chunks>(thread / Chunks, chunk) + i * kStep * Chunks * 16
                                                  : swizzled<Chunks>(r, chunk);
    const int count = row + r < rows ? min(max(columns - column - chunk * 8, 0), 8) : 0;
    const uint16_t* first = kSteady ? matrix + (row + thread / Chunks) * ld + (column + chunk * 8) + i * kStep * ld
                                    : matrix + (row + r) * ld + (column + chunk * 8);
    const uint16_t* from = count > 0 ? first : matrix;
    if constexpr (Aligned) {
      cp_async_16(shared_address(tile) + to, from, 2 * count);
    } else {
      *reinterpret_cast<uint4*>(tile + to) = gather8(from, count);
    }
  }
}

}  // namespace fovea
