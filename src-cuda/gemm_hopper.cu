// target: 90a
// Matrix products of dev.fovea.kernels.Gemm with bf16 operands on the tensor cores of compute capability 9.0: wgmma of
// whole warpgroups on operands in shared memory, which bulk copies (TMA) bring there. Layouts, argument, order of tiles
// and epilogue are those of gemm.cu: see gemm.cuh and epilogue.cuh.
//
// gemm_hopper_LAYOUT_128xN: a block of 384 threads makes tiles of 128 x N, one after the other.
//   Warpgroup 2 brings operands: one thread asks for boxes of A and B, 64 deep, into a ring of stages, and runs ahead
//   into the next tile while this one is finished. Warpgroups 0 and 1 have 64 rows each, of f32 sums in registers.
//     N 256   4 stages of 48 KiB   128 sums a thread     N 192   5 of 40 KiB   96     N 128   6 of 32 KiB   64
//   40 registers for threads that bring, 232 for those that multiply (setmaxnreg).
//   Operands lie in shared memory with rows of 128 bytes, swizzled. One that is k-contiguous in memory is one box of all
//   its rows; one that is not is boxes of 64 columns, and wgmma reads it the other way.
//   full[stage]: bytes have come. empty[stage]: each of the eight warps has multiplied what is there.
// .._gated makes half as many columns, as in gemm.cu.
//
// Grid: a block per multiprocessor, or less; block b does pieces of work b, b + blocks, ..: sums of A, then tiles. What
// lies outside of an operand comes as zeros. The epilogue takes the tile in slabs of 32 rows through shared memory.
// Bound: tensor cores; 64 deep, 128 x 256 is 1024 clocks of wgmma. The epilogue of a tile is not overlapped with
// products, only with loads. Measured on no GPU yet.

#include <cstdint>

#include "bulk.cuh"
#include "gemm.cuh"
#include "ptx.cuh"
#include "wgmma.cuh"

using namespace fovea;

// limit gemm_hopper_*: 168 registers, 0 spilled bytes, 0 shared bytes

namespace {

struct HopperArgs {
  TensorMap a;
  TensorMap a2;
  TensorMap b;
  TensorMap b2;
  GemmArgs gemm;
};
static_assert(sizeof(HopperArgs) == 4 * 128 + (sizeof(GemmArgs) + 63) / 64 * 64);

template <int Layout, int N, bool Gated>
struct WarpgroupTile {
  static constexpr int kM = 128;
  static constexpr int kDepth = 64;
  static constexpr bool kTallA = Layout == kTN;
  static constexpr bool kTallB = Layout != kNT;
  static constexpr int kProducts = kDepth / 16;

  /// Threads that multiply, their barrier, and all threads.
  static constexpr int kTeam = 256;
  static constexpr int kBarrier = 1;
  static constexpr int kThreads = 384;

  /// 64 rows of 128 bytes.
  static constexpr int kPieceBytes = 8192;
  static constexpr int kBytesA = kM * kDepth * 2;
  static constexpr int kStageBytes = kBytesA + N * kDepth * 2;
  static constexpr int kRows = 32;
  static constexpr int kSlabBytes = kRows * kSlabStride<N> * 4;
  static constexpr int kMostShared = 227 * 1024;
  static constexpr int kStages = (kMostShared - kSlabBytes - 128) / kStageBytes;
  static constexpr int kSlabAt = kStages * kStageBytes;
  static constexpr int kFullAt = kSlabAt + kSlabBytes;
  static constexpr int kEmptyAt = kFullAt + kStages * 8;
  static constexpr int kSharedBytes = kEmptyAt + kStages * 8;

  /// A stage of the ring, and the parity of its phase.
  struct Place {
    int stage = 0;
    uint32_t parity = 0;

    __device__ __forceinline__ void advance() {
      if (++stage == kStages) {
        stage = 0;
        parity ^= 1;
      }
    }
  };

  static __device__ __forceinline__ uint32_t full(uint32_t shared, int stage) { return shared + kFullAt + stage * 8; }
  static __device__ __forceinline__ uint32_t empty(uint32_t shared, int stage) {
    return shared + kEmptyAt + stage * 8;
  }

  static __device__ __forceinline__ int pieces(const GemmArgs& args) {
    return args.rowTiles * args.columnTiles * args.splits;
  }

  static __device__ __forceinline__ void run(const HopperArgs& args, uint8_t* memory) {
    const uint32_t shared = shared_address(memory);
    const int thread = static_cast<int>(threadIdx.x);
    if (thread == 0) {
      for (int i = 0; i < kStages; i++) {
        mbarrier_init(full(shared, i), 1);
        mbarrier_init(empty(shared, i), kTeam / 32);
      }
      mbarrier_init_fence();
    }
    __syncthreads();
    if (thread >= kTeam) {
      give_registers<40>();
      if (thread < kTeam + 32 && elected()) {
        bring(args, shared);
      }
    } else {
      take_registers<232>();
      multiply(args.gemm, shared, reinterpret_cast<float*>(memory + kSlabAt));
    }
  }

