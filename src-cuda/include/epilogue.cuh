// What happens to a tile of a product between its accumulators and global memory: the steps of
// dev.fovea.kernels.Gemm, in its order. A tile comes in slabs of f32 rows in shared memory, so that this file knows
// nothing about who multiplied.
#pragma once

#include <cstdint>

#include "arrive.cuh"
#include "math.cuh"
#include "operand.cuh"
#include "reduce.cuh"

namespace fovea {

/// The epilogue of dev.fovea.kernels.Gemm. Absent operands have no data.
struct Epilogue {
  Operand c;
  Operand c2;
  Operand bias;
  Operand bias2;
  Operand pre;
  Operand saved;
  Operand columnScale;
  Operand residual;
  Operand queryWeight;
  Operand queryBias;
  Operand keyWeight;
  Operand keyBias;
  float* queryStats;
  float* keyStats;
  const float* rowScale;
  /// [row tiles, n]: each tile's sums of its columns, which the last tile of a column of tiles adds up in order.
  float* sums;
  /// One for each column of tiles, zero before and after.
  uint32_t* counters;
  /// [sumColumns] or none.
  Sums columnSums;
  float alpha;
  float eps;
  int32_t accumulate;
  int32_t splitN;
  int32_t biasColumns;
  int32_t preColumns;
  int32_t roundedColumns;
  int32_t roundedType;
  int32_t activation;
  int32_t activationColumns;
  int32_t heads;
  int32_t headDim;
  int32_t centered;
  int32_t rowsPerScale;
  /// First column of the queries.
  int32_t headsBegin;
  int32_t sumColumns;
  /// The first column of the right half of a gated product, or 0.
  int32_t gate;
  int32_t reserved;
};
static_assert(sizeof(Epilogue) == 12 * 24 + 5 * 8 + 16 + 18 * 4);

/// The columns [first, first + count) of one tile. Tiles of queries and keys hold whole heads.
struct TileColumns {
  int first;
  int count;
  bool heads;
};

/// The columns of tile `index`: up to the queries in steps of `Width`, then whole heads, then the rest.
template <int Width>
__device__ __forceinline__ TileColumns tile_columns(const Epilogue& e, int n, int index) {
  if (e.heads == 0) {
    return {index * Width, min(Width, n - index * Width), false};
  }
  const int before = (e.headsBegin + Width - 1) / Width;
  if (index < before) {
    return {index * Width, min(Width, e.headsBegin - index * Width), false};
  }
  const int width = Width / e.headDim * e.headDim;
  const int end = e.headsBegin + 2 * e.heads * e.headDim;
  const int within = (end - e.headsBegin + width - 1) / width;
  if (index < before + within) {
    const int first = e.headsBegin + (index - before) * width;
    return {first, min(width, end - first), true};
  }
  const int first = end + (index - before - within) * Width;
  return {first, min(Width, n - first), false};
}

/// Rows of a slab, and how far apart they lie in shared memory: 8 more than a tile's width, so that the accumulators'
/// pairs of columns in eight rows fall on different banks.
constexpr int kSlabRows = 64;

template <int Width>
constexpr int kSlabStride = Width + 8;

namespace epilogue {

/// The first row of a slab that a thread takes, one thread for four columns; none if the threads that are left over
/// make no whole row.
template <int Width, int Threads>
__device__ __forceinline__ int first_row() {
  constexpr int kLanes = Width / 4;
  const int row = static_cast<int>(threadIdx.x) / kLanes;
  return Threads % kLanes == 0 || row < Threads / kLanes ? row : INT32_MAX / 2;
}

/// Columns of C may lie in two matrices.
__device__ __forceinline__ Quad load_c(const Epilogue& e, int64_t row, int column, int count) {
  if (column + count <= e.splitN) {
    return load4(e.c, row, column, count);
  }
  if (column >= e.splitN) {
    return load4(e.c2, row, column - e.splitN, count);
  }
  Quad q;
#pragma unroll
  for (int j = 0; j < 4; j++) {
    const int c = column + j;
    q.v[j] = j >= count ? 0.f : c < e.splitN ? load(e.c, row, c) : load(e.c2, row, c - e.splitN);
  }
  return q;
}

__device__ __forceinline__ void store_c(const Epilogue& e, int64_t row, int column, int count, const Quad& q) {
  if (column + count <= e.splitN) {
    store4(e.c, row, column, count, q);
    return;
  }
  if (column >= e.splitN) {
    store4(e.c2, row, column - e.splitN, count, q);
    return;
  }
#pragma unroll
  for (int j = 0; j < 4; j++) {
    const int c = column + j;
    if (j < count && c < e.splitN) {
      store(e.c, row, c, q.v[j]);
    } else if (j < count) {
      store(e.c2, row, c - e.splitN, q.v[j]);
    }
  }
}

/// q += a vector's values.
__device__ __forceinline__ void add4(const Operand& vector, int column, int count, Quad& q) {
  const Quad b = load4(vector, 0, column, count);
#pragma unroll
  for (int j = 0; j < 4; j++) {
    q.v[j] += b.v[j];
  }
}

/// Step 4 for the first `active` of four values. One copy of the functions' code, run four times: the values move round
/// through registers.
__device__ __forceinline__ void activate_first(const Epilogue& e, int64_t row, int column, int active, Quad& q) {
  const bool gradient = e.saved.data != nullptr;
  Quad s = gradient ? load4(e.saved, row, column, active) : q;
#pragma unroll 1
  for (int j = 0; j < 4; j++) {
    const float x = s.v[0];
    const float v = q.v[0];
    const float y = gradient ? v * activation_slope(e.activation, x) : activate(e.activation, x);
    s = {{s.v[1], s.v[2], s.v[3], 0.f}};
    q = {{q.v[1], q.v[2], q.v[3], j < active ? y : v}};
  }
}

/// Steps 1 to 4: what stands in C, bias, rounding, the value before the activation, the activation or its slope.
__device__ __forceinline__ void until_activation(const Epilogue& e, int64_t row, int column, int count, Quad& q) {
#pragma unroll
  for (int j = 0; j < 4; j++) {
    q.v[j] *= e.alpha;
  }
  if (e.accumulate) {
    const Quad c = load_c(e, row, column, count);
#pragma unroll
    for (int j = 0; j < 4; j++) {
      q.v[j] += c.v[j];
    }
  }
  if (column < e.biasColumns) {
    add4(e.bias, column, min(count, e.biasColumns - column), q);
    if (e.bias2.data != nullptr) {
      add4(e.bias2, column, min(count, e.biasColumns - column), q);
    }
  }
  if (column < e.roundedColumns && e.roundedType == kBf16) {
#pragma unroll
    for (int j = 0; j < 4; j++) {
      q.v[j] = column + j < e.roundedColumns ? round_bf16(q.v[j]) : q.v[j];
    }
  }
  if (column < e.preColumns) {
    store4(e.pre, row, column, min(count, e.preColumns - column), q);
  }
  if (column < e.activationColumns) {
    activate_first(e, row, column, min(count, e.activationColumns - column), q);
  }
}

/// Steps 6 to 9: scales, residual, C; adds to the sums of the columns.
__device__ __forceinline__ void until_stored(
    const Epilogue& e, int64_t row, int column, int count, Quad& q, Quad& sums) {
  if (e.columnScale.data != nullptr) {
    const Quad s = load4(e.columnScale, 0, column, count);
#pragma unroll
    for (int j = 0; j < 4; j++) {
      q.v[j] *= s.v[j];
    }
  }
  if (e.rowScale != nullptr) {
    const float s = e.rowScale[row / e.rowsPerScale];
#pragma unroll
    for (int j = 0; j < 4; j++) {
      q.v[j] *= s;
    }
  }
  if (e.residual.data != nullptr) {
    const Quad r = load4(e.residual, row, column, count);
#pragma unroll
    for (int j = 0; j < 4; j++) {
      q.v[j] += r.v[j];
    }
  }
  store_c(e, row, column, count, q);
#pragma unroll
  for (int j = 0; j < 4; j++) {
    sums.v[j] += q.v[j];
  }
}

/// Step 5: one warp normalises one head of one row in place.
__device__ __forceinline__ void normalize_head(const Epilogue& e, float* head, int64_t row, int64_t m, int index) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  const bool key = index >= e.heads;
  float sum = 0.f;
  for (int j = lane; j < e.headDim; j += 32) {
    sum += head[j];
  }
  const float mean = e.centered ? warp_sum(sum) / static_cast<float>(e.headDim) : 0.f;
  float squares = 0.f;
  for (int j = lane; j < e.headDim; j += 32) {
    const float x = head[j] - mean;
    squares += x * x;
  }
  const float reciprocal = 1.f / sqrtf(warp_sum(squares) / static_cast<float>(e.headDim) + e.eps);
  const Operand& weight = key ? e.keyWeight : e.queryWeight;
  const Operand& bias = key ? e.keyBias : e.queryBias;
  for (int j = lane; j < e.headDim; j += 32) {
    head[j] = (head[j] - mean) * reciprocal * load(weight, 0, j) + (bias.data == nullptr ? 0.f : load(bias, 0, j));
  }
  float* stats = key ? e.keyStats : e.queryStats;
  if (stats != nullptr && lane == 0) {
    const int64_t at = row * e.heads + (key ? index - e.heads : index);
    stats[at] = mean;
    stats[m * e.heads + at] = reciprocal;
  }
}

}  // namespace epilogue

