// Matrix products C = epilogue(alpha op(A) op(B)) of dev.fovea.kernels.Gemm, row-major, in three layouts:
//   NN  A [m,k], B [k,n]     NT  A [m,k], B [n,k]     TN  A [k,m], B [k,n]
//
// gemm_bf16_LAYOUT_MxN: bf16 operands on tensor cores (mma.sync m16n8k16), f32 sums.
//   A block makes a tile of M x N. Tiles of A and B, 32 deep, stream through a ring of four stages in shared memory
//   (cp.async, three stages ahead) and reach registers by ldmatrix; both are stored as they lie in memory, rows of
//   16-byte chunks swizzled by XOR, and the operand that is not k-contiguous is transposed by ldmatrix on the way.
//     128x128  256 threads, 8 warps of 64x32   64 KiB   2 blocks per multiprocessor
//     64x64    128 threads, 4 warps of 32x32   32 KiB   4 blocks, for few tiles
//   Bound: tensor cores; per 16 deep a warp of 64x32 loads 3 KiB of fragments for 16 mma.
//   gemm_bf16_LAYOUT_64x128_any is for operands whose rows do not begin on 16 bytes (odd widths): it reads element by
//   element, and is bound by that.
//
// gemm_f32_LAYOUT_64x128: F32, or a mix of F32 and BF16, on CUDA cores with true F32 arithmetic.
//   256 threads of 4x8 values; operands 16 deep, converted on their way into shared memory (two stages, the next one
//   loaded into registers meanwhile). 34 KiB, 2 blocks per multiprocessor. Bound: FFMA issue, 3 shared loads of 16
//   bytes for 32 FFMA.
//
// Grid: one block per tile, in groups of eight tile rows, so that neighbouring blocks share operands in L2.
// Epilogue: epilogue.cuh, over slabs of 64 rows that the accumulators leave in shared memory (the ring's, when it is
// done). A may be split along k: its second part goes on where the first ends, with its own tail.

#include <cstdint>

#include "epilogue.cuh"
#include "operand.cuh"
#include "ptx.cuh"
#include "tile.cuh"

using namespace fovea;

// limit gemm_bf16_*_128x128: 128 registers, 0 spilled bytes, 0 shared bytes
// limit gemm_bf16_*_64x64: 128 registers, 0 spilled bytes, 0 shared bytes
// limit gemm_bf16_*_any: 200 registers, 0 spilled bytes, 0 shared bytes
// limit gemm_f32_*: 128 registers, 0 spilled bytes, 0 shared bytes

enum Layout { kNN, kNT, kTN };

struct GemmArgs {
  Operand a;
  /// The columns of A from `splitK` on, if it is in two parts.
  Operand a2;
  Operand b;
  int32_t m;
  int32_t n;
  int32_t k;
  int32_t splitK;
  int32_t rowTiles;
  int32_t columnTiles;
  Epilogue e;
};
static_assert(sizeof(GemmArgs) == 456);

namespace {

constexpr int kGroup = 8;

/// Which tile a block makes: down the rows of a group of tile rows, then on to the next columns.
__device__ __forceinline__ int2 tile_of_block(const GemmArgs& args) {
  const int perGroup = kGroup * args.columnTiles;
  const int group = static_cast<int>(blockIdx.x) / perGroup;
  const int within = static_cast<int>(blockIdx.x) % perGroup;
  const int rows = min(kGroup, args.rowTiles - group * kGroup);
  return make_int2(group * kGroup + within % rows, within / rows);
}

/// The steps of the main loop: where along k one begins, in A's part and in B, and where it must stop. Only where
/// `Split` says so may A be in two parts.
template <int Depth, bool Split>
struct Steps {
  int first;
  int total;
  int splitK;
  int k;

  __device__ __forceinline__ explicit Steps(const GemmArgs& args)
      : first((args.splitK + Depth - 1) / Depth),
        total(Split ? first + (args.k - args.splitK + Depth - 1) / Depth : first),
        splitK(args.splitK),
        k(args.k) {}