  /// One thread asks for all operands of this block.
  static __device__ __forceinline__ void bring(const HopperArgs& args, uint32_t shared) {
    const GemmArgs& g = args.gemm;
    const int total = pieces(g);
    Place place;
    prefetch_map(&args.a);
    prefetch_map(&args.b);
    for (int work = static_cast<int>(blockIdx.x); work < g.sumBlocks + total; work += static_cast<int>(gridDim.x)) {
      const int piece = work - g.sumBlocks;
      if (kTallA && piece < 0) {
        continue;
      }
      const int2 tile = tile_of(g, piece);
      const Extent rows = rows_of<Layout, kM>(g, tile.x);
      const Extent columns = columns_of<Layout, N, Gated>(g, tile.y);
      const Steps<kDepth, !kTallA> steps(g, piece);
      for (int step = 0; step < steps.total; step++) {
        const uint32_t a = shared + place.stage * kStageBytes;
        const uint32_t arrived = full(shared, place.stage);
        mbarrier_wait(empty(shared, place.stage), place.parity ^ 1);
        mbarrier_arrive_expect(arrived, kStageBytes);
        bring_a(args, steps, step, rows, a, arrived);
        bring_b(args, steps.begin(step), columns, a + kBytesA, arrived);
        place.advance();
      }
    }
  }

  static __device__ __forceinline__ void bring_a(const HopperArgs& args, const Steps<kDepth, !kTallA>& steps, int step,
      const Extent& rows, uint32_t to, uint32_t arrived) {
    const int begin = steps.begin(step);
    if constexpr (kTallA) {
      const TensorMap* map = rows.skipped > 0 ? &args.a2 : &args.a;
#pragma unroll
      for (int i = 0; i < kM / 64; i++) {
        bulk_load(to + i * kPieceBytes, map, rows.first - rows.skipped + i * 64, begin, arrived);
      }
    } else {
      const bool second = steps.second(step);
      bulk_load(to, second ? &args.a2 : &args.a, begin - (second ? steps.splitK : 0), rows.first, arrived);
    }
  }

  static __device__ __forceinline__ void bring_b(
      const HopperArgs& args, int begin, const Extent& columns, uint32_t to, uint32_t arrived) {
    if constexpr (kTallB) {
      const TensorMap* map = kTallA && columns.skipped > 0 ? &args.b2 : &args.b;
#pragma unroll
      for (int i = 0; i < N / 64; i++) {
        bulk_load(to + i * kPieceBytes, map, columns.first - columns.skipped + i * 64, begin, arrived);
      }
    } else {
      bulk_load(to, &args.b, begin, columns.first, arrived);
      if constexpr (Gated) {
        bulk_load(to + N / 2 * kDepth * 2, &args.b, begin, columns.first + args.gemm.e.gate, arrived);
      }
    }
  }

  /// Two warpgroups multiply and finish all tiles of this block.
  static __device__ __forceinline__ void multiply(const GemmArgs& args, uint32_t shared, float* slab) {
    const int total = pieces(args);
    float sums[N / 2] = {};
    Place place;
    for (int work = static_cast<int>(blockIdx.x); work < args.sumBlocks + total; work += static_cast<int>(gridDim.x)) {
      const int piece = work - args.sumBlocks;
      if (kTallA && piece < 0) {
        sum_operand<kTeam, kBarrier>(args, work, slab);
        continue;
      }
      if (!Gated && args.splits == 1) {
        const int2 tile = tile_of(args, piece);
        const Extent rows = rows_of<Layout, kM>(args, tile.x);
        const Extent columns = columns_of<Layout, N, Gated>(args, tile.y);
        prefetch_tile<kTeam>(args.e, rows.first, min(kM, rows.end - rows.first), columns.first, columns.end);
      }
      multiply_tile(sums, Steps<kDepth, !kTallA>(args, piece).total, shared, place);
      if constexpr (kTallA) {
        const auto each = [&](auto f) {
#pragma unroll
          for (int i = 0; i < N / 2; i++) {
            f(i, sums[i]);
          }
        };
        if (!gather_splits<kTeam, N / 2, kBarrier>(args, piece, each)) {
          continue;
        }
      }
      finish(args, piece, slab, sums);
    }
  }

