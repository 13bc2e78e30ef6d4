// Kernels that move, pick and pool tokens (dev.fovea.kernels.TokenKernels). F32 or BF16, four columns per thread where
// addresses allow; blocks of 256 threads, up to 40 registers. Bound: HBM.
//
// assemble, mean_pool_gradient: a block of X x Y threads takes Y tokens, X threads along each.
// assemble_gradient: a thread owns four columns of one token and walks over the batch, so that sums have one order.
// gather: whole rows in units of 1 to 16 bytes, any dtype.
// scatter_add: a block owns one row of the output and looks for its indices in order, 256 at a time; 1 KiB of shared
//   memory.
// mean_pool: a block of 32 x 8 threads sums 128 columns of one image; 4 KiB of shared memory.

#include <cstdint>

#include "operand.cuh"

using namespace fovea;

// limit mean_pool: 32 registers, 0 spilled bytes, 4096 shared bytes
// limit scatter_add: 40 registers, 0 spilled bytes, 1024 shared bytes
// limit *: 40 registers, 0 spilled bytes, 0 shared bytes

struct AssembleArgs {
  /// [batch, patches, width]
  Operand patches;
  /// [prefixes, width]
  Operand prefix;
  /// [patches or prefixes + patches, width]
  Operand positions;
  /// [batch, prefixes + patches, width]
  Operand out;
  int32_t batch;
  int32_t prefixes;
  int32_t patchCount;
  int32_t width;
  /// The first token that has a position: 0, or `prefixes`.
  int32_t firstPosition;
  /// Whether sums are added to what stands in prefix and positions, or take its place.
  int32_t addPrefix;
  int32_t addPositions;
  int32_t reserved;
};
static_assert(sizeof(AssembleArgs) == 128);

struct GatherArgs {
  const void* x;
  void* out;
  const int32_t* index;
  int64_t rows;
  /// A row, in units.
  int64_t units;
  int32_t unitBytes;
  int32_t reserved;
};
static_assert(sizeof(GatherArgs) == 48);

struct ScatterArgs {
  Operand x;
  Operand out;
  const int32_t* index;
  int64_t rows;
  int32_t width;
  int32_t reserved;
};
static_assert(sizeof(ScatterArgs) == 72);

struct PoolArgs {
  /// [batch, tokens, width]
  Operand x;
  /// [batch, width]
  Operand out;
  const int32_t* lengths;
  int32_t batch;
  int32_t tokens;
  int32_t width;
  int32_t first;
};
static_assert(sizeof(PoolArgs) == 72);

namespace {

constexpr int kThreads = 256;

__device__ __forceinline__ void add(Quad& q, const Quad& x) {
#pragma unroll
  for (int j = 0; j < 4; j++) {
    q.v[j] += x.v[j];
  }
}

template <typename Unit>
__device__ __forceinline__ void gather_rows(const GatherArgs& args) {
  const int64_t stride = static_cast<int64_t>(gridDim.x) * blockDim.y;
  for (int64_t row = static_cast<int64_t>(blockIdx.x) * blockDim.y + threadIdx.y; row < args.rows; row += stride) {
    const Unit* from = static_cast<const Unit*>(args.x) + args.index[row] * args.units;
    Unit* to = static_cast<Unit*>(args.out) + row * args.units;
    for (int64_t i = threadIdx.x; i < args.units; i += blockDim.x) {
      to[i] = from[i];
    }
  }
}

}  // namespace

extern "C" __global__ void __launch_bounds__(kThreads) assemble(const __grid_constant__ AssembleArgs args) {
  const int tokens = args.prefixes + args.patchCount;
  const int64_t rows = static_cast<int64_t>(args.batch) * tokens;
  const int64_t stride = static_cast<int64_t>(gridDim.x) * blockDim.y;
  for (int64_t row = static_cast<int64_t>(blockIdx.x) * blockDim.y + threadIdx.y; row < rows; row += stride) {
    const int64_t image = row / tokens;
    const int token = static_cast<int>(row % tokens);
    for (int c = static_cast<int>(threadIdx.x) * 4; c < args.width; c += static_cast<int>(blockDim.x) * 4) {
      const int count = min(4, args.width - c);
      Quad q = token < args.prefixes
                   ? load4(args.prefix, token, c, count)
                   : load4(args.patches, image * args.patchCount + token - args.prefixes, c, count);
      if (args.positions.data != nullptr && token >= args.firstPosition) {
        add(q, load4(args.positions, token - args.firstPosition, c, count));
      }
      store4(args.out, row, c, count, q);
    }
  }
}