/// Brings rows [row, row + rows) of columns [first, end) of a matrix into L2.
template <int Threads>
__device__ __forceinline__ void prefetch_part(const Operand& m, int64_t row, int rows, int first, int end) {
  constexpr int kLine = 128;
  if (m.data == nullptr || first >= end) {
    return;
  }
  const int bytes = m.type == kF32 ? 4 : 2;
  const int lines = ((end - first) * bytes + kLine - 1) / kLine;
  for (int i = static_cast<int>(threadIdx.x); i < rows * lines; i += Threads) {
    const char* from = static_cast<const char*>(m.data) + ((row + i / lines) * m.ld + first) * bytes;
    prefetch(from + i % lines * kLine);
  }
}

/// Brings what the epilogue of a tile reads once into L2, while its product is being made: a row of a slab waits for
/// what it reads, and no further ahead than from L2 then.
template <int Threads>
__device__ __forceinline__ void prefetch_tile(const Epilogue& e, int64_t row, int rows, int first, int end) {
  prefetch_part<Threads>(e.residual, row, rows, first, end);
  prefetch_part<Threads>(e.saved, row, rows, first, min(end, e.activationColumns));
  if (e.accumulate && end <= e.splitN) {
    prefetch_part<Threads>(e.c, row, rows, first, end);
  }
}

