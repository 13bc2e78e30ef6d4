// Products of warpgroups (wgmma, sm_90a) of bf16 operands in shared memory, with f32 sums in registers: one overload per
// width. Written by hand this would be a list of registers and nothing else; the lists are macros.
//
// Operands lie in shared memory as bulk copies with a swizzle of 128 bytes leave them: rows of 128 bytes at multiples of
// 1024, one 64-element piece of rows after the other. A k-major operand has k along its rows, an mn-major one m or n.
//
// Of d[64, N], with g = lane / 4 and t = lane % 4, warp w of the warpgroup has rows 16 w + g and 16 w + g + 8: its
// d[4 j] and d[4 j + 1] are columns 8 j + 2 t and the next of the first, d[4 j + 2] and d[4 j + 3] those of the second.
#pragma once

#include <cstdint>

namespace fovea {

/// What wgmma takes for an operand: its address, and how far apart its pieces lie. `strideBytes` lies between one 64-element
/// piece of an mn-major operand and the next; k-major ones have no use for it.
__device__ __forceinline__ uint64_t wgmma_operand(uint32_t address, uint32_t strideBytes) {
  constexpr uint64_t kEightRows = 1024 >> 4;
  constexpr uint64_t kSwizzle128 = 1;
  return (address & 0x3ffffu) >> 4 | static_cast<uint64_t>(strideBytes >> 4) << 16 | kEightRows << 32 |
         kSwizzle128 << 62;
}

/// Before the first product, and whenever sums were touched in between.
__device__ __forceinline__ void wgmma_fence() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }

/// Closes the group of products since the last commit.
__device__ __forceinline__ void wgmma_commit() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }

/// Waits until at most `Pending` groups are under way.
template <int Pending>
__device__ __forceinline__ void wgmma_wait() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(Pending) : "memory");
}

#define FOVEA_SUMS_8(d, i) \
  "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3]), "+f"(d[i + 4]), "+f"(d[i + 5]), "+f"(d[i + 6]), "+f"(d[i + 7])
#define FOVEA_SUMS_32(d, i) FOVEA_SUMS_8(d, i), FOVEA_SUMS_8(d, i + 8), FOVEA_SUMS_8(d, i + 16), FOVEA_SUMS_8(d, i + 24)
#define FOVEA_PLACES_64                                                              \
  "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "           \
  "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, " \
  "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, " \
  "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"
#define FOVEA_PLACES_96                                                              \
  "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "           \
  "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, " \
  "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, " \
  "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, " \
  "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, " \
  "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95"
#define FOVEA_PLACES_128                                                                         \
  "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "                       \
  "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "             \
  "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "             \
  "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, "             \
  "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, "             \
  "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, "             \
  "%96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111, " \
  "%112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127"
#define FOVEA_SUMS_64(d) FOVEA_SUMS_32(d, 0), FOVEA_SUMS_32(d, 32)
#define FOVEA_SUMS_96(d) FOVEA_SUMS_32(d, 0), FOVEA_SUMS_32(d, 32), FOVEA_SUMS_32(d, 64)
#define FOVEA_SUMS_128(d) FOVEA_SUMS_32(d, 0), FOVEA_SUMS_32(d, 32), FOVEA_SUMS_32(d, 64), FOVEA_SUMS_32(d, 96)

// d[64, N] = a[64, 16] b[16, N], or d += it if `add`.
#define FOVEA_WGMMA(n, count, a, b, p, ta, tb)                                                                  \
  template <bool TallA, bool TallB>                                                                             \
  __device__ __forceinline__ void wgmma_bf16(float (&d)[count], uint64_t operandA, uint64_t operandB, bool add) { \
    asm volatile(                                                                                               \
        "{\n"                                                                                                   \
        ".reg .pred p;\n"                                                                                       \
        "setp.ne.b32 p, %" p ", 0;\n"                                                                           \
        "wgmma.mma_async.sync.aligned.m64n" n "k16.f32.bf16.bf16 {" FOVEA_PLACES_##count "}, %" a ", %" b       \
        ", p, 1, 1, %" ta ", %" tb ";\n"                                                                        \
        "}"                                                                                                     \
        : FOVEA_SUMS_##count(d)                                                                                 \
        : "l"(operandA), "l"(operandB), "r"(static_cast<uint32_t>(add)), "n"(TallA ? 1 : 0), "n"(TallB ? 1 : 0)); \
  }                                                                                                             \
                                                                                                                \
  /* Waits for all products; the sums may be read behind it. */                                                 \
  __device__ __forceinline__ void wgmma_finish(float (&d)[count]) {                                             \
    asm volatile("wgmma.wait_group.sync.aligned 0;" : FOVEA_SUMS_##count(d)::"memory");                         \
  }

FOVEA_WGMMA("128", 64, "64", "65", "66", "67", "68")
FOVEA_WGMMA("192", 96, "96", "97", "98", "99", "100")
FOVEA_WGMMA("256", 128, "128", "129", "130", "131", "132")

#undef FOVEA_WGMMA
#undef FOVEA_SUMS_8
#undef FOVEA_SUMS_32
#undef FOVEA_PLACES_64
#undef FOVEA_SUMS_64
#undef FOVEA_PLACES_96
#undef FOVEA_SUMS_96
#undef FOVEA_PLACES_128
#undef FOVEA_SUMS_128

}  // namespace fovea