/// `out` is what comes back; patches, prefix and positions are what is wanted of it.
extern "C" __global__ void __launch_bounds__(kThreads) assemble_gradient(const __grid_constant__ AssembleArgs args) {
  const int tokens = args.prefixes + args.patchCount;
  const int token = static_cast<int>(blockIdx.x) * static_cast<int>(blockDim.y) + static_cast<int>(threadIdx.y);
  if (token >= tokens) {
    return;
  }
  for (int c = static_cast<int>(threadIdx.x) * 4; c < args.width; c += static_cast<int>(blockDim.x) * 4) {
    const int count = min(4, args.width - c);
    Quad sum = {};
    for (int64_t image = 0; image < args.batch; image++) {
      const Quad q = load4(args.out, image * tokens + token, c, count);
      add(sum, q);
      if (token >= args.prefixes && args.patches.data != nullptr) {
        store4(args.patches, image * args.patchCount + token - args.prefixes, c, count, q);
      }
    }
    if (token < args.prefixes && args.prefix.data != nullptr) {
      Quad q = args.addPrefix ? load4(args.prefix, token, c, count) : Quad{};
      add(q, sum);
      store4(args.prefix, token, c, count, q);
    }
    if (token >= args.firstPosition && args.positions.data != nullptr) {
      Quad q = args.addPositions ? load4(args.positions, token - args.firstPosition, c, count) : Quad{};
      add(q, sum);
      store4(args.positions, token - args.firstPosition, c, count, q);
    }
  }
}

/// out[i] = x[index[i]].
extern "C" __global__ void __launch_bounds__(kThreads) gather(const __grid_constant__ GatherArgs args) {
  switch (args.unitBytes) {
    case 16:
      gather_rows<uint4>(args);
      break;
    case 8:
      gather_rows<uint2>(args);
      break;
    case 4:
      gather_rows<uint32_t>(args);
      break;
    case 2:
      gather_rows<uint16_t>(args);
      break;
    default:
      gather_rows<uint8_t>(args);
  }
}

/// out[index[i]] += x[i], in the order of i; summed in F32, rounded once.
extern "C" __global__ void __launch_bounds__(kThreads) scatter_add(const __grid_constant__ ScatterArgs args) {
  __shared__ int found[kThreads];
  const int thread = static_cast<int>(threadIdx.x);
  const int row = static_cast<int>(blockIdx.x);
  for (int first = 0; first < args.width; first += kThreads * 4) {
    const int c = first + thread * 4;
    const int count = min(4, args.width - c);
    Quad sum = {};
    bool any = false;
    for (int64_t begin = 0; begin < args.rows; begin += kThreads) {
      const int64_t i = begin + thread;
      const int hit = i < args.rows && args.index[i] == row;
      if (!__syncthreads_or(hit)) {
        continue;
      }
      found[thread] = hit;
      __syncthreads();
      any = true;
      for (int j = 0; j < kThreads; j++) {
        if (found[j] && count > 0) {
          add(sum, load4(args.x, begin + j, c, count));
        }
      }
      __syncthreads();
    }
    if (any && count > 0) {
      Quad q = load4(args.out, row, c, count);
      add(q, sum);
      store4(args.out, row, c, count, q);
    }
  }
}

/// out[b] = mean of x[b,t] over t in [first, lengths[b]).
extern "C" __global__ void __launch_bounds__(kThreads) mean_pool(const __grid_constant__ PoolArgs args) {
  __shared__ float4 partial[kThreads];
  const int lane = static_cast<int>(threadIdx.x % 32);
  const int warp = static_cast<int>(threadIdx.x / 32);
  const int groups = (args.width + 127) / 128;
  const int64_t image = blockIdx.x / groups;
  const int begin = static_cast<int>(blockIdx.x % groups) * 128;
  const int column = begin + lane * 4;
  const int count = min(4, args.width - column);
  const int end = args.lengths == nullptr ? args.tokens : args.lengths[image];
  Quad sum = {};
  for (int token = args.first + warp; token < end && count > 0; token += kThreads / 32) {
    add(sum, load4(args.x, image * args.tokens + token, column, count));
  }
  partial[threadIdx.x] = make_float4(sum.v[0], sum.v[1], sum.v[2], sum.v[3]);
  __syncthreads();
  const int c = static_cast<int>(threadIdx.x);
  if (c < 128 && begin + c < args.width) {
    const float* values = reinterpret_cast<const float*>(partial);
    float total = values[c];
    for (int i = 1; i < kThreads / 32; i++) {
      total += values[i * 128 + c];
    }
    store(args.out, image, begin + c, total / static_cast<float>(end - args.first));
  }
}

/// x[b,t] = out[b] / how many tokens were pooled, zero for the others.
extern "C" __global__ void __launch_bounds__(kThreads) mean_pool_gradient(const __grid_constant__ PoolArgs args) {
  const int64_t rows = static_cast<int64_t>(args.batch) * args.tokens;
  const int64_t stride = static_cast<int64_t>(gridDim.x) * blockDim.y;
  for (int64_t row = static_cast<int64_t>(blockIdx.x) * blockDim.y + threadIdx.y; row < rows; row += stride) {
    const int64_t image = row / args.tokens;
    const int token = static_cast<int>(row % args.tokens);
    const int end = args.lengths == nullptr ? args.tokens : args.lengths[image];
    const bool pooled = token >= args.first && token < end;
    const float share = static_cast<float>(end - args.first);
    for (int c = static_cast<int>(threadIdx.x) * 4; c < args.width; c += static_cast<int>(blockDim.x) * 4) {
      const int count = min(4, args.width - c);
      Quad q = pooled ? load4(args.out, image, c, count) : Quad{};
#pragma unroll
      for (int j = 0; j < 4; j++) {
        q.v[j] = q.v[j] / share;
      }
      store4(args.x, row, c, count, q);
    }
  }
}
