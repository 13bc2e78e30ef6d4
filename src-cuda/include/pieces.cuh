// Launches over many tensors: a table of pieces in the argument, each with the number of its first block.
#pragma once

#include <cstdint>

namespace fovea {

/// The piece that a block works on: the last whose first block is not after it. Pieces without elements have none.
template <typename Piece>
__device__ __forceinline__ int piece_of(const Piece* pieces, int count, int32_t Piece::* first) {
  const int block = static_cast<int>(blockIdx.x);
  int low = 0;
  int high = count - 1;
  while (low < high) {
    const int middle = (low + high + 1) / 2;
    if (pieces[middle].*first <= block) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

}  // namespace fovea
