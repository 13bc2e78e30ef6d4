// A product of matrices as kernels for Hopper are written: one warpgroup fetches tiles, two multiply. Bugs can be asked
// for, by number.
#include <cstdint>

struct alignas(64) Map {
  uint64_t opaque[16];
};

struct Args {
  Map a;    // m x k, boxes of 64 rows
  Map b;    // n x k, boxes of 128 rows
  Map out;  // m x n, boxes of 64 rows
  int depth;
  int bug;
};

enum Bug { kNone, kNoFullWait, kEarlyRelease, kNoProxyFence, kNoReadWait, kNoEmptyWait, kNoFence, kNoProductWait };

constexpr int kStages = 3;
constexpr int kBoxA = 64 * 64 * 2;
constexpr int kBoxB = 128 * 64 * 2;
constexpr int kStage = 2 * kBoxA + kBoxB;
constexpr int kN = 128;

__device__ uint32_t sharedAddress(const void* p) { return static_cast<uint32_t>(__cvta_generic_to_shared(p)); }

__device__ void await(uint32_t barrier, uint32_t parity) {
  asm volatile(
      "{\n.reg .pred p;\nAGAIN: mbarrier.try_wait.parity.shared::cta.b64 p, [%0], %1;\n@p bra DONE;\nbra AGAIN;\nDONE:\n}"
      ::"r"(barrier), "r"(parity) : "memory");
}

__device__ void fetch(uint32_t to, const Map& map, int x, int y, uint32_t barrier) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3}], [%4];"
      ::"r"(to), "l"(&map), "r"(x), "r"(y), "r"(barrier) : "memory");
}

__device__ uint64_t descriptor(uint32_t address) {
  return ((address & 0x3ffff) >> 4) | 1ull << 16 | uint64_t(1024 >> 4) << 32 | 1ull << 62;
}

#define SUM4(i) "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3])
#define SUM16(i) SUM4(i), SUM4(i + 4), SUM4(i + 8), SUM4(i + 12)

__device__ void multiply(float (&d)[64], uint64_t a, uint64_t b, int adds) {
  asm volatile(
      "{\n.reg .pred p;\nsetp.ne.b32 p, %66, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 "
      "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
      "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
      "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
      "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63}, "
      "%64, %65, p, 1, 1, 0, 0;\n}"
      : SUM16(0), SUM16(16), SUM16(32), SUM16(48)
      : "l"(a), "l"(b), "r"(adds));
}

__device__ void produce(const Args& args, uint32_t tiles, uint32_t full, uint32_t empty) {
  for (int k = 0; k < args.depth; k++) {
    int stage = k % kStages;
    uint32_t to = tiles + stage * kStage;
    uint32_t barrier = full + 8 * stage;
    if (args.bug != kNoEmptyWait) {
      await(empty + 8 * stage, k / kStages % 2 ^ 1);
    }
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(kStage) : "memory");
    fetch(to, args.a, 64 * k, 128 * blockIdx.y, barrier);
    fetch(to + kBoxA, args.a, 64 * k, 128 * blockIdx.y + 64, barrier);
    fetch(to + 2 * kBoxA, args.b, 64 * k, kN * blockIdx.x, barrier);
  }
}

__device__ void release(uint32_t barrier) {
  if (threadIdx.x % 128 == 0) {
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(barrier) : "memory");
  }
}

__device__ void store(const Args& args, float (&d)[64], uint32_t out, int group) {
  int warp = threadIdx.x / 32 % 4;
  int lane = threadIdx.x % 32;
  for (int i = 0; i < kN / 16; i++) {
    uint32_t pairs[4];
    for (int j = 0; j < 4; j++) {
      asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pairs[j]) : "f"(d[8 * i + 2 * j + 1]), "f"(d[8 * i + 2 * j]));
    }
    uint32_t line = (16 * warp + lane % 16) * 128;
    uint32_t at = out + i / 4 * kBoxA + (line + 32 * (i % 4) + 16 * (lane / 16) ^ (line >> 3 & 0x70));
    asm volatile("stmatrix.sync.aligned.m8n8.x4.shared::cta.b16 [%0], {%1, %2, %3, %4};" ::"r"(at), "r"(pairs[0]),
                 "r"(pairs[1]), "r"(pairs[2]), "r"(pairs[3]) : "memory");
  }
  if (args.bug != kNoProxyFence) {
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
  }
  asm volatile("bar.sync %0, 128;" ::"r"(1 + group) : "memory");
  if (threadIdx.x % 128 == 0) {
    for (int i = 0; i < kN / 64; i++) {
      asm volatile("cp.async.bulk.tensor.2d.global.shared::cta.tile.bulk_group [%0, {%1, %2}], [%3];" ::"l"(&args.out),
                   "r"(int(kN * blockIdx.x + 64 * i)), "r"(int(128 * blockIdx.y + 64 * group)), "r"(out + i * kBoxA)
                   : "memory");
    }
    asm volatile("cp.async.bulk.commit_group;" ::: "memory");
    if (args.bug != kNoReadWait) {
      asm volatile("cp.async.bulk.wait_group.read 0;" ::: "memory");
    }
  }
}

__device__ void consume(const Args& args, uint32_t tiles, uint32_t full, uint32_t empty, uint32_t out, int group) {
  float d[64];
  for (int k = 0; k < args.depth; k++) {
    int stage = k % kStages;
    uint32_t a = tiles + stage * kStage + group * kBoxA;
    uint32_t b = tiles + stage * kStage + 2 * kBoxA;
    if (args.bug != kNoFullWait) {
      await(full + 8 * stage, k / kStages % 2);
    }
    if (args.bug == kEarlyRelease) {
      release(empty + 8 * stage);
    }
    if (args.bug != kNoFence) {
      asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
    }
#pragma unroll
    for (int i = 0; i < 4; i++) {
      multiply(d, descriptor(a + 32 * i), descriptor(b + 32 * i), k > 0 || i > 0);
    }
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
    // The products before these are done, and with what they read.
    asm volatile("wgmma.wait_group.sync.aligned 1;" ::: "memory");
    if (k > 0 && args.bug != kEarlyRelease) {
      release(empty + 8 * ((k - 1) % kStages));
    }
  }
  if (args.bug != kNoProductWait) {
    asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
  }
  store(args, d, out + group * 2 * kBoxA, group);
}

extern "C" __global__ void __launch_bounds__(384, 1) product(const __grid_constant__ Args args) {
  extern __shared__ __align__(1024) char memory[];
  __shared__ uint64_t barriers[2 * kStages];
  uint32_t tiles = sharedAddress(memory);
  uint32_t full = sharedAddress(barriers);
  uint32_t empty = full + 8 * kStages;
  if (threadIdx.x == 0) {
    for (int i = 0; i < kStages; i++) {
      asm volatile("mbarrier.init.shared::cta.b64 [%0], 1;" ::"r"(full + 8 * i));
      asm volatile("mbarrier.init.shared::cta.b64 [%0], 2;" ::"r"(empty + 8 * i));
    }
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
  }
  __syncthreads();
  if (threadIdx.x < 128) {
    asm volatile("setmaxnreg.dec.sync.aligned.u32 40;");
    if (threadIdx.x == 0) {
      produce(args, tiles, full, empty);
    }
  } else {
    asm volatile("setmaxnreg.inc.sync.aligned.u32 232;");
    consume(args, tiles, full, empty, tiles + kStages * kStage, threadIdx.x / 128 - 1);
  }
}
