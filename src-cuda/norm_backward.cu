// The gradient of LayerNorm and RMSNorm, dx = add + rstd (g - mean(g) - xhat mean(g xhat)) with g = dy weight, over
// `groups` groups of `width` values in each row, and the gradients of weight and bias (dev.fovea.kernels.NormKernels).
// F32 or BF16, each operand as it likes; any width, any leading dimension. All in one launch, also for two norms side
// by side, as queries and keys have them (grid y).
//
// A block takes a stretch of groups, sums dy xhat and dy by column as it goes, and leaves one row of partial sums.
// These rows become the gradients in two rounds: the block that finishes last in a set of neighbouring blocks adds up
// the set's rows, and the one that does so last adds up the sets'. Who is last varies from run to run, the order of the
// sums does not: the shape alone fixes it.
//
// norm_backward_warp_128, _1024  width up to so much: one warp per group, 4 per block of 128 threads; xhat, dy and both
//                     sums in registers (4 or 32 values of each per lane; up to 56 or 168 registers). Warps meet in 4
//                     KiB of shared memory.
// norm_backward_block_2048  one block of 256 threads per group, 8 values of each per thread in registers, up to 80.
// norm_backward_block any width: xhat and dy are read twice (from L2), sums stay in the partial rows, where each column
//                     belongs to one thread. Up to 56 registers; 32 bytes of shared memory in both block forms.
// Grid: one block per stretch, 384 at most. Bound: HBM, every operand is read or written once.

#include <cstdint>

#include "arrive.cuh"
#include "operand.cuh"
#include "reduce.cuh"

using namespace fovea;

// limit norm_backward_warp_128: 56 registers, 0 spilled bytes, 4096 shared bytes
// limit norm_backward_warp_1024: 168 registers, 0 spilled bytes, 4096 shared bytes
// limit norm_backward_block_2048: 80 registers, 0 spilled bytes, 32 shared bytes
// limit norm_backward_block: 56 registers, 0 spilled bytes, 32 shared bytes

/// What one norm has of its own; the second one's groups follow the first one's in each row.
struct NormSide {
  Operand weight;
  /// As forward wrote them.
  const float* stats;
  /// [blocks, 2, width]: sums of dy xhat, then of dy; or null.
  float* partial;
  /// [width] each, or none.
  Sums dWeight;
  Sums dBias;
  /// One for the sets, then one for each set; zero before and after.
  uint32_t* counters;
};
static_assert(sizeof(NormSide) == 80);

struct NormBackwardArgs {
  Operand x;
  Operand dy;
  Operand add;
  Operand dx;
  NormSide sides[2];
  int64_t rows;
  int64_t groupsPerBlock;
  int32_t groups;
  int32_t width;
  int32_t centered;
  int32_t blocksPerSet;
};
static_assert(sizeof(NormBackwardArgs) == 4 * 24 + 2 * 80 + 32);

namespace {

constexpr int kThreads = 256;
constexpr int kBackwardWarps = 4;

__device__ __forceinline__ const NormSide& side_of(const NormBackwardArgs& args) { return args.sides[blockIdx.y]; }

/// One group of the backward pass: where it lies and its statistics.
struct Group {
  int64_t row;
  int64_t column;
  float mean;
  float reciprocal;

  __device__ __forceinline__ Group(const NormBackwardArgs& args, int64_t group) {
    row = group / args.groups;
    const float* stats = side_of(args).stats;
    column = (group % args.groups + static_cast<int64_t>(blockIdx.y) * args.groups) * args.width;
    mean = args.centered ? stats[group] : 0.f;
    reciprocal = stats[args.rows * args.groups + group];
  }

  /// Four values of x, normalised.
  __device__ __forceinline__ Quad normal(Quad x) const {
#pragma unroll
    for (int j = 0; j < 4; j++) {
      x.v[j] = (x.v[j] - mean) * reciprocal;
    }
    return x;
  }

