// Attention backward: dq, dk, dv from q, k, v, o, lse, dO, without the N x N matrix (FlashAttention-2, arXiv
// 2307.08691, algorithm 2), for dev.fovea.kernels.AttentionKernels; attention_backward_f32.cu has the form for CUDA
// cores. With p = exp(scale q k^T - lse), dp = dO v^T, delta = the rows' sums of dO o, and ds = p (dp - delta):
//   dq = scale ds k,  dk = scale ds^T q,  dv = p^T dO.
//
// Two kernels, so that nothing is added by atomics and equal arguments give equal bits. Each block owns rows for good
// and meets the other side tile by tile:
//   _queries_  owns queries (q, dO), meets keys (k, v), gathers dq; first it computes delta of its rows from o and dO,
//              which it keeps and leaves in memory for the other kernel.
//   _keys_     owns keys (k, v), meets queries (q, dO, lse, delta), gathers dk and dv. Keys past an image's
//              length get 0.
// Both multiply own x other^T twice (s and dp), then weights x other: one template each. The price is s and dp twice:
// seven products instead of five.
//
// attention_backward_SIDE_bf16_D: bf16 on tensor cores (mma.sync m16n8k16), for head dimensions that are multiples of 8
//   up to D (a multiple of 16); what D has more is zero in shared memory only. Four warps of 16 or 32 own rows, up to
//   255 registers; s and dp stay in registers, where they lie as the next product's left operand wants them, rounded to
//   bf16. The next tile of the other side arrives by cp.async meanwhile (two stages, swizzled). Gradients leave in
//   16-byte pieces.
//     D     own rows  others a tile  shared     registers hold
//     32    128       32             24.5 KiB   s, dp, gradients
//     64    128       32 (keys: 16)  48.5 KiB   s, dp, gradients; for the keys' kernel 40.3 KiB
//     80    64        64             61 KiB     s, dp, gradients
//     96    64        32             48.5 KiB   s, dp, gradients
//     128   64        32             64.5 KiB   s, dp, gradients
//   Bound: tensor cores, and at small D exp2; at D = 80 and more shared memory's bandwidth, since a fragment of the
//   other side serves only 16 rows.
//
// Grid: one block per tile of own rows, heads and images going slowest, so that the tiles of a head share the other
// side in L2.

#include <cstdint>

#include "attention_backward.cuh"
#include "reduce.cuh"

using namespace fovea;

// limit attention_backward_queries_bf16_32: 168 registers, 0 spilled bytes, 0 shared bytes
// limit attention_backward_queries_bf16_64: 240 registers, 0 spilled bytes, 0 shared bytes
// limit attention_backward_queries_bf16_80: 232 registers, 0 spilled bytes, 0 shared bytes
// limit attention_backward_queries_bf16_96: 200 registers, 0 spilled bytes, 0 shared bytes
// limit attention_backward_queries_bf16_128: 216 registers, 0 spilled bytes, 0 shared bytes
// limit attention_backward_keys_bf16_32: 200 registers, 0 spilled bytes, 0 shared bytes
// limit attention_backward_keys_bf16_64: 248 registers, 0 spilled bytes, 0 shared bytes
// limit attention_backward_keys_bf16_80: 248 registers, 0 spilled bytes, 0 shared bytes
// limit attention_backward_keys_bf16_96: 232 registers, 0 spilled bytes, 0 shared bytes
// limit attention_backward_keys_bf16_128: 248 registers, 0 spilled bytes, 0 shared bytes

namespace {

template <int D, int Others, int Fragments, bool Keys>
struct TensorGradient {
  static constexpr int kThreads = 128;
  static constexpr int kWarpRows = 16 * Fragments;
  static constexpr int kRows = 4 * kWarpRows;
  static constexpr int kChunks = D / 8;
  static constexpr int kBytesOwn = kRows * D * 2;
  static constexpr int kBytesOther = Others * D * 2;
  /// lse and delta of a stage's queries.
  static constexpr int kBytesStatistics = 2 * Others * 4;
  static constexpr int kSharedBytes = 2 * kBytesOwn + 4 * kBytesOther + 2 * kBytesStatistics;

