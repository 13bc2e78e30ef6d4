// Matrix products C = epilogue(alpha op(A) op(B)) of dev.fovea.kernels.Gemm, row-major, bf16 operands on tensor cores
// (mma.sync m16n8k16) with f32 sums, in three layouts:
//   NN  A [m,k], B [k,n]     NT  A [m,k], B [n,k]     TN  A [k,m], B [k,n]
//
// gemm_bf16_LAYOUT_MxN: a block makes a tile of M x N. Tiles of A and B, 32 deep, stream through a ring of four stages
//   in shared memory (cp.async, three stages ahead) and reach registers by ldmatrix; both are stored as they lie in
//   memory, rows of 16-byte chunks swizzled by XOR, and the operand that is not k-contiguous is transposed by ldmatrix
//   on the way.
//     128x128  256 threads, 8 warps of 64x32   64 KiB   128 registers   2 blocks per multiprocessor
//     64x64    128 threads, 4 warps of 32x32   32 KiB   96 registers    4 blocks, for few tiles
//   Bound: tensor cores; per 16 deep a warp of 64x32 loads 3 KiB of fragments for 16 mma.
// gemm_bf16_LAYOUT_64x128_any is for operands whose rows do not begin on 16 bytes (odd widths): it reads element by
//   element, and is bound by that. 128 threads, 48 KiB, up to 152 registers.
// .._gated makes half as many columns: the left half of a tile is the gate of the right half, and B's rows for it come
//   from both halves of B.
//
// Grid: one block per tile and piece of k, and those that make a bias gradient (gemm.cuh). Epilogue: epilogue.cuh, over
// slabs of 64 rows that the accumulators leave in shared memory (the ring's, when it is done).

#include <cstdint>

#include "gemm.cuh"
#include "ptx.cuh"
#include "tile.cuh"

using namespace fovea;

// limit gemm_bf16_*_128x128: 128 registers, 0 spilled bytes, 0 shared bytes
// limit gemm_bf16_*_64x64: 96 registers, 0 spilled bytes, 0 shared bytes
// limit gemm_bf16_*_any: 152 registers, 0 spilled bytes, 0 shared bytes
// limit gemm_bf16_*_128x128_gated: 128 registers, 0 spilled bytes, 0 shared bytes
// limit gemm_bf16_*_64x64_gated: 96 registers, 0 spilled bytes, 0 shared bytes
// limit gemm_bf16_*_any_gated: 152 registers, 0 spilled bytes, 0 shared bytes

namespace {

template <int Layout, int M, int N, int WarpM, int WarpN, bool Aligned, bool Gated>
struct TensorTile {
  static constexpr int kDepth = 32;
  static constexpr int kStages = 4;
  static constexpr int kWarpsN = N / WarpN;
  static constexpr int kThreads = M / WarpM * kWarpsN * 32;
  static constexpr bool kTallA = Layout == kTN;
  static constexpr bool kTallB = Layout != kNT;
  static constexpr int kBytesA = M * kDepth * 2;
  static constexpr int kBytesB = N * kDepth * 2;
  static constexpr int kRingBytes = kStages * (kBytesA + kBytesB);
  static constexpr int kSlabBytes = kSlabRows * kSlabStride<N> * 4;
  static constexpr int kSharedBytes = kRingBytes > kSlabBytes ? kRingBytes : kSlabBytes;

  /// Loads step `step` into its stage.
  static __device__ __forceinline__ void fill(
      const GemmArgs& args, const Steps<kDepth, !kTallA>& steps, uint8_t* ring, int step, const Extent& rows,
      const Extent& columns) {
    uint8_t* a = ring + step % kStages * (kBytesA + kBytesB);
    uint8_t* b = a + kBytesA;
    const int begin = steps.begin(step);
    const int end = steps.end(step);
    const Operand& part = steps.second(step) || (kTallA && rows.skipped > 0) ? args.a2 : args.a;
    const Operand& partB = kTallA && columns.skipped > 0 ? args.b2 : args.b;
    const uint16_t* dataA = static_cast<const uint16_t*>(part.data);
    const uint16_t* dataB = static_cast<const uint16_t*>(partB.data);
    if constexpr (kTallA) {
      const int skipped = rows.skipped;
      fill_tile<kDepth, M / 8, kThreads, Aligned>(
          a, dataA, part.ld, begin, end, rows.first - skipped, rows.end - skipped);
    } else {
      const int skipped = steps.second(step) ? steps.splitK : 0;
      fill_tile<M, kDepth / 8, kThreads, Aligned>(
          a, dataA, part.ld, rows.first, rows.end, begin - skipped, end - skipped);
    }
    if constexpr (kTallB) {
      const int skipped = kTallA ? columns.skipped : 0;
      fill_tile<kDepth, N / 8, kThreads, Aligned>(
          b, dataB, partB.ld, begin, end, columns.first - skipped, columns.end - skipped);
    } else {
      constexpr int kRows = Gated ? N / 2 : N;
      fill_tile<kRows, kDepth / 8, kThreads, Aligned>(b, dataB, partB.ld, columns.first, columns.end, begin, end);
      if constexpr (Gated) {
        const int right = args.e.gate;
        fill_tile<kRows, kDepth / 8, kThreads, Aligned>(
            b + kRows * kDepth * 2, dataB, partB.ld, columns.first + right, columns.end + right, begin, end);
      }
    }
  }

