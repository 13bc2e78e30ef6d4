// LayerNorm and RMSNorm, y = (x - mean) rstd weight + bias, over `groups` groups of `width` values in each row
// (dev.fovea.kernels.NormKernels). Variance is the mean of squared deviations: two passes over values held in
// registers. F32 or BF16, each operand as it likes; any width, any leading dimension.
//
// norm_forward_warp   width up to 1024: one warp per group, 4 values per lane and step in registers (32 at most);
//                     8 groups per block of 256 threads.
// norm_forward_block  any width: one block of 256 threads per group; the first 8192 values stay in registers, what a
//                     longer group has more is read again from L2.
// Shared memory: 32 bytes in the block form. Grid: one block per 8 groups, or per group.
// Bound: HBM, one read and one write of the matrix.
//
// Backward, dx = add + rstd (g - mean(g) - xhat mean(g xhat)) with g = dy weight. A block takes a stretch of groups,
// sums dy xhat and dy by column as it goes, and leaves one row of partial sums; norm_backward_finish adds these rows to
// the gradients of weight and bias in an order that the shape alone fixes.
//
// norm_backward_warp_128, _1024  width up to so much: one warp per group, 4 per block of 128 threads; xhat, dy and both
//                     sums in registers (4 or 32 values of each per lane). Warps meet in 4 KiB of shared memory.
// norm_backward_block_2048  one block of 256 threads per group, 8 values of each per thread in registers.
// norm_backward_block any width: xhat and dy are read twice (from L2), sums stay in the partial rows, where each column
//                     belongs to one thread.
// Grid: one block per stretch, 384 at most. Bound: HBM, every operand is read or written once.

#include <cstdint>

#include "operand.cuh"
#include "reduce.cuh"

using namespace fovea;

// limit norm_forward_*: 128 registers, 0 spilled bytes, 32 shared bytes
// limit norm_backward_warp_*: 168 registers, 0 spilled bytes, 4096 shared bytes
// limit norm_backward_block*: 80 registers, 0 spilled bytes, 32 shared bytes
// limit norm_backward_finish: 48 registers, 0 spilled bytes, 1024 shared bytes

struct NormArgs {
  Operand x;
  Operand weight;
  Operand bias;
  Operand y;
  /// [2, rows, groups]: means, then reciprocal deviations; or null.
  float* stats;
  int64_t rows;
  int32_t groups;
  int32_t width;
  float eps;
  int32_t centered;
};
static_assert(sizeof(NormArgs) == 4 * 24 + 32);

struct NormBackwardArgs {
  Operand x;
  Operand weight;
  Operand dy;
  Operand add;
  Operand dx;
  /// As forward wrote them.
  const float* stats;
  /// [blocks, 2, width]: sums of dy xhat, then of dy; or null.
  float* partial;
  int64_t rows;
  int64_t groupsPerBlock;
  int32_t groups;
  int32_t width;
  int32_t centered;
  int32_t reserved;
};
static_assert(sizeof(NormBackwardArgs) == 5 * 24 + 48);

struct NormFinishArgs {
  /// [count, 2, width]
  const float* partial;
  /// [width] each, added to; or null.
  float* dWeight;
  float* dBias;
  int32_t count;
  int32_t width;
};
static_assert(sizeof(NormFinishArgs) == 32);

