// Attention backward as in attention_backward.cu on CUDA cores, in true F32: any mix of F32 and BF16, any strides, head
// dimensions up to D (dev.fovea.kernels.AttentionKernels). Two kernels: _queries_ owns queries and gathers dq, _keys_
// owns keys and gathers dk and dv; nothing is added by atomics.
//
// attention_backward_SIDE_f32_D: 256 threads, up to 128 registers, 2 blocks per multiprocessor; all operands in shared
//   memory as f32, transposed, and one tile of weights.
//     D     own rows  others a tile  shared
//     32    64        64             51.5 KiB
//     64    64        64             85.5 KiB
//     128   32        32             76.75 KiB
//     256   16        16             81.4 KiB
//   Bound: FFMA.
//
// Grid: one block per tile of own rows, heads and images going slowest.

#include <cstdint>

#include "attention_backward.cuh"
#include "reduce.cuh"

using namespace fovea;

// limit attention_backward_queries_f32_*: 104 registers, 0 spilled bytes, 0 shared bytes
// limit attention_backward_keys_f32_256: 128 registers, 0 spilled bytes, 0 shared bytes
// limit attention_backward_keys_f32_*: 120 registers, 0 spilled bytes, 0 shared bytes

namespace {

template <int D, int Tile, bool Keys>
struct CudaCoreGradient {
  static constexpr int kThreads = 256;
  /// Own and other rows of a thread.
  static constexpr int kEach = Tile / 16;
  static constexpr int kColumns = D / 16;
  static constexpr int kStride = Tile + 4;
  static constexpr int kFloats = D * kStride;
  static constexpr int kSharedBytes = (4 * kFloats + Tile * kStride + 2 * Tile) * 4;

  static __device__ __forceinline__ void fill(
      float* to, const Side<Keys>& at, const Operand& x, int64_t base, int first, int rows) {
    fill_transposed<D, Tile, kStride, kThreads>(to, x, base + first, at.column(), rows - first, at.args.headDim);
  }

  /// sums += weights other, for `count` others; the weights pass through shared memory, in [other][own].
  static __device__ __forceinline__ void gather(float (&sums)[kEach][kColumns], const float (&w)[kEach][kEach],
      float* weights, const float* other, int count) {
    const int tx = static_cast<int>(threadIdx.x) % 16;
    const int ty = static_cast<int>(threadIdx.x) / 16;
    __syncthreads();
#pragma unroll
    for (int i = 0; i < kEach; i++) {
#pragma unroll
      for (int j = 0; j < kEach; j++) {
        weights[(tx * kEach + j) * kStride + ty * kEach + i] = w[i][j];
      }
    }
    __syncthreads();
    for (int j = 0; j < count; j++) {
#pragma unroll
      for (int c = 0; c < kColumns; c++) {
        const float y = other[(c * 16 + tx) * kStride + j];
#pragma unroll
        for (int i = 0; i < kEach; i++) {
          sums[i][c] = fmaf(weights[j * kStride + ty * kEach + i], y, sums[i][c]);
        }
      }
    }
  }

  /// delta = sum dO o of the block's queries: one warp per row.
  static __device__ __forceinline__ void reduce(const Side<Keys>& at, float* lse, float* delta) {
    const int lane = static_cast<int>(threadIdx.x % 32);
    for (int r = static_cast<int>(threadIdx.x / 32); r < Tile; r += kThreads / 32) {
      const bool there = at.first + r < at.args.queries;
      const int64_t row = at.own_base() + at.first + r;
      float sum = 0.f;
      for (int d = lane; d < at.args.headDim && there; d += 32) {
        sum = fmaf(load(at.args.dO, row, at.column() + d), load(at.args.o, row, at.column() + d), sum);
      }
      sum = warp_sum(sum);
      if (lane == 0) {
        const int64_t statistic = at.statistics() + at.first + r;
        delta[r] = sum;
        lse[r] = there ? at.args.lse[statistic] : 0.f;
        if (there) {
          at.args.delta[statistic] = sum;
        }
      }
    }
  }

