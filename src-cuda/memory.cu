// Filling and copying: what memory operations of the driver do not do.
//
// fill_BITS       a pattern of so many bits over a count: blocks of 256 threads, grid-stride. Up to 24 registers.
// copy_rows_BITS  rows of one leading dimension to another, in units of so many bits, as large as addresses and strides
//                 allow: a block of X x Y threads takes Y rows. Up to 24 registers.
// No shared memory. Bound: HBM.

#include <cstdint>

/// Sets count elements of one size to the same bits.
struct FillArgs {
  void *x;
  int64_t count;
  uint64_t bits;
};
static_assert(sizeof(FillArgs) == 24);

// limit fill_*: 24 registers, 0 spilled bytes, 0 shared bytes

template <typename T>
__device__ void fill(const FillArgs &args) {
  T *x = static_cast<T *>(args.x);
  const T value = static_cast<T>(args.bits);
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < args.count; i += step) {
    x[i] = value;
  }
}

extern "C" __global__ void fill_8(const __grid_constant__ FillArgs args) { fill<uint8_t>(args); }
extern "C" __global__ void fill_16(const __grid_constant__ FillArgs args) { fill<uint16_t>(args); }
extern "C" __global__ void fill_32(const __grid_constant__ FillArgs args) { fill<uint32_t>(args); }
extern "C" __global__ void fill_64(const __grid_constant__ FillArgs args) { fill<uint64_t>(args); }

/// Copies rows of columns elements of one size between matrices with leading dimensions of their own.
struct CopyRowsArgs {
  const void *x;
  void *y;
  int64_t rows;
  int64_t ldx;
  int64_t ldy;
  int64_t columns;
};
static_assert(sizeof(CopyRowsArgs) == 48);

// limit copy_rows_*: 24 registers, 0 spilled bytes, 0 shared bytes

template <typename T>
__device__ void copy_rows(const CopyRowsArgs &args) {
  const T *x = static_cast<const T *>(args.x);
  T *y = static_cast<T *>(args.y);
  for (int64_t row = blockIdx.x; row < args.rows; row += gridDim.x) {
    for (int64_t column = threadIdx.x; column < args.columns; column += blockDim.x) {
      y[row * args.ldy + column] = x[row * args.ldx + column];
    }
  }
}

extern "C" __global__ void copy_rows_8(const __grid_constant__ CopyRowsArgs args) { copy_rows<uint8_t>(args); }
extern "C" __global__ void copy_rows_16(const __grid_constant__ CopyRowsArgs args) { copy_rows<uint16_t>(args); }
extern "C" __global__ void copy_rows_32(const __grid_constant__ CopyRowsArgs args) { copy_rows<uint32_t>(args); }
extern "C" __global__ void copy_rows_64(const __grid_constant__ CopyRowsArgs args) { copy_rows<uint64_t>(args); }
extern "C" __global__ void copy_rows_128(const __grid_constant__ CopyRowsArgs args) { copy_rows<uint4>(args); }