namespace {

constexpr int kThreads = 256;
constexpr int kSteps = 8;

/// Writes four normalised values.
__device__ __forceinline__ void write(
    const NormArgs& args, int64_t row, int64_t column, int i, Quad x, float mean, float reciprocal) {
  const int count = args.width - i;
#pragma unroll
  for (int j = 0; j < 4; j++) {
    x.v[j] = (x.v[j] - mean) * reciprocal;
  }
  if (args.weight.data != nullptr) {
    const Quad w = load4(args.weight, 0, i, count);
#pragma unroll
    for (int j = 0; j < 4; j++) {
      x.v[j] *= w.v[j];
    }
  }
  if (args.bias.data != nullptr) {
    const Quad b = load4(args.bias, 0, i, count);
#pragma unroll
    for (int j = 0; j < 4; j++) {
      x.v[j] += b.v[j];
    }
  }
  store4(args.y, row, column + i, count, x);
}

__device__ __forceinline__ float sum(const Quad& x) { return (x.v[0] + x.v[1]) + (x.v[2] + x.v[3]); }

/// Squared deviations of the first `count` values.
__device__ __forceinline__ float squares(const Quad& x, float mean, int count) {
  float d[4];
#pragma unroll
  for (int j = 0; j < 4; j++) {
    d[j] = j < count ? x.v[j] - mean : 0.f;
  }
  return (d[0] * d[0] + d[1] * d[1]) + (d[2] * d[2] + d[3] * d[3]);
}

__device__ __forceinline__ void write_stats(const NormArgs& args, int64_t group, float mean, float reciprocal) {
  if (args.stats != nullptr) {
    args.stats[group] = mean;
    args.stats[args.rows * args.groups + group] = reciprocal;
  }
}

/// What one thread holds of a group: values i, i + 1, i + 2, i + 3 for i = 4 (index + step Stride).
template <int Stride>
struct Held {
  Quad x[kSteps];

  static __device__ __forceinline__ int first(int index, int step) { return 4 * (index + step * Stride); }

  __device__ __forceinline__ void read(const NormArgs& args, int64_t row, int64_t column, int index) {
#pragma unroll
    for (int s = 0; s < kSteps; s++) {
      const int i = first(index, s);
      x[s] = i < args.width ? load4(args.x, row, column + i, args.width - i) : Quad{};
    }
  }

  __device__ __forceinline__ float total() const {
    float result = 0.f;
#pragma unroll
    for (int s = 0; s < kSteps; s++) {
      result += sum(x[s]);
    }
    return result;
  }

  __device__ __forceinline__ float deviations(const NormArgs& args, int index, float mean) const {
    float result = 0.f;
#pragma unroll
    for (int s = 0; s < kSteps; s++) {
      result += squares(x[s], mean, args.width - first(index, s));
    }
    return result;
  }

  __device__ __forceinline__ void write_all(
      const NormArgs& args, int64_t row, int64_t column, int index, float mean, float reciprocal) const {
#pragma unroll
    for (int s = 0; s < kSteps; s++) {
      const int i = first(index, s);
      if (i < args.width) {
        write(args, row, column, i, x[s], mean, reciprocal);
      }
    }
  }
};

}  // namespace

extern "C" __global__ void __launch_bounds__(kThreads) norm_forward_warp(const __grid_constant__ NormArgs args) {
  const int64_t group = static_cast<int64_t>(blockIdx.x) * (kThreads / 32) + threadIdx.x / 32;
  if (group >= args.rows * args.groups) {
    return;
  }
  const int lane = static_cast<int>(threadIdx.x % 32);
  const int64_t row = group / args.groups;
  const int64_t column = group % args.groups * args.width;
  Held<32> held;
  held.read(args, row, column, lane);
  const float width = static_cast<float>(args.width);
  const float mean = args.centered ? warp_sum(held.total()) / width : 0.f;
  const float variance = warp_sum(held.deviations(args, lane, mean)) / width;
  const float reciprocal = 1.f / sqrtf(variance + args.eps);
  held.write_all(args, row, column, lane, mean, reciprocal);
  if (lane == 0) {
    write_stats(args, group, mean, reciprocal);
  }
}

