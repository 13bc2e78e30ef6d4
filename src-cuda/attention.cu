// Attention forward, o = softmax(scale q k^T) v per image and head, without the N x N matrix (FlashAttention-2,
// arXiv 2307.08691, algorithm 1), for dev.fovea.kernels.AttentionKernels.
//
// attention_forward_bf16_D: q, k, v in bf16 on tensor cores (mma.sync m16n8k16), for head dimensions that are multiples
//   of 8 up to D (a multiple of 16); what D has more is zero in shared memory only. Four warps; each owns 16 or 32
//   queries for good, keeps their fragments, running maximum and output in registers, and meets the keys tile by tile:
//     S = Q K^T, online softmax by exp2 (scale log2 e folded into one FMA per logit), O += bf16(P) V,
//   the next tiles of K and V arriving by cp.async meanwhile (two stages, swizzled). The layout of S in registers is
//   that of the next product's left operand, so that P needs no shuffle. Row sums are reduced once, at the end.
//     D     queries  keys a tile  shared     registers hold
//     32    128      64           24 KiB     Q, S, O
//     64    128      64           48 KiB     Q, S, O
//     80    64       64           50 KiB     Q, S, O
//     96    64       64           60 KiB     Q, S, O
//     112   64       64           70 KiB     Q, S, O
//     128   64       64           80 KiB     Q, S, O
//     256   64       32           96 KiB     S, O; Q is read again every time
//   Bound: at short sequences HBM (every operand is read once, but K and V once per tile of queries, from L2);
//   otherwise tensor cores and, at small D, exp2.
//
// attention_forward_f32_D: any mix of F32 and BF16, any strides, head dimensions up to D, in true F32 on CUDA cores.
//   64 queries by 64 keys (32 by 32 for D = 256), 256 threads; all operands in shared memory as f32. Bound: FFMA.
//
// attention_weights: p = exp(scale q k^T - lse), for looking at; F32, a tile of 64 x 64 per block.
//
// Grid: one block per tile of queries, heads and images going slowest, so that the tiles of a head share K and V in L2.

#include <cstdint>

#include "math.cuh"
#include "operand.cuh"
#include "ptx.cuh"
#include "reduce.cuh"
#include "tile.cuh"

using namespace fovea;

// limit attention_forward_bf16_*: 255 registers, 0 spilled bytes, 0 shared bytes
// limit attention_forward_f32_*: 128 registers, 0 spilled bytes, 0 shared bytes
// limit attention_weights_*: 64 registers, 0 spilled bytes, 0 shared bytes

struct AttentionArgs {
  Operand q;
  Operand k;
  Operand v;
  Operand o;
  /// [batch, heads, queries] or null.
  float* lse;
  /// [batch] or null.
  const int32_t* lengths;
  /// [batch, heads, queries, keys], for attention_weights.
  float* weights;
  int32_t batch;
  int32_t heads;
  int32_t queries;
  int32_t keys;
  int32_t headDim;
  float scale;
};
static_assert(sizeof(AttentionArgs) == 4 * 24 + 3 * 8 + 6 * 4);

namespace {

constexpr float kInfinity = __builtin_huge_valf();
constexpr float kLn2 = 0x1.62e43p-1f;

/// What one block works on.
struct Place {
  int64_t image;
  int head;
  int query;
  /// Keys that count for this image.
  int length;

  __device__ __forceinline__ Place(const AttentionArgs& args, int tile) {
    const int tiles = (args.queries + tile - 1) / tile;
    const int index = static_cast<int>(blockIdx.x) / tiles;
    query = static_cast<int>(blockIdx.x) % tiles * tile;
    head = index % args.heads;
    image = index / args.heads;
    length = args.lengths == nullptr ? args.keys : args.lengths[image];
  }

  /// Where the statistics of this block's first query stand.
  __device__ __forceinline__ int64_t statistics(const AttentionArgs& args) const {
    return (image * args.heads + head) * args.queries + query;
  }
};

template <int D, int Keys, int Fragments>
struct TensorAttention {
  static constexpr int kWarps = 4;
  static constexpr int kThreads = kWarps * 32;
  static constexpr int kWarpQueries = 16 * Fragments;
  static constexpr int kQueries = kWarps * kWarpQueries;
  static constexpr int kChunks = D / 8;
  /// Whether the queries' fragments fit in registers beside S and O.
  static constexpr bool kKeepQ = Fragments * D <= 128;
  static constexpr int kBytesQ = kQueries * D * 2;
  static constexpr int kBytesK = Keys * D * 2;
  static constexpr int kSharedBytes = kBytesQ + 4 * kBytesK;

