// Matrix products as in gemm.cu of F32 operands, or a mix of F32 and BF16, on CUDA cores with true F32 arithmetic.
//
// gemm_f32_LAYOUT_64x128: a block of 256 threads makes a tile of 64 x 128, 4x8 values per thread; operands 16 deep,
//   converted on their way into shared memory (two stages, the next one loaded into registers meanwhile). 34 KiB, up to
//   112 registers, 2 blocks per multiprocessor. Grid: one block per tile and piece of k, and those that make a bias
//   gradient (gemm.cuh). Bound: FFMA issue, 3 shared loads of 16 bytes for 32 FFMA. Epilogue: epilogue.cuh.

#include <cstdint>

#include "gemm.cuh"

using namespace fovea;

// limit gemm_f32_*: 112 registers, 0 spilled bytes, 0 shared bytes

namespace {

template <int Layout, int N, bool Gated>
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
    if (kTallA && static_cast<int>(blockIdx.x) < args.sumBlocks) {
      sum_operand<kThreads>(args, static_cast<int>(blockIdx.x), shared);
      return;
    }
    const int2 tile = tile_of(args, piece_of_block(args));
    const Extent down = rows_of<Layout, kM>(args, tile.x);
    const Extent across = columns_of<Layout, N, Gated>(args, tile.y);
    const int tx = static_cast<int>(threadIdx.x) % 16;
    const int ty = static_cast<int>(threadIdx.x) / 16;
    const Steps<kDepth, !kTallA> steps(args, piece_of_block(args));

    float sums[4][kRuns * 4] = {};
    Quad a;
    Quad b[kRuns];
    const auto fetch_step = [&](int step) {
      const bool second = steps.second(step);
      const int begin = steps.begin(step);
      const int end = steps.end(step);
      if constexpr (kTallA) {
        const int skipped = down.skipped;
        a = fetch<true>(skipped > 0 ? args.a2 : args.a, down.first - skipped, down.end - skipped, begin, end, 0);
      } else {
        a = fetch<false>(second ? args.a2 : args.a, down.first, down.end, begin, end, second ? steps.splitK : 0);
      }
      const int skipped = kTallA ? across.skipped : 0;
      const Operand& partB = skipped > 0 ? args.b2 : args.b;
#pragma unroll
      for (int r = 0; r < kRuns; r++) {
        const int right = Gated && r > 0 ? args.e.gate : 0;
        const int first = across.first - skipped + (Gated ? right : r * 64);
        b[r] = fetch<kTallB>(partB, first, across.end - skipped + right, begin, end, 0);
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
    if constexpr (kTallA) {
      const auto each = [&](auto f) {
#pragma unroll
        for (int i = 0; i < 4; i++) {
#pragma unroll
          for (int j = 0; j < kRuns * 4; j++) {
            f(i * kRuns * 4 + j, sums[i][j]);
          }
        }
      };
      if (!gather_splits<kThreads, 16 * kRuns>(args, piece_of_block(args), each)) {
        return;
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
    const TileColumns columns = tile_columns<Layout, N, Gated>(args, tile.y);
    const int rows = min(kSlabRows, down.end - down.first);
    if constexpr (Gated) {
      finish_gated_slab<N, kThreads>(args.e, columns, shared, down.first, rows);
    } else {
      finish_slab<N, kThreads>(args.e, columns, shared, down.first, rows, args.m, columnSums);
    }
    finish_sums<N, kThreads>(args.e, tile, columns, shared, args.rowTiles, args.n, columnSums);
  }
};

}  // namespace

extern __shared__ __align__(128) uint8_t dynamic_shared[];

// `shared` is the dynamic shared memory of a launch, which the host must ask for.
#define CUDA_CORE_GEMM(name, layout, width, shared, gated)                                         \
  static_assert(CudaCoreTile<layout, width, gated>::kSharedBytes == shared);                       \
  extern "C" __global__ void __launch_bounds__(CudaCoreTile<layout, width, gated>::kThreads, 2)    \
      name(const __grid_constant__ GemmArgs args) {                                                \
    CudaCoreTile<layout, width, gated>::run(args, reinterpret_cast<float*>(dynamic_shared));       \
  }

CUDA_CORE_GEMM(gemm_f32_nn_64x128, kNN, 128, 34816, false)
CUDA_CORE_GEMM(gemm_f32_nt_64x128, kNT, 128, 34816, false)
CUDA_CORE_GEMM(gemm_f32_tn_64x128, kTN, 128, 34816, false)
CUDA_CORE_GEMM(gemm_f32_nt_64x128_gated, kNT, 128, 34816, true)