/// Takes `rows` rows of a slab, the first of them row `row` of C, through the epilogue. The slab must be complete
/// (barrier before); it may be overwritten after the next barrier. A thread keeps to its four columns, whose sums it
/// adds to `sums`. Tiles of queries and keys take two passes, with the heads' normalisation between them. `Barrier` is
/// sync_team's, here and below.
template <int Width, int Threads, int Barrier = 0>
__device__ __forceinline__ void finish_slab(
    const Epilogue& e, const TileColumns& tile, float* slab, int64_t row, int rows, int64_t m, Quad& sums) {
  constexpr int kLanes = Width / 4;
  const int offset = static_cast<int>(threadIdx.x) % kLanes * 4;
  const int first = epilogue::first_row<Width, Threads>();
  const int column = tile.first + offset;
  const int count = min(4, tile.count - offset);
  const int passes = tile.heads ? 2 : 1;
#pragma unroll 1
  for (int pass = 0; pass < passes; pass++) {
#pragma unroll 1
    for (int r = first; r < rows && count > 0; r += Threads / kLanes) {
      float4* at = reinterpret_cast<float4*>(slab + r * kSlabStride<Width> + offset);
      Quad q = {{at->x, at->y, at->z, at->w}};
      if (pass == 0) {
        epilogue::until_activation(e, row + r, column, count, q);
      }
      if (pass + 1 < passes) {
        *at = make_float4(q.v[0], q.v[1], q.v[2], q.v[3]);
      } else {
        epilogue::until_stored(e, row + r, column, count, q, sums);
      }
    }
    if (pass + 1 < passes) {
      sync_team<Threads, Barrier>();
      const int heads = tile.count / e.headDim;
      const int head = (tile.first - e.headsBegin) / e.headDim;
      for (int i = static_cast<int>(threadIdx.x) / 32; i < rows * heads; i += Threads / 32) {
        const int r = i / heads;
        const int h = i % heads;
        epilogue::normalize_head(e, slab + r * kSlabStride<Width> + h * e.headDim, row + r, m, head + h);
      }
      sync_team<Threads, Barrier>();
    }
  }
}