  /// Copies rows [row, ..) of one head of a matrix, up to row `rows`.
  template <int Rows>
  static __device__ __forceinline__ void fill(
      uint8_t* tile, const Operand& x, int64_t base, int head, int row, int rows, int headDim) {
    const uint16_t* data = static_cast<const uint16_t*>(x.data) + base * x.ld + static_cast<int64_t>(head) * headDim;
    fill_tile<Rows, kChunks, kThreads, true>(tile, data, x.ld, row, rows, 0, headDim);
  }

  static __device__ __forceinline__ void query_fragment(uint32_t (&d)[4], uint32_t address, uint32_t flip) {
    ldmatrix_x4(d, address);
#pragma unroll
    for (int i = 0; i < 4; i++) {
      d[i] ^= flip;
    }
  }

  static __device__ __forceinline__ void run(const AttentionArgs& args, uint8_t* shared) {
    const Place at(args, kQueries);
    const int lane = static_cast<int>(threadIdx.x % 32);
    const int warpRow = static_cast<int>(threadIdx.x / 32) * kWarpQueries;
    uint8_t* keys = shared + kBytesQ;
    const auto fill_keys = [&](int tile) {
      uint8_t* stage = keys + tile % 2 * 2 * kBytesK;
      fill<Keys>(stage, args.k, at.image * args.keys, at.head, tile * Keys, at.length, args.headDim);
      fill<Keys>(stage + kBytesK, args.v, at.image * args.keys, at.head, tile * Keys, at.length, args.headDim);
      cp_async_commit();
    };
    fill<kQueries>(shared, args.q, at.image * args.queries, at.head, at.query, args.queries, args.headDim);
    fill_keys(0);

    // A negative scale turns the queries round, so that the largest logit is always the largest product.
    const uint32_t flip = args.scale < 0.f ? 0x80008000u : 0u;
    const float scale = fabsf(args.scale) * kLog2E;
    const int tiles = (at.length + Keys - 1) / Keys;
    const uint32_t q = shared_address(shared);
    const LanePlaces<kChunks> placesQ(warpRow + lane % 16, lane / 16);
    const LanePlaces<kChunks> placesK(lane % 8 + lane / 16 * 8, lane / 8 % 2);
    const LanePlaces<kChunks> placesV(lane % 16, lane / 16);

    float o[Fragments][D / 8][4] = {};
    float largest[Fragments][2];
    float sum[Fragments][2];
#pragma unroll
    for (int i = 0; i < Fragments; i++) {
      largest[i][0] = largest[i][1] = -kInfinity;
      sum[i][0] = sum[i][1] = 0.f;
    }
    uint32_t kept[Fragments][kKeepQ ? D / 16 : 1][4];

    for (int tile = 0; tile < tiles; tile++) {
      cp_async_wait<0>();
      __syncthreads();
      if (tile + 1 < tiles) {
        fill_keys(tile + 1);
      }
      if (kKeepQ && tile == 0) {
#pragma unroll
        for (int i = 0; i < Fragments; i++) {
#pragma unroll
          for (int step = 0; step < D / 16; step++) {
            query_fragment(kept[i][kKeepQ ? step : 0], q + placesQ(i * 16, step), flip);
          }
        }
      }
      const uint32_t k = shared_address(keys + tile % 2 * 2 * kBytesK);
      float s[Fragments][Keys / 8][4] = {};
#pragma unroll
      for (int step = 0; step < D / 16; step++) {
        if constexpr (!kKeepQ) {
#pragma unroll
          for (int i = 0; i < Fragments; i++) {
            query_fragment(kept[i][0], q + placesQ(i * 16, step), flip);
          }
        }
#pragma unroll
        for (int j = 0; j < Keys / 16; j++) {
          uint32_t b[4];
          ldmatrix_x4(b, k + placesK(j * 16, step));
#pragma unroll
          for (int i = 0; i < Fragments; i++) {
            mma_bf16(s[i][2 * j], kept[i][kKeepQ ? step : 0], b[0], b[1]);
            mma_bf16(s[i][2 * j + 1], kept[i][kKeepQ ? step : 0], b[2], b[3]);
          }
        }
      }
      if (tile == tiles - 1) {
        mask(s, tile * Keys, at.length);
      }
#pragma unroll
      for (int i = 0; i < Fragments; i++) {
        soften(s[i], o[i], largest[i], sum[i], scale);
      }
      weigh(o, s, k + kBytesK, placesV);
    }
    finish(args, at, shared, warpRow, o, largest, sum, scale);
  }