  static __device__ __forceinline__ void multiply_tile(float (&sums)[N / 2], int steps, uint32_t shared, Place& place) {
    // Bytes from 16 deep to the next, in units of an operand's address.
    constexpr uint64_t kNextA = (kTallA ? 16 * 128 : 32) >> 4;
    constexpr uint64_t kNextB = (kTallB ? 16 * 128 : 32) >> 4;
    const uint32_t half = threadIdx.x / 128 * kPieceBytes;
    const bool speaks = threadIdx.x % 32 == 0;
    int last = 0;
    for (int step = 0; step < steps; step++) {
      const uint32_t stage = shared + place.stage * kStageBytes;
      const uint64_t a = wgmma_operand(stage + half, kPieceBytes);
      const uint64_t b = wgmma_operand(stage + kBytesA, kPieceBytes);
      mbarrier_wait(full(shared, place.stage), place.parity);
      wgmma_fence();
#pragma unroll
      for (int i = 0; i < kProducts; i++) {
        wgmma_bf16<kTallA, kTallB>(sums, a + i * kNextA, b + i * kNextB, step > 0 || i > 0);
      }
      wgmma_commit();
      wgmma_wait<1>();
      if (step > 0 && speaks) {
        mbarrier_arrive(empty(shared, last));
      }
      last = place.stage;
      place.advance();
    }
    wgmma_finish(sums);
    if (speaks) {
      mbarrier_arrive(empty(shared, last));
    }
  }

  static __device__ __forceinline__ void finish(
      const GemmArgs& args, int piece, float* slab, const float (&sums)[N / 2]) {
    const int2 tile = tile_of(args, piece);
    const Extent down = rows_of<Layout, kM>(args, tile.x);
    const TileColumns columns = tile_columns<Layout, N, Gated>(args, tile.y);
    const int warp = static_cast<int>(threadIdx.x / 32);
    const int lane = static_cast<int>(threadIdx.x % 32);
    Quad columnSums = {};
#pragma unroll 1
    for (int begin = 0; begin < kM && down.first + begin < down.end; begin += kRows) {
      sync_team<kTeam, kBarrier>();
      if (warp * 16 / kRows * kRows == begin) {
        float* at = slab + (warp * 16 % kRows + lane / 4) * kSlabStride<N> + lane % 4 * 2;
#pragma unroll
        for (int j = 0; j < N / 8; j++) {
          *reinterpret_cast<float2*>(at + j * 8) = make_float2(sums[4 * j], sums[4 * j + 1]);
          *reinterpret_cast<float2*>(at + 8 * kSlabStride<N> + j * 8) = make_float2(sums[4 * j + 2], sums[4 * j + 3]);
        }
      }
      sync_team<kTeam, kBarrier>();
      const int row = down.first + begin;
      const int rows = min(kRows, down.end - row);
      if constexpr (Gated) {
        finish_gated_slab<N, kTeam, kBarrier>(args.e, columns, slab, row, rows);
      } else {
        finish_slab<N, kTeam, kBarrier>(args.e, columns, slab, row, rows, args.m, columnSums);
      }
    }
    finish_sums<N, kTeam, kBarrier>(args.e, tile, columns, slab, args.rowTiles, args.n, columnSums);
  }
};

}  // namespace

extern __shared__ __align__(1024) uint8_t dynamic_shared[];

// `shared` is the dynamic shared memory of a launch, which the host must ask for.
#define HOPPER_GEMM(name, layout, n, shared, gated)                                                              \
  static_assert(WarpgroupTile<layout, n, gated>::kSharedBytes == shared);                                        \
  extern "C" __global__ void __launch_bounds__(WarpgroupTile<layout, n, gated>::kThreads, 1)                     \
      name(const __grid_constant__ HopperArgs args) {                                                            \
    WarpgroupTile<layout, n, gated>::run(args, dynamic_shared);                                                  \
  }

HOPPER_GEMM(gemm_hopper_nn_128x256, kNN, 256, 230464, false)
HOPPER_GEMM(gemm_hopper_nt_128x256, kNT, 256, 230464, false)
HOPPER_GEMM(gemm_hopper_tn_128x256, kTN, 256, 230464, false)
HOPPER_GEMM(gemm_hopper_nn_128x192, kNN, 192, 230480, false)
HOPPER_GEMM(gemm_hopper_nt_128x192, kNT, 192, 230480, false)
HOPPER_GEMM(gemm_hopper_tn_128x192, kTN, 192, 230480, false)
HOPPER_GEMM(gemm_hopper_nn_128x128, kNN, 128, 214112, false)
HOPPER_GEMM(gemm_hopper_nt_128x128, kNT, 128, 214112, false)
HOPPER_GEMM(gemm_hopper_tn_128x128, kTN, 128, 214112, false)
HOPPER_GEMM(gemm_hopper_nt_128x256_gated, kNT, 256, 230464, true)
HOPPER_GEMM(gemm_hopper_nt_128x192_gated, kNT, 192, 230480, true)
HOPPER_GEMM(gemm_hopper_nt_128x128_gated, kNT, 128, 214112, true)