extern "C" __global__ void __launch_bounds__(kThreads, 2) norm_forward_block(const __grid_constant__ NormArgs args) {
  __shared__ float scratch[kThreads / 32];
  const int64_t group = blockIdx.x;
  const int thread = static_cast<int>(threadIdx.x);
  const int64_t row = group / args.groups;
  const int64_t column = group % args.groups * args.width;
  Held<kThreads> held;
  held.read(args, row, column, thread);
  const int rest = 4 * (thread + kSteps * kThreads);

  float total = held.total();
  for (int i = rest; i < args.width && args.centered; i += 4 * kThreads) {
    total += sum(load4(args.x, row, column + i, args.width - i));
  }
  const float width = static_cast<float>(args.width);
  const float mean = args.centered ? block_sum<kThreads>(total, scratch) / width : 0.f;
  float deviations = held.deviations(args, thread, mean);
  for (int i = rest; i < args.width; i += 4 * kThreads) {
    deviations += squares(load4(args.x, row, column + i, args.width - i), mean, args.width - i);
  }
  const float variance = block_sum<kThreads>(deviations, scratch) / width;
  const float reciprocal = 1.f / sqrtf(variance + args.eps);
  held.write_all(args, row, column, thread, mean, reciprocal);
  for (int i = rest; i < args.width; i += 4 * kThreads) {
    write(args, row, column, i, load4(args.x, row, column + i, args.width - i), mean, reciprocal);
  }
  if (thread == 0) {
    write_stats(args, group, mean, reciprocal);
  }
}

namespace {

constexpr int kBackwardWarps = 4;

/// One group of the backward pass: where it lies and its statistics.
struct Group {
  int64_t row;
  int64_t column;
  float mean;
  float reciprocal;

  __device__ __forceinline__ Group(const NormBackwardArgs& args, int64_t group) {
    row = group / args.groups;
    column = group % args.groups * args.width;
    mean = args.centered ? args.stats[group] : 0.f;
    reciprocal = args.stats[args.rows * args.groups + group];
  }

  /// Four normalised values of x.
  __device__ __forceinline__ Quad normal(const NormBackwardArgs& args, int i) const {
    Quad x = load4(args.x, row, column + i, args.width - i);
#pragma unroll
    for (int j = 0; j < 4; j++) {
      x.v[j] = (x.v[j] - mean) * reciprocal;
    }
    return x;
  }
};

/// dy weight; zero past the width, as dy is there.
__device__ __forceinline__ Quad weighted(const NormBackwardArgs& args, int i, Quad dy) {
  if (args.weight.data != nullptr) {
    const Quad w = load4(args.weight, 0, i, args.width - i);
#pragma unroll
    for (int j = 0; j < 4; j++) {
      dy.v[j] *= w.v[j];
    }
  }
  return dy;
}

__device__ __forceinline__ float dot(const Quad& a, const Quad& b) {
  return (a.v[0] * b.v[0] + a.v[1] * b.v[1]) + (a.v[2] * b.v[2] + a.v[3] * b.v[3]);
}

/// Writes four values of dx.
__device__ __forceinline__ void write_gradient(const NormBackwardArgs& args, const Group& at, int i, const Quad& normal,
    const Quad& dy, float meanG, float meanGx) {
  const int count = args.width - i;
  Quad g = weighted(args, i, dy);
#pragma unroll
  for (int j = 0; j < 4; j++) {
    g.v[j] = at.reciprocal * (g.v[j] - meanG - normal.v[j] * meanGx);
  }
  if (args.add.data != nullptr) {
    const Quad a = load4(args.add, at.row, at.column + i, count);
#pragma unroll
    for (int j = 0; j < 4; j++) {
      g.v[j] += a.v[j];
    }
  }
  store4(args.dx, at.row, at.column + i, count, g);
}

/// What one thread holds: of the group at hand, and of its columns' sums.
template <int Stride, int Steps>
struct HeldGradient {
  Quad normal[Steps];
  Quad dy[Steps];
  Quad sumX[Steps] = {};
  Quad sum[Steps] = {};

  static __device__ __forceinline__ int first(int index, int step) { return 4 * (index + step * Stride); }