  __device__ __forceinline__ bool second(int step) const { return Split && step >= first; }
  /// Offset along k, in all of A.
  __device__ __forceinline__ int begin(int step) const {
    return second(step) ? splitK + (step - first) * Depth : step * Depth;
  }
  __device__ __forceinline__ int end(int step) const { return second(step) ? k : splitK; }
};

template <int Layout, int M, int N, int WarpM, int WarpN, bool Aligned>
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
      const GemmArgs& args, const Steps<kDepth, !kTallA>& steps, uint8_t* ring, int step, int row, const TileColumns& columns) {
    uint8_t* a = ring + step % kStages * (kBytesA + kBytesB);
    uint8_t* b = a + kBytesA;
    const int begin = steps.begin(step);
    const int end = steps.end(step);
    const Operand& part = steps.second(step) ? args.a2 : args.a;
    const int skipped = steps.second(step) ? steps.splitK : 0;
    const uint16_t* dataA = static_cast<const uint16_t*>(part.data);
    const uint16_t* dataB = static_cast<const uint16_t*>(args.b.data);
    if constexpr (kTallA) {
      fill_tile<kDepth, M / 8, kThreads, Aligned>(a, dataA, part.ld, begin, end, row, args.m);
    } else {
      fill_tile<M, kDepth / 8, kThreads, Aligned>(a, dataA, part.ld, row, args.m, begin - skipped, end - skipped);
    }
    const int lastColumn = columns.first + columns.count;
    if constexpr (kTallB) {
      fill_tile<kDepth, N / 8, kThreads, Aligned>(b, dataB, args.b.ld, begin, end, columns.first, lastColumn);
    } else {
      fill_tile<N, kDepth / 8, kThreads, Aligned>(b, dataB, args.b.ld, columns.first, lastColumn, begin, end);
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
    const int2 tile = tile_of_block(args);
    const int row = tile.x * M;
    const TileColumns columns = tile_columns<N>(args.e, args.n, tile.y);
    const int warp = static_cast<int>(threadIdx.x / 32);
    const int warpRow = warp / kWarpsN * WarpM;
    const int warpColumn = warp % kWarpsN * WarpN;
    const Steps<kDepth, !kTallA> steps(args);
    const PlacesA placesA = places_a(warpRow);
    const PlacesB placesB = places_b(warpColumn);

    float sums[WarpM / 16][WarpN / 8][4] = {};
#pragma unroll
    for (int s = 0; s < kStages - 1; s++) {
      if (s < steps.total) {
        fill(args, steps, shared, s, row, columns);
      }
      cp_async_commit();
    }
    for (int step = 0; step < steps.total; step++) {
      cp_async_wait<kStages - 2>();
      __syncthreads();
      if (step + kStages - 1 < steps.total) {
        fill(args, steps, shared, step + kStages - 1, row, columns);
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
    finish(args, shared, tile.x, row, columns, warpRow, warpColumn, sums);
  }

  static __device__ __forceinline__ void finish(const GemmArgs& args, uint8_t* shared, int rowTile, int row,
      const TileColumns& columns, int warpRow, int warpColumn, const float (&sums)[WarpM / 16][WarpN / 8][4]) {
    float* slab = reinterpret_cast<float*>(shared);
    const int lane = static_cast<int>(threadIdx.x % 32);
    Quad columnSums = {};
#pragma unroll 1
    for (int begin = 0; begin < M && row + begin < args.m; begin += kSlabRows) {
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
      const int rows = min(kSlabRows, args.m - row - begin);
      finish_slab<N, kThreads>(args.e, columns, slab, row + begin, rows, args.m, columnSums);
    }
    finish_sums<N, kThreads>(args.e, columns, slab, rowTile, args.n, columnSums);
  }
};

template <int Layout, int N>
struct CudaCoreTile {
  static constexpr int kM = 64;
  static constexpr int kDepth = 16;
  static constexpr int kThreads = 256;
  /// A thread's columns: runs of four, 64 apart.
  static constexpr int kRuns = N / 64;
  /// A row of a stage has four values more than the tile, so that the stores of a transposed operand spread over banks.
  static constexpr int kStrideA = kM + 4;
  static constexpr int kStrideB = N + 4;
  static constexpr int kStageA = kDepth * kStrideA;
  static constexpr int kStageB = kDepth * kStrideB;
  static constexpr int kSlabBytes = kSlabRows * kSlabStride<N> * 4;
  static constexpr int kRingBytes = 2 * (kStageA + kStageB) * 4;
  static constexpr int kSharedBytes = kSlabBytes > kRingBytes ? kSlabBytes : kRingBytes;

  /// Four of a thread's values of a 64-wide piece of op(X)[outer, k] that begins at `first`.
  template <bool Tall>
  static __device__ __forceinline__ Quad fetch(
      const Operand& x, int first, int last, int begin, int end, int64_t skipped) {
    const int t = static_cast<int>(threadIdx.x);
    if constexpr (Tall) {
      const int k = begin + t / 16;
      const int outer = first + t % 16 * 4;
      const int count = k < end ? last - outer : 0;
      return count > 0 ? load4(x, k - skipped, outer, count) : Quad{};
    } else {
      const int outer = first + t / 4;
      const int k = begin + t % 4 * 4;
      const int count = outer < last ? end - k : 0;
      return count > 0 ? load4(x, outer, k - skipped, count) : Quad{};
    }
  }

  /// Puts them where the main loop reads: [k][outer].
  template <bool Tall, int Stride>
  static __device__ __forceinline__ void put(float* stage, const Quad& q) {
    const int t = static_cast<int>(threadIdx.x);
    if constexpr (Tall) {
      *reinterpret_cast<float4*>(stage + t / 16 * Stride + t % 16 * 4) = make_float4(q.v[0], q.v[1], q.v[2], q.v[3]);
    } else {
#pragma unroll
      for (int j = 0; j < 4; j++) {
        stage[(t % 4 * 4 + j) * Stride + t / 4] = q.v[j];
      }
    }
  }

  static __device__ __forceinline__ void run(const GemmArgs& args, float* shared) {
    constexpr bool kTallA = Layout == kTN;
    constexpr bool kTallB = Layout != kNT;
    const int2 tile = tile_of_block(args);
    const int row = tile.x * kM;
    const TileColumns columns = tile_columns<N>(args.e, args.n, tile.y);
    const int lastColumn = columns.first + columns.count;
    const int tx = static_cast<int>(threadIdx.x) % 16;
    const int ty = static_cast<int>(threadIdx.x) / 16;
    const Steps<kDepth, !kTallA> steps(args);

    float sums[4][kRuns * 4] = {};
    Quad a;
    Quad b[kRuns];
    const auto fetch_step = [&](int step) {
      const bool second = steps.second(step);
      const int begin = steps.begin(step);
      const int end = steps.end(step);
      a = fetch<kTallA>(second ? args.a2 : args.a, row, args.m, begin, end, second ? steps.splitK : 0);
#pragma unroll
      for (int r = 0; r < kRuns; r++) {
        b[r] = fetch<kTallB>(args.b, columns.first + r * 64, lastColumn, begin, end, 0);
      }
    };
    fetch_step(0);
    for (int step = 0; step < steps.total; step++) {
      float* stageA = shared + step % 2 * (kStageA + kStageB);
      float* stageB = stageA + kStageA;
      put<kTallA, kStrideA>(stageA, a);
#pragma unroll
      for (int r = 0; r < kRuns; r++) {
        put<kTallB, kStrideB>(stageB + r * 64, b[r]);
      }
      __syncthreads();
      if (step + 1 < steps.total) {
        fetch_step(step + 1);
      }
#pragma unroll
      for (int k = 0; k < kDepth; k++) {
        const float4 va = *reinterpret_cast<const float4*>(stageA + k * kStrideA + ty * 4);
        const float x[4] = {va.x, va.y, va.z, va.w};
#pragma unroll
        for (int r = 0; r < kRuns; r++) {
          const float4 vb = *reinterpret_cast<const float4*>(stageB + k * kStrideB + r * 64 + tx * 4);
          const float y[4] = {vb.x, vb.y, vb.z, vb.w};
#pragma unroll
          for (int i = 0; i < 4; i++) {
#pragma unroll
            for (int j = 0; j < 4; j++) {
              sums[i][r * 4 + j] = fmaf(x[i], y[j], sums[i][r * 4 + j]);
            }
          }
        }
      }
    }
    __syncthreads();
#pragma unroll
    for (int i = 0; i < 4; i++) {
#pragma unroll
      for (int r = 0; r < kRuns; r++) {
        *reinterpret_cast<float4*>(shared + (ty * 4 + i) * kSlabStride<N> + r * 64 + tx * 4) =
            make_float4(sums[i][r * 4], sums[i][r * 4 + 1], sums[i][r * 4 + 2], sums[i][r * 4 + 3]);
      }
    }
    __syncthreads();
    Quad columnSums = {};
    const int rows = min(kSlabRows, args.m - row);
    finish_slab<N, kThreads>(args.e, columns, shared, row, rows, args.m, columnSums);
    finish_sums<N, kThreads>(args.e, columns, shared, tile.x, args.n, columnSums);
  }
};

}  // namespace

extern __shared__ __align__(128) uint8_t dynamic_shared[];

// `shared` is the dynamic shared memory of a launch, which the host must ask for.
#define TENSOR_GEMM(name, layout, m, n, warpM, warpN, blocks, shared, aligned)                                   \
  static_assert(TensorTile<layout, m, n, warpM, warpN, aligned>::kSharedBytes == shared);                        \
  extern "C" __global__ void __launch_bounds__(TensorTile<layout, m, n, warpM, warpN, aligned>::kThreads, blocks) \
      name(const __grid_constant__ GemmArgs args) {                                                              \
    TensorTile<layout, m, n, warpM, warpN, aligned>::run(args, dynamic_shared);                                  \
  }

TENSOR_GEMM(gemm_bf16_nn_128x128, kNN, 128, 128, 64, 32, 2, 65536, true)
TENSOR_GEMM(gemm_bf16_nt_128x128, kNT, 128, 128, 64, 32, 2, 65536, true)
TENSOR_GEMM(gemm_bf16_tn_128x128, kTN, 128, 128, 64, 32, 2, 65536, true)
TENSOR_GEMM(gemm_bf16_nn_64x64, kNN, 64, 64, 32, 32, 4, 32768, true)
TENSOR_GEMM(gemm_bf16_nt_64x64, kNT, 64, 64, 32, 32, 4, 32768, true)
TENSOR_GEMM(gemm_bf16_tn_64x64, kTN, 64, 64, 32, 32, 4, 32768, true)
TENSOR_GEMM(gemm_bf16_nn_64x128_any, kNN, 64, 128, 32, 64, 2, 49152, false)
TENSOR_GEMM(gemm_bf16_nt_64x128_any, kNT, 64, 128, 32, 64, 2, 49152, false)
TENSOR_GEMM(gemm_bf16_tn_64x128_any, kTN, 64, 128, 32, 64, 2, 49152, false)

#define CUDA_CORE_GEMM(name, layout, width, shared)                                            \
  static_assert(CudaCoreTile<layout, width>::kSharedBytes == shared);                          \
  extern "C" __global__ void __launch_bounds__(CudaCoreTile<layout, width>::kThreads, 2)       \
      name(const __grid_constant__ GemmArgs args) {                                            \
    CudaCoreTile<layout, width>::run(args, reinterpret_cast<float*>(dynamic_shared));          \
  }

CUDA_CORE_GEMM(gemm_f32_nn_64x128, kNN, 128, 34816)
CUDA_CORE_GEMM(gemm_f32_nt_64x128, kNT, 128, 34816)
CUDA_CORE_GEMM(gemm_f32_tn_64x128, kTN, 128, 34816)