  using PlacesA = LanePlaces<kTallA ? M / 8 : kDepth / 8>;
  using PlacesB = LanePlaces<kTallB ? N / 8 : kDepth / 8>;

  /// Where this lane's rows for ldmatrix begin in a tile of A, from row `row` of C on.
  static __device__ __forceinline__ PlacesA places_a(int row) {
    const int lane = static_cast<int>(threadIdx.x % 32);
    if constexpr (kTallA) {
      return PlacesA(lane % 8 + lane / 16 * 8, row / 8 + lane / 8 % 2);
    } else {
      return PlacesA(row + lane % 16, lane / 16);
    }
  }

  /// Where they begin in a tile of B, from column `column` of C on.
  static __device__ __forceinline__ PlacesB places_b(int column) {
    const int lane = static_cast<int>(threadIdx.x % 32);
    if constexpr (kTallB) {
      return PlacesB(lane % 16, column / 8 + lane / 16);
    } else {
      return PlacesB(column + lane % 8 + lane / 16 * 8, lane / 8 % 2);
    }
  }

  /// The i-th fragment of A, 16 rows each, at depth [16 half, ..).
  static __device__ __forceinline__ void fragment_a(
      uint32_t (&d)[4], uint32_t tile, const PlacesA& places, int i, int half) {
    if constexpr (kTallA) {
      ldmatrix_x4_trans(d, tile + places(half * 16, i));
    } else {
      ldmatrix_x4(d, tile + places(i * 16, half));
    }
  }

  /// The j-th two fragments of B, 8 columns each.
  static __device__ __forceinline__ void fragment_b(
      uint32_t (&d)[4], uint32_t tile, const PlacesB& places, int j, int half) {
    if constexpr (kTallB) {
      ldmatrix_x4_trans(d, tile + places(half * 16, j));
    } else {
      ldmatrix_x4(d, tile + places(j * 16, half));
    }
  }

  static __device__ __forceinline__ void run(const GemmArgs& args, uint8_t* shared) {
    if (kTallA && static_cast<int>(blockIdx.x) < args.sumBlocks) {
      sum_operand<kThreads>(args, static_cast<int>(blockIdx.x), reinterpret_cast<float*>(shared));
      return;
    }
    const int2 tile = tile_of(args, piece_of_block(args));
    const Extent rows = rows_of<Layout, M>(args, tile.x);
    const Extent columns = columns_of<Layout, N, Gated>(args, tile.y);
    const int warp = static_cast<int>(threadIdx.x / 32);
    const int warpRow = warp / kWarpsN * WarpM;
    const int warpColumn = warp % kWarpsN * WarpN;
    const Steps<kDepth, !kTallA> steps(args, piece_of_block(args));
    const PlacesA placesA = places_a(warpRow);
    const PlacesB placesB = places_b(warpColumn);

    float sums[WarpM / 16][WarpN / 8][4] = {};
#pragma unroll
    for (int s = 0; s < kStages - 1; s++) {
      if (s < steps.total) {
        fill(args, steps, shared, s, rows, columns);
      }
      cp_async_commit();
    }
    if (!Gated && args.splits == 1) {
      prefetch_tile<kThreads>(args.e, rows.first, min(M, rows.end - rows.first), columns.first, columns.end);
    }
    for (int step = 0; step < steps.total; step++) {
      cp_async_wait<kStages - 2>();
      __syncthreads();
      if (step + kStages - 1 < steps.total) {
        fill(args, steps, shared, step + kStages - 1, rows, columns);
      }
      cp_async_commit();
      const uint32_t a = shared_address(shared + step % kStages * (kBytesA + kBytesB));
      const uint32_t b = a + kBytesA;
#pragma unroll
      for (int half = 0; half < kDepth / 16; half++) {
        uint32_t fb[WarpN / 16][4];
#pragma unroll
        for (int j = 0; j < WarpN / 16; j++) {
          fragment_b(fb[j], b, placesB, j, half);
        }
#pragma unroll
        for (int i = 0; i < WarpM / 16; i++) {
          uint32_t fa[4];
          fragment_a(fa, a, placesA, i, half);
#pragma unroll
          for (int j = 0; j < WarpN / 8; j++) {
            mma_bf16(sums[i][j], fa, fb[j / 2][j % 2 * 2], fb[j / 2][j % 2 * 2 + 1]);
          }
        }
      }
    }
    cp_async_wait<0>();
    if constexpr (kTallA) {
      const auto each = [&](auto f) {
#pragma unroll
        for (int i = 0; i < WarpM / 16; i++) {
#pragma unroll
          for (int j = 0; j < WarpN / 8; j++) {
#pragma unroll
            for (int c = 0; c < 4; c++) {
              f((i * (WarpN / 8) + j) * 4 + c, sums[i][j][c]);
            }
          }
        }
      };
      if (!gather_splits<kThreads, WarpM * WarpN / 32>(args, piece_of_block(args), each)) {
        return;
      }
    }
    finish(args, shared, warpRow, warpColumn, sums);
  }