  using Places = LanePlaces<kChunks>;
  using Scores = float[Fragments][Others / 8][4];
  using Sums = float[Fragments][D / 8][4];

  /// Copies rows [row, ..) of the head at hand, up to row `rows`.
  template <int Rows>
  static __device__ __forceinline__ void fill(
      uint8_t* tile, const Side<Keys>& at, const Operand& x, int64_t base, int row, int rows) {
    const uint16_t* data = head_at(x, base, at.column());
    fill_tile<Rows, kChunks, kThreads, true>(tile, data, x.ld, row, rows, 0, at.args.headDim);
  }

  static __device__ __forceinline__ void fill_others(uint8_t* stages, const Side<Keys>& at, int tile) {
    uint8_t* stage = stages + tile % 2 * 2 * kBytesOther;
    fill<Others>(stage, at, at.other1(), at.other_base(), tile * Others, at.others());
    fill<Others>(stage + kBytesOther, at, at.other2(), at.other_base(), tile * Others, at.others());
    if constexpr (Keys) {
      const int i = static_cast<int>(threadIdx.x);
      const int query = tile * Others + i % Others;
      if (i < 2 * Others) {
        const float* from = (i < Others ? at.args.lse : at.args.delta) + at.statistics();
        const bool there = query < at.args.queries;
        cp_async_4(shared_address(stages + 4 * kBytesOther + tile % 2 * kBytesStatistics) + i * 4,
            there ? from + query : from, there ? 4 : 0);
      }
    }
    cp_async_commit();
  }

  static __device__ __forceinline__ void run(const AttentionGradientArgs& args, uint8_t* shared) {
    const Side<Keys> at(args, kRows);
    const int lane = static_cast<int>(threadIdx.x % 32);
    const int warpRow = static_cast<int>(threadIdx.x / 32) * kWarpRows;
    uint8_t* stages = shared + 2 * kBytesOwn;
    fill<kRows>(shared, at, at.own1(), at.own_base(), at.first, at.own());
    fill<kRows>(shared + kBytesOwn, at, at.own2(), at.own_base(), at.first, at.own());
    fill_others(stages, at, 0);
    const int tiles = (at.others() + Others - 1) / Others;
    const uint32_t own = shared_address(shared);
    const Places placesOwn(warpRow + lane % 16, lane / 16);
    const Places placesOther(lane % 8 + lane / 16 * 8, lane / 8 % 2);
    const Places placesDown(lane % 16, lane / 16);

    // Of this lane's rows, for queries: -lse log2 e and delta.
    float shift[Fragments][2];
    float delta[Fragments][2];
    if constexpr (!Keys) {
      cp_async_wait<0>();
      __syncthreads();
      statistics(at, shared + kBytesOwn, warpRow, shift, delta);
    }
    Sums first = {};
    Sums second = {};
    for (int tile = 0; tile < tiles; tile++) {
      cp_async_wait<0>();
      __syncthreads();
      if (tile + 1 < tiles) {
        fill_others(stages, at, tile + 1);
      }
      const uint32_t other = shared_address(stages + tile % 2 * 2 * kBytesOther);
      Scores s = {};
      Scores dp = {};
      multiply(s, own, placesOwn, other, placesOther);
      multiply(dp, own + kBytesOwn, placesOwn, other + kBytesOther, placesOther);
      const float* columns = reinterpret_cast<const float*>(stages + 4 * kBytesOther + tile % 2 * kBytesStatistics);
      weigh(s, dp, at.args.scale * kLog2E, columns, shift, delta);
      if (tile == tiles - 1) {
        mask(s, dp, tile * Others, at.others());
      }
      add_weighted<D, Others, Fragments>(first, dp, other, placesDown);
      if constexpr (Keys) {
        add_weighted<D, Others, Fragments>(second, s, other + kBytesOther, placesDown);
      }
    }
    cp_async_wait<0>();
    __syncthreads();
    write(at, at.gradient1(), shared, warpRow, first, args.scale);
    if constexpr (Keys) {
      write(at, args.dv, shared + kBytesOwn, warpRow, second, 1.f);
    }
  }

