// Attention forward as in attention.cu on CUDA cores, in true F32: any mix of F32 and BF16, any strides, head
// dimensions up to D (dev.fovea.kernels.AttentionKernels).
//
// attention_forward_f32_D: a block of 256 threads owns 64 queries and meets the keys 64 by 64 (32 by 32 for
//   D = 256); all operands in shared memory as f32, q and k transposed, the online softmax in registers.
//     D     queries  keys a tile  shared     registers
//     32    64       64           34 KiB     80
//     64    64       64           51 KiB     104
//     128   64       64           85 KiB     120
//     256   32       32           76.5 KiB   80
//   Bound: FFMA.
// attention_weights_D: p = exp(scale q k^T - lse), for looking at; F32, a tile of 64 x 64 (32 x 32) per block of 256
//   threads, up to 48 registers, shared memory as above. Bound: HBM writes.
//
// Grid: one block per tile of queries (y: of keys, for the weights), heads and images going slowest.

#include <cstdint>

#include "attention_forward.cuh"
#include "reduce.cuh"

using namespace fovea;

// limit attention_forward_f32_32: 80 registers, 0 spilled bytes, 0 shared bytes
// limit attention_forward_f32_64: 104 registers, 0 spilled bytes, 0 shared bytes
// limit attention_forward_f32_128: 120 registers, 0 spilled bytes, 0 shared bytes
// limit attention_forward_f32_256: 80 registers, 0 spilled bytes, 0 shared bytes
// limit attention_weights_*: 48 registers, 0 spilled bytes, 0 shared bytes

namespace {

template <int D, int Tile>
struct CudaCoreAttention {
  static constexpr int kThreads = 256;
  /// Queries and keys of a thread.
  static constexpr int kEach = Tile / 16;
  static constexpr int kStride = Tile + 4;
  static constexpr int kFloatsQ = D * kStride;
  static constexpr int kFloatsK = D * kStride;
  static constexpr int kFloatsP = Tile * kStride;
  static constexpr int kSharedBytes = (kFloatsQ + kFloatsK + kFloatsP) * 4;
  static_assert(Tile * D <= kFloatsK);

  static __device__ __forceinline__ void fill(
      float* to, const Operand& x, int64_t base, int64_t column, int rows, int headDim) {
    for (int i = static_cast<int>(threadIdx.x); i < Tile * D; i += kThreads) {
      const int r = i / D;
      const int d = i % D;
      to[i] = r < rows && d < headDim ? load(x, base + r, column + d) : 0.f;
    }
  }

  /// This thread's logits, in [query][key].
  static __device__ __forceinline__ void multiply(
      float (&s)[kEach][kEach], const float* q, const float* k, int headDim, float scale) {
    multiply_rows<kEach, kStride>(s, q, k, headDim);
#pragma unroll
    for (int i = 0; i < kEach; i++) {
#pragma unroll
      for (int j = 0; j < kEach; j++) {
        s[i][j] *= scale;
      }
    }
  }

  /// e^x for x up to 0; NaN stays.
  static __device__ __forceinline__ float weight(float x) { return x != x ? x : exp_flushed(x); }

  static __device__ __forceinline__ void run(const AttentionArgs& args, float* shared) {
    const Place at(args, Tile);
    const int tx = static_cast<int>(threadIdx.x) % 16;
    const int ty = static_cast<int>(threadIdx.x) / 16;
    float* q = shared;
    float* k = q + kFloatsQ;
    float* p = k + kFloatsK;
    const int64_t column = static_cast<int64_t>(at.head) * args.headDim;
    const int64_t row = at.image * args.queries + at.query;
    const int rows = min(Tile, args.queries - at.query);
    fill_transposed<D, Tile, kStride, kThreads>(q, args.q, row, column, rows, args.headDim);

    constexpr int kColumns = D / 16;
    float o[kEach][kColumns] = {};
    float largest[kEach];
    float sum[kEach];
#pragma unroll
    for (int i = 0; i < kEach; i++) {
      largest[i] = -kInfinity;
      sum[i] = 0.f;
    }
    for (int first = 0; first < at.length; first += Tile) {
      const int64_t key = at.image * args.keys + first;
      const int count = min(Tile, at.length - first);
      __syncthreads();
      fill_transposed<D, Tile, kStride, kThreads>(k, args.k, key, column, count, args.headDim);
      __syncthreads();
      float s[kEach][kEach] = {};
      multiply(s, q, k, args.headDim, args.scale);
#pragma unroll
      for (int i = 0; i < kEach; i++) {
        float most = largest[i];
#pragma unroll
        for (int j = 0; j < kEach; j++) {
          s[i][j] = tx * kEach + j < count ? s[i][j] : -kInfinity;
          most = fmaxf(most, s[i][j]);
        }
#pragma unroll
        for (int distance = 8; distance > 0; distance /= 2) {
          most = fmaxf(most, __shfl_xor_sync(0xffffffffu, most, distance));
        }
        const float shrink = weight(largest[i] - most);
        largest[i] = most;
        float total = 0.f;
#pragma unroll
        for (int j = 0; j < kEach; j++) {
          s[i][j] = weight(s[i][j] - most);
          total += s[i][j];
          p[(tx * kEach + j) * kStride + ty * kEach + i] = s[i][j];
        }
        sum[i] = fmaf(sum[i], shrink, warp_sum<16>(total));
#pragma unroll
        for (int c = 0; c < kColumns; c++) {
          o[i][c] *= shrink;
        }
      }
      __syncthreads();
      fill(k, args.v, key, column, count, args.headDim);
      __syncthreads();
      for (int j = 0; j < count; j++) {
#pragma unroll
        for (int i = 0; i < kEach; i++) {
          const float x = p[j * kStride + ty * kEach + i];
#pragma unroll
          for (int c = 0; c < kColumns; c++) {
            o[i][c] = fmaf(x, k[j * D + c * 16 + tx], o[i][c]);
          }
        }
      }
    }
#pragma unroll
    for (int i = 0; i < kEach; i++) {
      const int r = ty * kEach + i;
      if (r < rows) {
        if (args.lse != nullptr && tx == 0) {
          args.lse[at.statistics(args) + r] = largest[i] + log_exact(sum[i]);
        }
#pragma unroll
        for (int c = 0; c < kColumns; c++) {
          const int d = c * 16 + tx;
          if (d < args.headDim) {
            store(args.o, row + r, column + d, o[i][c] / sum[i]);
          }
        }
      }
    }
  }