  /// Logits of keys past the end become -infinity.
  static __device__ __forceinline__ void mask(float (&s)[Fragments][Keys / 8][4], int first, int length) {
    const int column = first + static_cast<int>(threadIdx.x % 4) * 2;
#pragma unroll
    for (int j = 0; j < Keys / 8; j++) {
#pragma unroll
      for (int c = 0; c < 4; c++) {
        if (column + j * 8 + c % 2 >= length) {
#pragma unroll
          for (int i = 0; i < Fragments; i++) {
            s[i][j][c] = -kInfinity;
          }
        }
      }
    }
  }

  /// The online softmax: s becomes weights under the new maximum, what was gathered so far moves to it.
  static __device__ __forceinline__ void soften(
      float (&s)[Keys / 8][4], float (&o)[D / 8][4], float (&largest)[2], float (&sum)[2], float scale) {
#pragma unroll
    for (int half = 0; half < 2; half++) {
      float most = largest[half];
#pragma unroll
      for (int j = 0; j < Keys / 8; j++) {
        most = fmaxf(most, fmaxf(s[j][2 * half], s[j][2 * half + 1]));
      }
      most = fmaxf(most, __shfl_xor_sync(0xffffffffu, most, 1));
      most = fmaxf(most, __shfl_xor_sync(0xffffffffu, most, 2));
      // If every logit is NaN or -infinity, nothing is subtracted.
      const float offset = most == -kInfinity ? 0.f : most * scale;
      const float shrink = exp2_fast(fmaf(largest[half], scale, -offset));
      largest[half] = most;
      float total = 0.f;
#pragma unroll
      for (int j = 0; j < Keys / 8; j++) {
        s[j][2 * half] = exp2_fast(fmaf(s[j][2 * half], scale, -offset));
        s[j][2 * half + 1] = exp2_fast(fmaf(s[j][2 * half + 1], scale, -offset));
        total += s[j][2 * half] + s[j][2 * half + 1];
      }
      sum[half] = fmaf(sum[half], shrink, total);
#pragma unroll
      for (int j = 0; j < D / 8; j++) {
        o[j][2 * half] *= shrink;
        o[j][2 * half + 1] *= shrink;
      }
    }
  }

  /// O += P V.
  static __device__ __forceinline__ void weigh(
      float (&o)[Fragments][D / 8][4], const float (&s)[Fragments][Keys / 8][4], uint32_t v,
      const LanePlaces<kChunks>& places) {
#pragma unroll
    for (int step = 0; step < Keys / 16; step++) {
      uint32_t p[Fragments][4];
#pragma unroll
      for (int i = 0; i < Fragments; i++) {
        p[i][0] = pack_bf16(s[i][2 * step][0], s[i][2 * step][1]);
        p[i][1] = pack_bf16(s[i][2 * step][2], s[i][2 * step][3]);
        p[i][2] = pack_bf16(s[i][2 * step + 1][0], s[i][2 * step + 1][1]);
        p[i][3] = pack_bf16(s[i][2 * step + 1][2], s[i][2 * step + 1][3]);
      }
#pragma unroll
      for (int j = 0; j < D / 16; j++) {
        uint32_t b[4];
        ldmatrix_x4_trans(b, v + places(step * 16, j));
#pragma unroll
        for (int i = 0; i < Fragments; i++) {
          mma_bf16(o[i][2 * j], p[i], b[0], b[1]);
          mma_bf16(o[i][2 * j + 1], p[i], b[2], b[3]);
        }
      }
    }
  }