  static __device__ __forceinline__ void finish(const GemmArgs& args, uint8_t* shared, int warpRow, int warpColumn,
      const float (&sums)[WarpM / 16][WarpN / 8][4]) {
    const int2 tile = tile_of(args, piece_of_block(args));
    const Extent down = rows_of<Layout, M>(args, tile.x);
    const TileColumns columns = tile_columns<Layout, N, Gated>(args, tile.y);
    const int row = down.first;
    float* slab = reinterpret_cast<float*>(shared);
    const int lane = static_cast<int>(threadIdx.x % 32);
    Quad columnSums = {};
#pragma unroll 1
    for (int begin = 0; begin < M && row + begin < down.end; begin += kSlabRows) {
      __syncthreads();
      if (warpRow / kSlabRows * kSlabRows == begin) {
#pragma unroll
        for (int i = 0; i < WarpM / 16; i++) {
          const int r = warpRow % kSlabRows + i * 16 + lane / 4;
#pragma unroll
          for (int j = 0; j < WarpN / 8; j++) {
            const int c = warpColumn + j * 8 + lane % 4 * 2;
            *reinterpret_cast<float2*>(slab + r * kSlabStride<N> + c) = make_float2(sums[i][j][0], sums[i][j][1]);
            *reinterpret_cast<float2*>(slab + (r + 8) * kSlabStride<N> + c) = make_float2(sums[i][j][2], sums[i][j][3]);
          }
        }
      }
      __syncthreads();
      const int rows = min(kSlabRows, down.end - row - begin);
      if constexpr (Gated) {
        finish_gated_slab<N, kThreads>(args.e, columns, slab, row + begin, rows);
      } else {
        finish_slab<N, kThreads>(args.e, columns, slab, row + begin, rows, args.m, columnSums);
      }
    }
    finish_sums<N, kThreads>(args.e, tile, columns, slab, args.rowTiles, args.n, columnSums);
  }
};

}  // namespace

extern __shared__ __align__(128) uint8_t dynamic_shared[];

// `shared` is the dynamic shared memory of a launch, which the host must ask for.
#define TENSOR_GEMM(name, layout, m, n, warpM, warpN, blocks, shared, aligned, gated)                    \
  static_assert(TensorTile<layout, m, n, warpM, warpN, aligned, gated>::kSharedBytes == shared);         \
  extern "C" __global__ void                                                                             \
      __launch_bounds__(TensorTile<layout, m, n, warpM, warpN, aligned, gated>::kThreads, blocks)        \
          name(const __grid_constant__ GemmArgs args) {                                                  \
    TensorTile<layout, m, n, warpM, warpN, aligned, gated>::run(args, dynamic_shared);                   \
  }

TENSOR_GEMM(gemm_bf16_nn_128x128, kNN, 128, 128, 64, 32, 2, 65536, true, false)
TENSOR_GEMM(gemm_bf16_nt_128x128, kNT, 128, 128, 64, 32, 2, 65536, true, false)
TENSOR_GEMM(gemm_bf16_tn_128x128, kTN, 128, 128, 64, 32, 2, 65536, true, false)
TENSOR_GEMM(gemm_bf16_nn_64x64, kNN, 64, 64, 32, 32, 4, 32768, true, false)
TENSOR_GEMM(gemm_bf16_nt_64x64, kNT, 64, 64, 32, 32, 4, 32768, true, false)
TENSOR_GEMM(gemm_bf16_tn_64x64, kTN, 64, 64, 32, 32, 4, 32768, true, false)
TENSOR_GEMM(gemm_bf16_nn_64x128_any, kNN, 64, 128, 32, 64, 2, 49152, false, false)
TENSOR_GEMM(gemm_bf16_nt_64x128_any, kNT, 64, 128, 32, 64, 2, 49152, false, false)
TENSOR_GEMM(gemm_bf16_tn_64x128_any, kTN, 64, 128, 32, 64, 2, 49152, false, false)
TENSOR_GEMM(gemm_bf16_nt_128x128_gated, kNT, 128, 128, 64, 32, 2, 65536, true, true)
TENSOR_GEMM(gemm_bf16_nt_64x64_gated, kNT, 64, 64, 32, 32, 4, 32768, true, true)
TENSOR_GEMM(gemm_bf16_nt_64x128_any_gated, kNT, 64, 128, 32, 64, 2, 49152, false, true)