  /// exp(scale q k - lse) of one tile of keys: the block's index goes on over tiles of keys in y.
  static __device__ __forceinline__ void weigh(const AttentionArgs& args, float* shared) {
    const Place at(args, Tile);
    const int tx = static_cast<int>(threadIdx.x) % 16;
    const int ty = static_cast<int>(threadIdx.x) / 16;
    float* q = shared;
    float* k = q + kFloatsQ;
    const int64_t column = static_cast<int64_t>(at.head) * args.headDim;
    const int rows = min(Tile, args.queries - at.query);
    const int first = static_cast<int>(blockIdx.y) * Tile;
    const int count = max(0, min(Tile, at.length - first));
    const int64_t row = at.image * args.queries + at.query;
    fill_transposed<D, Tile, kStride, kThreads>(q, args.q, row, column, rows, args.headDim);
    fill_transposed<D, Tile, kStride, kThreads>(k, args.k, at.image * args.keys + first, column, count, args.headDim);
    __syncthreads();
    float s[kEach][kEach] = {};
    multiply(s, q, k, args.headDim, args.scale);
#pragma unroll
    for (int i = 0; i < kEach; i++) {
      const int r = ty * kEach + i;
      if (r < rows) {
        const int64_t statistic = at.statistics(args) + r;
        const float lse = args.lse[statistic];
#pragma unroll
        for (int j = 0; j < kEach; j++) {
          const int c = tx * kEach + j;
          if (first + c < args.keys) {
            args.weights[statistic * args.keys + first + c] = c < count ? probability(s[i][j] - lse) : 0.f;
          }
        }
      }
    }
  }
};

}  // namespace

extern __shared__ __align__(128) uint8_t dynamic_shared[];

// `shared` is the dynamic shared memory of a launch, which the host must ask for.
#define CUDA_CORE_ATTENTION(name, d, tile, shared)                                                       \
  static_assert(CudaCoreAttention<d, tile>::kSharedBytes == shared);                                     \
  extern "C" __global__ void __launch_bounds__(CudaCoreAttention<d, tile>::kThreads)                     \
      name(const __grid_constant__ AttentionArgs args) {                                                 \
    CudaCoreAttention<d, tile>::run(args, reinterpret_cast<float*>(dynamic_shared));                     \
  }

CUDA_CORE_ATTENTION(attention_forward_f32_32, 32, 64, 34816)
CUDA_CORE_ATTENTION(attention_forward_f32_64, 64, 64, 52224)
CUDA_CORE_ATTENTION(attention_forward_f32_128, 128, 64, 87040)
CUDA_CORE_ATTENTION(attention_forward_f32_256, 256, 32, 78336)

#define ATTENTION_WEIGHTS(name, d, tile)                                                                 \
  extern "C" __global__ void __launch_bounds__(CudaCoreAttention<d, tile>::kThreads)                     \
      name(const __grid_constant__ AttentionArgs args) {                                                 \
    CudaCoreAttention<d, tile>::weigh(args, reinterpret_cast<float*>(dynamic_shared));                   \
  }

ATTENTION_WEIGHTS(attention_weights_64, 64, 64)
ATTENTION_WEIGHTS(attention_weights_256, 256, 32)