  /// Divides by the sums and writes o and lse: through shared memory, where Q was, so that rows leave in 16-byte pieces.
  static __device__ __forceinline__ void finish(const AttentionArgs& args, const Place& at, uint8_t* shared,
      int warpRow, const float (&o)[Fragments][D / 8][4], const float (&largest)[Fragments][2],
      float (&sum)[Fragments][2], float scale) {
    const int lane = static_cast<int>(threadIdx.x % 32);
    const int rows = min(kQueries, args.queries - at.query);
    const int64_t row = at.image * args.queries + at.query;
    const int64_t column = static_cast<int64_t>(at.head) * args.headDim;
    __syncwarp();
#pragma unroll
    for (int i = 0; i < Fragments; i++) {
#pragma unroll
      for (int half = 0; half < 2; half++) {
        float total = sum[i][half];
        total += __shfl_xor_sync(0xffffffffu, total, 1);
        total += __shfl_xor_sync(0xffffffffu, total, 2);
        const int r = warpRow + i * 16 + half * 8 + lane / 4;
        if (args.lse != nullptr && lane % 4 == 0 && r < rows) {
          args.lse[at.statistics(args) + r] = fmaf(largest[i][half] * scale, kLn2, log_exact(total));
        }
        const float factor = 1.f / total;
#pragma unroll
        for (int j = 0; j < D / 8; j++) {
          const float x = o[i][j][2 * half] * factor;
          const float y = o[i][j][2 * half + 1] * factor;
          if (args.o.type == kBf16) {
            *reinterpret_cast<uint32_t*>(shared + swizzled<kChunks>(r, j) + lane % 4 * 4) = pack_bf16(x, y);
          } else if (r < rows && j * 8 < args.headDim) {
            float* to = static_cast<float*>(args.o.data) + (row + r) * args.o.ld + column + j * 8 + lane % 4 * 2;
            to[0] = x;
            to[1] = y;
          }
        }
      }
    }
    if (args.o.type != kBf16) {
      return;
    }
    __syncwarp();
    for (int i = lane; i < kWarpQueries * kChunks; i += 32) {
      const int r = warpRow + i / kChunks;
      const int chunk = i % kChunks;
      if (r < rows && chunk * 8 < args.headDim) {
        const uint4 x = *reinterpret_cast<const uint4*>(shared + swizzled<kChunks>(r, chunk));
        uint16_t* to = static_cast<uint16_t*>(args.o.data) + (row + r) * args.o.ld + column + chunk * 8;
        *reinterpret_cast<uint4*>(to) = x;
      }
    }
  }
};

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

  /// [d][row], so that a thread reads its neighbouring rows at once.
  static __device__ __forceinline__ void fill_transposed(
      float* to, const Operand& x, int64_t base, int64_t column, int rows, int headDim) {
    for (int i = static_cast<int>(threadIdx.x); i < Tile * D; i += kThreads) {
      const int r = i / D;
      const int d = i % D;
      to[d * kStride + r] = r < rows && d < headDim ? load(x, base + r, column + d) : 0.f;
    }
  }

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
    const int tx = static_cast<int>(threadIdx.x) % 16;
    const int ty = static_cast<int>(threadIdx.x) / 16;
    for (int d = 0; d < headDim; d++) {
#pragma unroll
      for (int i = 0; i < kEach; i++) {
        const float x = q[d * kStride + ty * kEach + i];
#pragma unroll
        for (int j = 0; j < kEach; j++) {
          s[i][j] = fmaf(x, k[d * kStride + tx * kEach + j], s[i][j]);
        }
      }
    }
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
    fill_transposed(q, args.q, row, column, rows, args.headDim);

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
      fill_transposed(k, args.k, key, column, count, args.headDim);
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
    fill_transposed(q, args.q, at.image * args.queries + at.query, column, rows, args.headDim);
    fill_transposed(k, args.k, at.image * args.keys + first, column, count, args.headDim);
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
            const float x = s[i][j] - lse;
            const float y = x != x ? x : x > 89.f ? kInfinity : x < -104.f ? 0.f : exp_in_range(x);
            args.weights[statistic * args.keys + first + c] = c < count ? y : 0.f;
          }
        }
      }
    }
  }
};

}  // namespace

extern __shared__ __align__(128) uint8_t dynamic_shared[];

// `shared` is the dynamic shared memory of a launch, which the host must ask for.
#define TENSOR_ATTENTION(name, d, keys, fragments, blocks, shared)                                              \
  static_assert(TensorAttention<d, keys, fragments>::kSharedBytes == shared);                                   \
  extern "C" __global__ void __launch_bounds__(TensorAttention<d, keys, fragments>::kThreads, blocks)           \
      name(const __grid_constant__ AttentionArgs args) {                                                        \
    TensorAttention<d, keys, fragments>::run(args, dynamic_shared);                                             \
  }

TENSOR_ATTENTION(attention_forward_bf16_32, 32, 64, 2, 2, 24576)
TENSOR_ATTENTION(attention_forward_bf16_64, 64, 64, 2, 2, 49152)
TENSOR_ATTENTION(attention_forward_bf16_80, 80, 64, 1, 2, 51200)
TENSOR_ATTENTION(attention_forward_bf16_96, 96, 64, 1, 2, 61440)
TENSOR_ATTENTION(attention_forward_bf16_112, 112, 64, 1, 2, 71680)
TENSOR_ATTENTION(attention_forward_bf16_128, 128, 64, 1, 2, 81920)
TENSOR_ATTENTION(attention_forward_bf16_256, 256, 32, 1, 2, 98304)

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