  /// delta = sum dO o of this warp's queries: the four lanes of a row share its chunks.
  static __device__ __forceinline__ void statistics(const Side<Keys>& at, const uint8_t* dO, int warpRow,
      float (&shift)[Fragments][2], float (&delta)[Fragments][2]) {
    const int lane = static_cast<int>(threadIdx.x % 32);
    const int64_t statistics = at.statistics() + at.first;
    const uint16_t* o = head_at(at.args.o, at.own_base() + at.first, at.column());
#pragma unroll
    for (int i = 0; i < Fragments; i++) {
#pragma unroll
      for (int half = 0; half < 2; half++) {
        const int r = warpRow + i * 16 + half * 8 + lane / 4;
        const bool there = at.first + r < at.args.queries;
        float sum = 0.f;
        for (int chunk = lane % 4; chunk * 8 < at.args.headDim && there; chunk += 4) {
          const uint4 x = *reinterpret_cast<const uint4*>(o + r * at.args.o.ld + chunk * 8);
          const uint4 y = *reinterpret_cast<const uint4*>(dO + swizzled<kChunks>(r, chunk));
          sum = dot(x.x, y.x, sum);
          sum = dot(x.y, y.y, sum);
          sum = dot(x.z, y.z, sum);
          sum = dot(x.w, y.w, sum);
        }
        sum = warp_sum<4>(sum);
        delta[i][half] = sum;
        shift[i][half] = there ? -at.args.lse[statistics + r] * kLog2E : 0.f;
        if (there && lane % 4 == 0) {
          at.args.delta[statistics + r] = sum;
        }
      }
    }
  }

  /// sum + the products of two pairs of bf16.
  static __device__ __forceinline__ float dot(uint32_t x, uint32_t y, float sum) {
    sum = fmaf(__uint_as_float(x << 16), __uint_as_float(y << 16), sum);
    return fmaf(__uint_as_float(x & 0xffff0000u), __uint_as_float(y & 0xffff0000u), sum);
  }

  /// s += own other^T.
  static __device__ __forceinline__ void multiply(
      Scores& s, uint32_t own, const Places& placesOwn, uint32_t other, const Places& placesOther) {
#pragma unroll
    for (int step = 0; step < D / 16; step++) {
      uint32_t a[Fragments][4];
#pragma unroll
      for (int i = 0; i < Fragments; i++) {
        ldmatrix_x4(a[i], own + placesOwn(i * 16, step));
      }
#pragma unroll
      for (int j = 0; j < Others / 16; j++) {
        uint32_t b[4];
        ldmatrix_x4(b, other + placesOther(j * 16, step));
#pragma unroll
        for (int i = 0; i < Fragments; i++) {
          mma_bf16(s[i][2 * j], a[i], b[0], b[1]);
          mma_bf16(s[i][2 * j + 1], a[i], b[2], b[3]);
        }
      }
    }
  }

  /// s becomes p, dp becomes ds. A query's statistics belong to a column where keys are owned, else to a row.
  static __device__ __forceinline__ void weigh(Scores& s, Scores& dp, float scale, const float* columns,
      const float (&shift)[Fragments][2], const float (&delta)[Fragments][2]) {
#pragma unroll
    for (int j = 0; j < Others / 8; j++) {
      float2 lse = make_float2(0.f, 0.f);
      float2 sum = make_float2(0.f, 0.f);
      if constexpr (Keys) {
        const int column = j * 8 + static_cast<int>(threadIdx.x % 4) * 2;
        lse = *reinterpret_cast<const float2*>(columns + column);
        sum = *reinterpret_cast<const float2*>(columns + Others + column);
      }
#pragma unroll
      for (int i = 0; i < Fragments; i++) {
#pragma unroll
        for (int c = 0; c < 4; c++) {
          const float offset = !Keys ? shift[i][c / 2] : -(c % 2 == 0 ? lse.x : lse.y) * kLog2E;
          const float less = !Keys ? delta[i][c / 2] : c % 2 == 0 ? sum.x : sum.y;
          s[i][j][c] = exp2_fast(fmaf(s[i][j][c], scale, offset));
          dp[i][j][c] = s[i][j][c] * (dp[i][j][c] - less);
        }
      }
    }
  }