  /// Reads a group, adds it to the sums of its columns; gives this thread's part of sum g and sum g xhat.
  __device__ __forceinline__ float2 read(const NormBackwardArgs& args, const Group& at, int index) {
#pragma unroll
    for (int s = 0; s < Steps; s++) {
      const int i = first(index, s);
      normal[s] = i < args.width ? at.normal(args, i) : Quad{};
      dy[s] = i < args.width ? load4(args.dy, at.row, at.column + i, args.width - i) : Quad{};
    }
    float2 part = make_float2(0.f, 0.f);
#pragma unroll
    for (int s = 0; s < Steps; s++) {
      const int i = first(index, s);
      if (i < args.width) {
        const Quad g = weighted(args, i, dy[s]);
        part.x += (g.v[0] + g.v[1]) + (g.v[2] + g.v[3]);
        part.y += dot(g, normal[s]);
#pragma unroll
        for (int j = 0; j < 4; j++) {
          sumX[s].v[j] = fmaf(dy[s].v[j], normal[s].v[j], sumX[s].v[j]);
          sum[s].v[j] += dy[s].v[j];
        }
      }
    }
    return part;
  }

  __device__ __forceinline__ void write(
      const NormBackwardArgs& args, const Group& at, int index, float sumG, float sumGx) const {
    const float width = static_cast<float>(args.width);
    const float meanG = args.centered ? sumG / width : 0.f;
    const float meanGx = sumGx / width;
#pragma unroll
    for (int s = 0; s < Steps; s++) {
      const int i = first(index, s);
      if (i < args.width) {
        write_gradient(args, at, i, normal[s], dy[s], meanG, meanGx);
      }
    }
  }
};

/// The groups of this block: [first, end).
struct Stretch {
  int64_t first;
  int64_t end;

  __device__ __forceinline__ explicit Stretch(const NormBackwardArgs& args) {
    first = static_cast<int64_t>(blockIdx.x) * args.groupsPerBlock;
    const int64_t groups = args.rows * args.groups;
    end = first + args.groupsPerBlock < groups ? first + args.groupsPerBlock : groups;
  }
};

template <int Steps>
__device__ __forceinline__ void backward_by_warp(const NormBackwardArgs& args) {
  __shared__ float4 sums[2][kBackwardWarps][32];
  const int lane = static_cast<int>(threadIdx.x % 32);
  const int warp = static_cast<int>(threadIdx.x / 32);
  const Stretch stretch(args);
  HeldGradient<32, Steps> held;
  for (int64_t group = stretch.first + warp; group < stretch.end; group += kBackwardWarps) {
    const Group at(args, group);
    const float2 part = held.read(args, at, lane);
    const float sumG = args.centered ? warp_sum(part.x) : 0.f;
    held.write(args, at, lane, sumG, warp_sum(part.y));
  }
  if (args.partial == nullptr) {
    return;
  }
  float* to = args.partial + static_cast<int64_t>(blockIdx.x) * 2 * args.width;
  const int column = static_cast<int>(threadIdx.x);
#pragma unroll
  for (int s = 0; s < Steps; s++) {
    const Quad& x = held.sumX[s];
    const Quad& y = held.sum[s];
    sums[0][warp][lane] = make_float4(x.v[0], x.v[1], x.v[2], x.v[3]);
    sums[1][warp][lane] = make_float4(y.v[0], y.v[1], y.v[2], y.v[3]);
    __syncthreads();
    if (s * 128 + column < args.width) {
#pragma unroll
      for (int kind = 0; kind < 2; kind++) {
        const float* values = reinterpret_cast<const float*>(sums[kind]);
        float total = values[column];
        for (int w = 1; w < kBackwardWarps; w++) {
          total += values[w * 128 + column];
        }
        to[kind * args.width + s * 128 + column] = total;
      }
    }
    __syncthreads();
  }
}

}  // namespace

extern "C" __global__ void __launch_bounds__(kBackwardWarps * 32)
    norm_backward_warp_128(const __grid_constant__ NormBackwardArgs args) {
  backward_by_warp<1>(args);
}

extern "C" __global__ void __launch_bounds__(kBackwardWarps * 32)
    norm_backward_warp_1024(const __grid_constant__ NormBackwardArgs args) {
  backward_by_warp<8>(args);
}

