// LayerNorm and RMSNorm, y = (x - mean) rstd weight + bias, over `groups` groups of `width` values in each row
// (dev.fovea.kernels.NormKernels). Variance is the mean of squared deviations: two passes over values held in
// registers. F32 or BF16, each operand as it likes; any width, any leading dimension.
//
// norm_forward_warp   width up to 1024: one warp per group, 4 values per lane and step in registers (32 at most);
//                     8 groups per block of 256 threads.
// norm_forward_block  any width: one block of 256 threads per group; the first 8192 values stay in registers, what a
//                     longer group has more is read again from L2.
// 64 registers, in the block form up to 88 and 32 bytes of shared memory. Grid: one block per 8 groups, or per group.
// Bound: HBM, one read and one write of the matrix.

#include <cstdint>

#include "operand.cuh"
#include "reduce.cuh"

using namespace fovea;

// limit norm_forward_warp: 64 registers, 0 spilled bytes, 0 shared bytes
// limit norm_forward_block: 88 registers, 0 spilled bytes, 32 shared bytes

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
    if (is_packed(args.x, args.width)) {
      uint2 pairs[kSteps];
#pragma unroll
      for (int s = 0; s < kSteps; s++) {
        pairs[s] = load_pairs(args.x, row, column, first(index, s), args.width);
      }
#pragma unroll
      for (int s = 0; s < kSteps; s++) {
        x[s] = widened(pairs[s]);
      }
      return;
    }
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