  /// Weights of others past the end become 0.
  static __device__ __forceinline__ void mask(Scores& s, Scores& dp, int first, int count) {
    const int column = first + static_cast<int>(threadIdx.x % 4) * 2;
#pragma unroll
    for (int j = 0; j < Others / 8; j++) {
#pragma unroll
      for (int c = 0; c < 4; c++) {
        if (column + j * 8 + c % 2 >= count) {
#pragma unroll
          for (int i = 0; i < Fragments; i++) {
            s[i][j][c] = 0.f;
            dp[i][j][c] = 0.f;
          }
        }
      }
    }
  }

  /// Writes a gradient: bf16 through shared memory, where this warp's own rows were, so that it leaves in 16-byte
  /// pieces.
  static __device__ __forceinline__ void write(
      const Side<Keys>& at, const Operand& to, uint8_t* shared, int warpRow, const Sums& sums, float factor) {
    const int lane = static_cast<int>(threadIdx.x % 32);
    const int rows = at.stored() - at.first;
    const int counted = at.own() - at.first;
    const int64_t row = at.own_base() + at.first;
#pragma unroll
    for (int i = 0; i < Fragments; i++) {
#pragma unroll
      for (int half = 0; half < 2; half++) {
        const int r = warpRow + i * 16 + half * 8 + lane / 4;
#pragma unroll
        for (int j = 0; j < D / 8; j++) {
          const float x = r < counted ? sums[i][j][2 * half] * factor : 0.f;
          const float y = r < counted ? sums[i][j][2 * half + 1] * factor : 0.f;
          const bool there = r < rows && j * 8 < at.args.headDim;
          put_pair<D>(shared, to, row, at.column(), r, j, there, x, y);
        }
      }
    }
    if (to.type == kBf16) {
      store_rows<D, kWarpRows>(shared, to, row, at.column(), warpRow, rows, at.args.headDim);
    }
  }
};

}  // namespace

extern __shared__ __align__(128) uint8_t dynamic_shared[];

// `shared...` is the dynamic shared memory of a launch, which the host must ask for.
#define TENSOR_GRADIENT(d, fragments, keys, sharedQueries, queries, sharedKeys)                      \
  static_assert(TensorGradient<d, keys, fragments, false>::kSharedBytes == sharedQueries);           \
  static_assert(TensorGradient<d, queries, fragments, true>::kSharedBytes == sharedKeys);            \
  extern "C" __global__ void __launch_bounds__(128, 2)                                               \
      attention_backward_queries_bf16_##d(const __grid_constant__ AttentionGradientArgs args) {      \
    TensorGradient<d, keys, fragments, false>::run(args, dynamic_shared);                            \
  }                                                                                                  \
  extern "C" __global__ void __launch_bounds__(128, 2)                                               \
      attention_backward_keys_bf16_##d(const __grid_constant__ AttentionGradientArgs args) {         \
    TensorGradient<d, queries, fragments, true>::run(args, dynamic_shared);                          \
  }

TENSOR_GRADIENT(32, 2, 32, 25088, 32, 25088)
TENSOR_GRADIENT(64, 2, 32, 49664, 16, 41216)
TENSOR_GRADIENT(80, 1, 64, 62464, 64, 62464)
TENSOR_GRADIENT(96, 1, 32, 49664, 32, 49664)
TENSOR_GRADIENT(128, 1, 32, 66048, 32, 66048)
