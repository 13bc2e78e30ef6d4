// What tests of the PTX machine compile: a tiled product by mma.sync, ldmatrix and cp.async, and a reduction of a block.

#include <cuda_bf16.h>
#include <stdint.h>

struct ProductArgs {
  const __nv_bfloat16* a;  // m x k
  const __nv_bfloat16* b;  // n x k
  float* c;                // m x n
  int m, n, k;
  int barriers;  // leaves out the second of each round if 0: a bug to be found
};

__device__ __forceinline__ uint32_t shared(const void* p) { return (uint32_t)__cvta_generic_to_shared(p); }

__device__ __forceinline__ void copy16(uint32_t to, const void* from, bool inside) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(inside ? 16 : 0));
}

// 64 x 64 of C by 128 threads, steps of 32 in k, two stages.
extern "C" __global__ void __launch_bounds__(128) product(const __grid_constant__ ProductArgs p) {
  extern __shared__ __align__(128) unsigned char raw[];
  __nv_bfloat16* tileA = (__nv_bfloat16*)raw;
  __nv_bfloat16* tileB = tileA + 2 * 64 * 32;
  int tid = threadIdx.x, lane = tid & 31, warp = tid >> 5;
  int row0 = blockIdx.x * 64, column0 = blockIdx.y * 64;
  float sums[8][4] = {};
  auto swizzled = [](int row, int chunk) { return row * 32 + (chunk ^ ((row >> 1) & 3)) * 8; };
  auto load = [&](int stage, int k0) {
    for (int i = tid; i < 64 * 4; i += 128) {
      int row = i >> 2, chunk = i & 3;
      bool a = row0 + row < p.m && k0 + chunk * 8 < p.k;
      bool b = column0 + row < p.n && k0 + chunk * 8 < p.k;
      copy16(shared(tileA + stage * 2048 + swizzled(row, chunk)),
             p.a + (a ? (size_t)(row0 + row) * p.k + k0 + chunk * 8 : 0), a);
      copy16(shared(tileB + stage * 2048 + swizzled(row, chunk)),
             p.b + (b ? (size_t)(column0 + row) * p.k + k0 + chunk * 8 : 0), b);
    }
    asm volatile("cp.async.commit_group;");
  };
  int steps = (p.k + 31) / 32;
  load(0, 0);
  for (int step = 0; step < steps; step++) {
    if (step + 1 < steps) {
      load((step + 1) & 1, (step + 1) * 32);
      asm volatile("cp.async.wait_group 1;");
    } else {
      asm volatile("cp.async.wait_group 0;");
    }
    __syncthreads();
    const __nv_bfloat16* a = tileA + (step & 1) * 2048;
    const __nv_bfloat16* b = tileB + (step & 1) * 2048;
    for (int k = 0; k < 32; k += 16) {
      uint32_t x[4];
      asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                   : "=r"(x[0]), "=r"(x[1]), "=r"(x[2]), "=r"(x[3])
                   : "r"(shared(a + swizzled(warp * 16 + (lane & 15), k / 8 + (lane >> 4)))));
      for (int j = 0; j < 8; j++) {
        uint32_t y[2];
        asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];"
                     : "=r"(y[0]), "=r"(y[1])
                     : "r"(shared(b + swizzled(j * 8 + (lane & 7), k / 8 + ((lane >> 3) & 1)))));
        asm volatile(
            "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
            "{%0, %1, %2, %3};"
            : "+f"(sums[j][0]), "+f"(sums[j][1]), "+f"(sums[j][2]), "+f"(sums[j][3])
            : "r"(x[0]), "r"(x[1]), "r"(x[2]), "r"(x[3]), "r"(y[0]), "r"(y[1]));
      }
    }
    if (p.barriers) __syncthreads();
  }
  for (int j = 0; j < 8; j++) {
    for (int i = 0; i < 4; i++) {
      int row = row0 + warp * 16 + (lane >> 2) + (i >> 1) * 8;
      int column = column0 + j * 8 + (lane & 3) * 2 + (i & 1);
      if (row < p.m && column < p.n) p.c[(size_t)row * p.n + column] = sums[j][i];
    }
  }
}

struct SumArgs {
  const float* x;
  float* sums;  // one per function
  long n;
};

__constant__ float weights[4] = {1, 2, 3, 4};
__device__ int calls = 3;

template <class F>
__device__ float total(const SumArgs& p, F f) {
  __shared__ float parts[32];
  float sum = 0;
  for (long i = threadIdx.x; i < p.n; i += blockDim.x) sum += f(p.x[i], i);
  for (int step = 16; step; step >>= 1) sum += __shfl_xor_sync(~0u, sum, step);
  if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = sum;
  __syncthreads();
  sum = 0;
  for (int i = 0; i < blockDim.x / 32; i++) sum += parts[i];
  __syncthreads();
  return sum;
}

// Sums of functions of the library, in which nvcc uses most of the instructions that it knows.
extern "C" __global__ void sums(const __grid_constant__ SumArgs p) {
  float got[12] = {
      total(p, [](float x, long i) { return x * weights[i & 3]; }),
      total(p, [](float x, long) { return expf(x); }),
      total(p, [](float x, long) { return logf(1 + x * x); }),
      total(p, [](float x, long) { return tanhf(x); }),
      total(p, [](float x, long) { return erff(x); }),
      total(p, [](float x, long) { return sinf(x * 100000); }),
      total(p, [](float x, long) { return powf(fabsf(x) + 0.5f, 1.7f); }),
      total(p, [](float x, long) { return x / sqrtf(1 + x * x) + rsqrtf(2 + x); }),
      total(p, [](float x, long) { return __bfloat162float(__float2bfloat16(x)); }),
      total(p, [](float x, long i) { return (float)((i * 1234567891011LL) % 1000 / 7); }),
      total(p, [](float x, long) { return (float)sin((double)x * 1e10); }),
      total(p, [](float x, long) { return fmodf(x * 1000, 3.3f) + cbrtf(x) + floorf(x * 10) + rintf(x * 3); }),
  };
  if (threadIdx.x < 12) {
    float mine = 0;
    for (int i = 0; i < 12; i++) mine = threadIdx.x == i ? got[i] : mine;
    p.sums[threadIdx.x] = mine;
  }
  if (threadIdx.x == 0) p.sums[12] = atomicAdd(&calls, 1);
}
