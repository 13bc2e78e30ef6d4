// Attention forward, o = softmax(scale q k^T) v per image and head, without the N x N matrix (FlashAttention-2,
// arXiv 2307.08691, algorithm 1), for dev.fovea.kernels.AttentionKernels; attention_f32.cu has the form for CUDA cores.
//
// attention_forward_bf16_D: q, k, v in bf16 on tensor cores (mma.sync m16n8k16), for head dimensions that are multiples
//   of 8 up to D (a multiple of 16); what D has more is zero in shared memory only. Four warps; each owns 16 or 32
//   queries for good, keeps their fragments, running maximum and output in registers, and meets the keys tile by tile:
//     S = Q K^T, online softmax by exp2 (scale log2 e folded into one FMA per logit), O += bf16(P) V,
//   the next tiles of K and V arriving by cp.async meanwhile (two stages, swizzled). The layout of S in registers is
//   that of the next product's left operand, so that P needs no shuffle. Row sums are reduced once, at the end.
//     D     queries  keys a tile  shared     registers
//     32    128      64           24 KiB     192 for Q, S, O
//     64    128      64           48 KiB     255 for Q, S, O
//     80    64       64           50 KiB     192 for Q, S, O
//     96    64       64           60 KiB     200 for Q, S, O
//     112   64       64           70 KiB     224 for Q, S, O
//     128   64       64           80 KiB     216 for Q, S, O
//     256   64       32           96 KiB     248 for S, O; Q is read again every time
//   Bound: at short sequences HBM (every operand is read once, but K and V once per tile of queries, from L2);
//   otherwise tensor cores and, at small D, exp2.
//
// Grid: one block per tile of queries, heads and images going slowest, so that the tiles of a head share K and V in L2.

#include <cstdint>

#include "attention_forward.cuh"

using namespace fovea;

// limit attention_forward_bf16_32: 192 registers, 0 spilled bytes, 0 shared bytes
// limit attention_forward_bf16_64: 255 registers, 0 spilled bytes, 0 shared bytes
// limit attention_forward_bf16_80: 192 registers, 0 spilled bytes, 0 shared bytes
// limit attention_forward_bf16_96: 200 registers, 0 spilled bytes, 0 shared bytes
// limit attention_forward_bf16_112: 224 registers, 0 spilled bytes, 0 shared bytes
// limit attention_forward_bf16_128: 216 registers, 0 spilled bytes, 0 shared bytes
// limit attention_forward_bf16_256: 248 registers, 0 spilled bytes, 0 shared bytes

namespace {

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
    const uint16_t* data = head_at(x, base, static_cast<int64_t>(head) * headDim);
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
    // Of a scale of 0 the smallest normal number is left, so that the first maximum, -infinity, stays that.
    const float scale = args.scale == 0.f ? 0x1p-126f : fabsf(args.scale) * kLog2E;
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
      add_weighted<D, Keys, Fragments>(o, s, k + kBytesK, placesV);
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

  /// Divides by the sums and writes o and lse: through shared memory, where Q was, so that rows leave in 16-byte
  /// pieces.
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
          const bool there = r < rows && j * 8 < args.headDim;
          put_pair<D>(shared, args.o, row, column, r, j, there, x, y);
        }
      }
    }
    if (args.o.type == kBf16) {
      store_rows<D, kWarpQueries>(shared, args.o, row, column, warpRow, rows, args.headDim);
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