extern "C" __global__ void __launch_bounds__(kThreads, 3)
    norm_backward_block_2048(const __grid_constant__ NormBackwardArgs args) {
  __shared__ float scratch[kThreads / 32];
  const int thread = static_cast<int>(threadIdx.x);
  const Stretch stretch(args);
  HeldGradient<kThreads, 2> held;
  for (int64_t group = stretch.first; group < stretch.end; group++) {
    const Group at(args, group);
    const float2 part = held.read(args, at, thread);
    const float sumG = args.centered ? block_sum<kThreads>(part.x, scratch) : 0.f;
    held.write(args, at, thread, sumG, block_sum<kThreads>(part.y, scratch));
  }
  if (args.partial == nullptr) {
    return;
  }
  float* to = args.partial + static_cast<int64_t>(blockIdx.x) * 2 * args.width;
#pragma unroll
  for (int s = 0; s < 2; s++) {
    const int i = held.first(thread, s);
#pragma unroll
    for (int j = 0; j < 4; j++) {
      if (i + j < args.width) {
        to[i + j] = held.sumX[s].v[j];
        to[args.width + i + j] = held.sum[s].v[j];
      }
    }
  }
}

extern "C" __global__ void __launch_bounds__(kThreads)
    norm_backward_block(const __grid_constant__ NormBackwardArgs args) {
  __shared__ float scratch[kThreads / 32];
  const int first = 4 * static_cast<int>(threadIdx.x);
  constexpr int kStep = 4 * kThreads;
  const Stretch stretch(args);
  float* sums = args.partial == nullptr ? nullptr : args.partial + static_cast<int64_t>(blockIdx.x) * 2 * args.width;
  const float width = static_cast<float>(args.width);
  for (int64_t group = stretch.first; group < stretch.end; group++) {
    const Group at(args, group);
    float sumG = 0.f;
    float sumGx = 0.f;
    for (int i = first; i < args.width; i += kStep) {
      const Quad g = weighted(args, i, load4(args.dy, at.row, at.column + i, args.width - i));
      sumG += (g.v[0] + g.v[1]) + (g.v[2] + g.v[3]);
      sumGx += dot(g, at.normal(args, i));
    }
    const float meanG = args.centered ? block_sum<kThreads>(sumG, scratch) / width : 0.f;
    const float meanGx = block_sum<kThreads>(sumGx, scratch) / width;
    for (int i = first; i < args.width; i += kStep) {
      const Quad normal = at.normal(args, i);
      const Quad dy = load4(args.dy, at.row, at.column + i, args.width - i);
      const bool fresh = group == stretch.first;
#pragma unroll
      for (int j = 0; j < 4; j++) {
        if (sums != nullptr && i + j < args.width) {
          sums[i + j] = fmaf(dy.v[j], normal.v[j], fresh ? 0.f : sums[i + j]);
          sums[args.width + i + j] = dy.v[j] + (fresh ? 0.f : sums[args.width + i + j]);
        }
      }
      write_gradient(args, at, i, normal, dy, meanG, meanGx);
    }
  }
}

/// Adds the rows of partial sums to the gradient of the weight (y = 0) or of the bias (y = 1): a block takes 32 columns,
/// a warp every eighth row.
extern "C" __global__ void __launch_bounds__(kThreads)
    norm_backward_finish(const __grid_constant__ NormFinishArgs args) {
  __shared__ float sums[kThreads / 32][32];
  float* to = blockIdx.y == 0 ? args.dWeight : args.dBias;
  if (to == nullptr) {
    return;
  }
  const int lane = static_cast<int>(threadIdx.x % 32);
  const int warp = static_cast<int>(threadIdx.x / 32);
  const int column = static_cast<int>(blockIdx.x) * 32 + lane;
  float sum = 0.f;
  if (column < args.width) {
    const float* from = args.partial + blockIdx.y * args.width + column;
    for (int r = warp; r < args.count; r += kThreads / 32) {
      sum += from[static_cast<int64_t>(r) * 2 * args.width];
    }
  }
  sums[warp][lane] = sum;
  __syncthreads();
  if (warp == 0 && column < args.width) {
    for (int w = 1; w < kThreads / 32; w++) {
      sum += sums[w][lane];
    }
    to[column] += sum;
  }
}