  /// The same from memory.
  __device__ __forceinline__ Quad normal(const NormBackwardArgs& args, int i) const {
    return normal(load4(args.x, row, column + i, args.width - i));
  }
};

/// dy weight; zero past the width, as dy is there.
__device__ __forceinline__ Quad weighted(const NormBackwardArgs& args, int i, Quad dy) {
  const Operand& weight = side_of(args).weight;
  if (weight.data != nullptr) {
    const Quad w = load4(weight, 0, i, args.width - i);
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

/// What is added to four values of dx.
__device__ __forceinline__ Quad addend(const NormBackwardArgs& args, const Group& at, int i) {
  return args.add.data == nullptr ? Quad{} : load4(args.add, at.row, at.column + i, args.width - i);
}

/// Writes four values of dx.
__device__ __forceinline__ void write_gradient(const NormBackwardArgs& args, const Group& at, int i, const Quad& normal,
    const Quad& dy, float meanG, float meanGx, const Quad& added) {
  Quad g = weighted(args, i, dy);
#pragma unroll
  for (int j = 0; j < 4; j++) {
    g.v[j] = at.reciprocal * (g.v[j] - meanG - normal.v[j] * meanGx);
  }
  if (args.add.data != nullptr) {
#pragma unroll
    for (int j = 0; j < 4; j++) {
      g.v[j] += added.v[j];
    }
  }
  store4(args.dx, at.row, at.column + i, args.width - i, g);
}

/// Whether all that is read of a group is BF16 in aligned quads.
__device__ __forceinline__ bool is_packed(const NormBackwardArgs& args) {
  return fovea::is_packed(args.x, args.width) && fovea::is_packed(args.dy, args.width) &&
         (args.add.data == nullptr || fovea::is_packed(args.add, args.width));
}

/// What one thread holds: of the group at hand, and of its columns' sums. `Packed` as is_packed says.
template <int Stride, int Steps, bool Packed>
struct HeldGradient {
  Quad normal[Steps];
  Quad dy[Steps];
  Quad sumX[Steps] = {};
  Quad sum[Steps] = {};

  static __device__ __forceinline__ int first(int index, int step) { return 4 * (index + step * Stride); }

  /// Reads a group, adds it to the sums of its columns; gives this thread's part of sum g and sum g xhat.
  __device__ __forceinline__ float2 read(const NormBackwardArgs& args, const Group& at, int index) {
    if constexpr (Packed) {
      uint2 x[Steps];
      uint2 gradient[Steps];
#pragma unroll
      for (int s = 0; s < Steps; s++) {
        const int i = first(index, s);
        x[s] = load_pairs(args.x, at.row, at.column, i, args.width);
        gradient[s] = load_pairs(args.dy, at.row, at.column, i, args.width);
      }
#pragma unroll
      for (int s = 0; s < Steps; s++) {
        normal[s] = at.normal(widened(x[s]));
        dy[s] = widened(gradient[s]);
      }
    } else {
#pragma unroll
      for (int s = 0; s < Steps; s++) {
        const int i = first(index, s);
        normal[s] = i < args.width ? at.normal(args, i) : Quad{};
        dy[s] = i < args.width ? load4(args.dy, at.row, at.column + i, args.width - i) : Quad{};
      }
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
    constexpr int kBatch = Steps < 4 ? Steps : 4;
    const int addends = args.add.data == nullptr ? 0 : args.width;
#pragma unroll
    for (int batch = 0; batch < Steps; batch += kBatch) {
      uint2 added[kBatch];
#pragma unroll
      for (int s = 0; Packed && s < kBatch; s++) {
        added[s] = load_pairs(args.add, at.row, at.column, first(index, batch + s), addends);
      }
#pragma unroll
      for (int s = 0; s < kBatch; s++) {
        const int i = first(index, batch + s);
        if (i < args.width) {
          const Quad a = Packed ? widened(added[s]) : addend(args, at, i);
          write_gradient(args, at, i, normal[batch + s], dy[batch + s], meanG, meanGx, a);
        }
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

/// Adds up every `step`-th of the rows from `first` on; each thread has columns of its own.
template <int Threads, typename F>
__device__ __forceinline__ void add_rows(const float* first, int rows, int64_t step, int columns, F put) {
  for (int c = static_cast<int>(threadIdx.x); c < columns; c += Threads) {
    float sum = first[c];
#pragma unroll 8
    for (int r = 1; r < rows; r++) {
      sum += first[r * step + c];
    }
    put(c, sum);
  }
}

/// What is left to do when this block's row of partial sums is written: nothing, or a set's sums, or the gradients.
template <int Threads>
__device__ __forceinline__ void finish(const NormBackwardArgs& args) {
  const NormSide& side = side_of(args);
  const int blocks = static_cast<int>(gridDim.x);
  const int perSet = args.blocksPerSet;
  const int set = static_cast<int>(blockIdx.x) / perSet;
  const int sets = (blocks + perSet - 1) / perSet;
  const int64_t row = 2 * static_cast<int64_t>(args.width);
  const int members = min(perSet, blocks - set * perSet);
  if (!is_last(side.counters + 1 + set, members)) {
    return;
  }
  float* own = side.partial + set * perSet * row;
  add_rows<Threads>(own, members, row, 2 * args.width, [&](int c, float sum) { own[c] = sum; });
  if (!is_last(side.counters, sets)) {
    return;
  }
  add_rows<Threads>(side.partial, sets, perSet * row, 2 * args.width, [&](int c, float sum) {
    const Sums& to = c < args.width ? side.dWeight : side.dBias;
    if (to.data != nullptr) {
      to.put(c < args.width ? c : c - args.width, sum);
    }
  });
}

template <int Steps, bool Packed>
__device__ __forceinline__ void backward_by_warp(
    const NormBackwardArgs& args, float4 (&sums)[2][kBackwardWarps][32]) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  const int warp = static_cast<int>(threadIdx.x / 32);
  const Stretch stretch(args);
  HeldGradient<32, Steps, Packed> held;
  for (int64_t group = stretch.first + warp; group < stretch.end; group += kBackwardWarps) {
    const Group at(args, group);
    const float2 part = held.read(args, at, lane);
    const float sumG = args.centered ? warp_sum(part.x) : 0.f;
    held.write(args, at, lane, sumG, warp_sum(part.y));
  }
  if (side_of(args).partial == nullptr) {
    return;
  }
  float* to = side_of(args).partial + static_cast<int64_t>(blockIdx.x) * 2 * args.width;
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
  finish<kBackwardWarps * 32>(args);
}

template <int Steps>
__device__ __forceinline__ void backward_by_warp(const NormBackwardArgs& args) {
  __shared__ float4 sums[2][kBackwardWarps][32];
  if (is_packed(args)) {
    backward_by_warp<Steps, true>(args, sums);
  } else {
    backward_by_warp<Steps, false>(args, sums);
  }
}

}  // namespace

extern "C" __global__ void __launch_bounds__(kBackwardWarps * 32)
    norm_backward_warp_128(const __grid_constant__ NormBackwardArgs args) {
  backward_by_warp<1>(args);
}

extern "C" __global__ void __launch_bounds__(kBackwardWarps * 32, 3)
    norm_backward_warp_1024(const __grid_constant__ NormBackwardArgs args) {
  backward_by_warp<8>(args);
}

namespace {

template <bool Packed>
__device__ __forceinline__ void backward_by_block(const NormBackwardArgs& args, float* scratch) {
  const int thread = static_cast<int>(threadIdx.x);
  const Stretch stretch(args);
  HeldGradient<kThreads, 2, Packed> held;
  for (int64_t group = stretch.first; group < stretch.end; group++) {
    const Group at(args, group);
    const float2 part = held.read(args, at, thread);
    const float sumG = args.centered ? block_sum<kThreads>(part.x, scratch) : 0.f;
    held.write(args, at, thread, sumG, block_sum<kThreads>(part.y, scratch));
  }
  if (side_of(args).partial == nullptr) {
    return;
  }
  float* to = side_of(args).partial + static_cast<int64_t>(blockIdx.x) * 2 * args.width;
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
  finish<kThreads>(args);
}

}  // namespace

extern "C" __global__ void __launch_bounds__(kThreads, 3)
    norm_backward_block_2048(const __grid_constant__ NormBackwardArgs args) {
  __shared__ float scratch[kThreads / 32];
  if (is_packed(args)) {
    backward_by_block<true>(args, scratch);
  } else {
    backward_by_block<false>(args, scratch);
  }
}

extern "C" __global__ void __launch_bounds__(kThreads, 3)
    norm_backward_block(const __grid_constant__ NormBackwardArgs args) {
  __shared__ float scratch[kThreads / 32];
  const int first = 4 * static_cast<int>(threadIdx.x);
  constexpr int kStep = 4 * kThreads;
  const Stretch stretch(args);
  float* partial = side_of(args).partial;
  float* sums = partial == nullptr ? nullptr : partial + static_cast<int64_t>(blockIdx.x) * 2 * args.width;
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
      write_gradient(args, at, i, normal, dy, meanG, meanGx, addend(args, at, i));
    }
  }
  if (sums != nullptr) {
    finish<kThreads>(args);
  }
}