/// As finish_slab for a gated product: of a tile, the left half has the columns that `tile` says and the right half
/// those `gate` further on. Both stop before they meet in C.
template <int Width, int Threads, int Barrier = 0>
__device__ __forceinline__ void finish_gated_slab(
    const Epilogue& e, const TileColumns& tile, float* slab, int64_t row, int rows) {
  constexpr int kLanes = Width / 4;
  const int lane = static_cast<int>(threadIdx.x) % kLanes;
  const bool right = lane >= kLanes / 2;
  const int offset = lane % (kLanes / 2) * 4;
  const int count = min(4, tile.count - offset);
#pragma unroll 1
  for (int r = epilogue::first_row<Width, Threads>(); r < rows && count > 0; r += Threads / kLanes) {
    float4* at = reinterpret_cast<float4*>(slab + r * kSlabStride<Width>) + lane;
    Quad q = {{at->x, at->y, at->z, at->w}};
    epilogue::until_activation(e, row + r, tile.first + offset + (right ? e.gate : 0), count, q);
    *at = make_float4(q.v[0], q.v[1], q.v[2], q.v[3]);
  }
  sync_team<Threads, Barrier>();
  for (int i = static_cast<int>(threadIdx.x); i < rows * (kLanes / 2); i += Threads) {
    const int r = i / (kLanes / 2);
    const int c = i % (kLanes / 2);
    const float4* at = reinterpret_cast<const float4*>(slab + r * kSlabStride<Width>) + c;
    const float4 a = at[0];
    const float4 b = at[kLanes / 2];
    if (c * 4 < tile.count) {
      const Quad q = {{mul(a.x, b.x), mul(a.y, b.y), mul(a.z, b.z), mul(a.w, b.w)}};
      store4(e.c, row + r, tile.first + c * 4, min(4, tile.count - c * 4), q);
    }
  }
}

/// Adds up what the threads summed of each column, and writes it to row `tile.x` of the partial sums; the last of the
/// `rowTiles` tiles one below the other adds these up.
template <int Width, int Threads, int Barrier = 0>
__device__ __forceinline__ void finish_sums(const Epilogue& e, int2 tile, const TileColumns& columns, float* scratch,
    int rowTiles, int64_t n, const Quad& sums) {
  if (e.columnSums.data == nullptr) {
    return;
  }
  constexpr int kLanes = Width / 4;
  sync_team<Threads, Barrier>();
  reinterpret_cast<float4*>(scratch)[threadIdx.x] = make_float4(sums.v[0], sums.v[1], sums.v[2], sums.v[3]);
  sync_team<Threads, Barrier>();
  for (int c = static_cast<int>(threadIdx.x); c < columns.count; c += Threads) {
    float sum = scratch[c];
    for (int i = 1; i < Threads / kLanes; i++) {
      sum += scratch[i * Width + c];
    }
    e.sums[tile.x * n + columns.first + c] = sum;
  }
  if (!is_last<Threads, Barrier>(e.counters + tile.y, rowTiles)) {
    return;
  }
  const int count = min(columns.count, e.sumColumns - columns.first);
  for (int c = static_cast<int>(threadIdx.x); c < count; c += Threads) {
    const float* from = e.sums + columns.first + c;
    float sum = from[0];
#pragma unroll 8
    for (int i = 1; i < rowTiles; i++) {
      sum += from[i * n];
    }
    e.columnSums.put(columns.first + c, sum);
  }
}

}  // namespace fovea