  static __device__ __forceinline__ void run(const AttentionGradientArgs& args, float* shared) {
    const Side<Keys> at(args, Tile);
    const int tx = static_cast<int>(threadIdx.x) % 16;
    const int ty = static_cast<int>(threadIdx.x) / 16;
    float* own1 = shared;
    float* own2 = own1 + kFloats;
    float* other1 = own2 + kFloats;
    float* other2 = other1 + kFloats;
    float* weights = other2 + kFloats;
    float* lse = weights + Tile * kStride;
    float* delta = lse + Tile;
    fill(own1, at, at.own1(), at.own_base(), at.first, at.own());
    fill(own2, at, at.own2(), at.own_base(), at.first, at.own());
    if constexpr (!Keys) {
      reduce(at, lse, delta);
    }
    float sums1[kEach][kColumns] = {};
    float sums2[kEach][kColumns] = {};
    const int others = at.others();
    for (int first = 0; first < others; first += Tile) {
      __syncthreads();
      fill(other1, at, at.other1(), at.other_base(), first, others);
      fill(other2, at, at.other2(), at.other_base(), first, others);
      const int thread = static_cast<int>(threadIdx.x);
      if (Keys && thread < Tile) {
        const bool there = first + thread < others;
        lse[thread] = there ? args.lse[at.statistics() + first + thread] : 0.f;
        delta[thread] = there ? args.delta[at.statistics() + first + thread] : 0.f;
      }
      __syncthreads();
      float s[kEach][kEach] = {};
      float dp[kEach][kEach] = {};
      multiply_rows<kEach, kStride>(s, own1, other1, args.headDim);
      multiply_rows<kEach, kStride>(dp, own2, other2, args.headDim);
#pragma unroll
      for (int i = 0; i < kEach; i++) {
#pragma unroll
        for (int j = 0; j < kEach; j++) {
          const int query = Keys ? tx * kEach + j : ty * kEach + i;
          const bool there = first + tx * kEach + j < others;
          const float p = probability(s[i][j] * args.scale - lse[query]);
          s[i][j] = there ? p : 0.f;
          dp[i][j] = there ? p * (dp[i][j] - delta[query]) : 0.f;
        }
      }
      const int count = min(Tile, others - first);
      gather(sums1, dp, weights, other1, count);
      if constexpr (Keys) {
        gather(sums2, s, weights, other2, count);
      }
    }
#pragma unroll
    for (int i = 0; i < kEach; i++) {
      const int r = at.first + ty * kEach + i;
      if (r < at.stored()) {
#pragma unroll
        for (int c = 0; c < kColumns; c++) {
          const int d = c * 16 + tx;
          if (d < args.headDim) {
            const bool counts = r < at.own();
            store(at.gradient1(), at.own_base() + r, at.column() + d, counts ? sums1[i][c] * args.scale : 0.f);
            if constexpr (Keys) {
              store(args.dv, at.own_base() + r, at.column() + d, counts ? sums2[i][c] : 0.f);
            }
          }
        }
      }
    }
  }
};

}  // namespace

extern __shared__ __align__(128) uint8_t dynamic_shared[];

// `shared` is the dynamic shared memory of a launch, which the host must ask for.
#define CUDA_CORE_GRADIENT(d, tile, shared)                                                          \
  static_assert(CudaCoreGradient<d, tile, false>::kSharedBytes == shared);                           \
  static_assert(CudaCoreGradient<d, tile, true>::kSharedBytes == shared);                            \
  extern "C" __global__ void __launch_bounds__(256, 2)                                                 \
      attention_backward_queries_f32_##d(const __grid_constant__ AttentionGradientArgs args) {       \
    CudaCoreGradient<d, tile, false>::run(args, reinterpret_cast<float*>(dynamic_shared));           \
  }                                                                                                  \
  extern "C" __global__ void __launch_bounds__(256, 2)                                                 \
      attention_backward_keys_f32_##d(const __grid_constant__ AttentionGradientArgs args) {          \
    CudaCoreGradient<d, tile, true>::run(args, reinterpret_cast<float*>(dynamic_shared));            \
  }

CUDA_CORE_GRADIENT(32, 64, 52736)
CUDA_CORE_GRADIENT(64, 64, 87552)
CUDA_CORE_GRADIENT(128, 32, 78592)
CUDA_CORE_GRADIENT(256, 16, 83328)
