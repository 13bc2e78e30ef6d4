// Pointwise kernels (dev.fovea.kernels.ElementwiseKernels): one read of every input and one write of every output, F32
// or BF16 each, arithmetic in F32. Blocks of 256 threads, four neighbouring elements per thread and step (16-byte
// accesses in F32 where addresses allow), up to 40 registers, no shared memory. Bound: HBM.
//
// Kernels over a plain count (combine, multiply, activation, ...): grid-stride loops over quads of elements,
// grids of at most 32 blocks per multiprocessor.
// Kernels over rows (add_row, residual, swiglu, ...): a block of X x Y threads takes Y rows, X threads along each, so
// that no index is divided.

#include <cstdint>

#include "loops.cuh"
#include "math.cuh"
#include "operand.cuh"
#include "philox.cuh"

using namespace fovea;

// limit *: 40 registers, 0 spilled bytes, 0 shared bytes

struct PointwiseArgs {
  Operand x;
  Operand y;
  Operand z;
  int64_t count;
  float alpha;
  float beta;
  int32_t function;
  int32_t reserved;
};
static_assert(sizeof(PointwiseArgs) == 96);

struct RowsArgs {
  Operand x;
  Operand y;
  Operand z;
  /// A value per column, or none.
  Operand column;
  /// A value per `rowsPerScale` rows, or none.
  const float* rowScale;
  int64_t rows;
  int32_t columns;
  int32_t rowsPerScale;
};
static_assert(sizeof(RowsArgs) == 120);

struct StochasticArgs {
  const float* x;
  uint16_t* y;
  int64_t count;
  int64_t seed;
  int64_t step;
};
static_assert(sizeof(StochasticArgs) == 40);

namespace {

constexpr int kThreads = 256;

template <typename F>
__device__ __forceinline__ void for_quads(int64_t count, F f) {
  fovea::for_quads<kThreads>(count, f);
}

}  // namespace

/// z = alpha x + beta y; y may be absent.
extern "C" __global__ void __launch_bounds__(kThreads) combine(const __grid_constant__ PointwiseArgs args) {
  for_quads(args.count, [&](int64_t i, int count) {
    Quad z = load4(args.x, 0, i, count);
#pragma unroll
    for (int j = 0; j < 4; j++) {
      z.v[j] = mul(args.alpha, z.v[j]);
    }
    if (args.y.data != nullptr) {
      const Quad y = load4(args.y, 0, i, count);
#pragma unroll
      for (int j = 0; j < 4; j++) {
        z.v[j] = fused(args.beta, y.v[j], z.v[j]);
      }
    }
    store4(args.z, 0, i, count, z);
  });
}

/// z = x y.
extern "C" __global__ void __launch_bounds__(kThreads) multiply(const __grid_constant__ PointwiseArgs args) {
  for_quads(args.count, [&](int64_t i, int count) {
    Quad z = load4(args.x, 0, i, count);
    const Quad y = load4(args.y, 0, i, count);
#pragma unroll
    for (int j = 0; j < 4; j++) {
      z.v[j] *= y.v[j];
    }
    store4(args.z, 0, i, count, z);
  });
}

/// z = f(x).
extern "C" __global__ void __launch_bounds__(kThreads) activation(const __grid_constant__ PointwiseArgs args) {
  for_quads(args.count, [&](int64_t i, int count) {
    Quad z = load4(args.x, 0, i, count);
#pragma unroll
    for (int j = 0; j < 4; j++) {
      z.v[j] = activate(args.function, z.v[j]);
    }
    store4(args.z, 0, i, count, z);
  });
}

/// z = y f'(x).
extern "C" __global__ void __launch_bounds__(kThreads) activation_gradient(const __grid_constant__ PointwiseArgs args) {
  for_quads(args.count, [&](int64_t i, int count) {
    const Quad x = load4(args.x, 0, i, count);
    Quad z = load4(args.y, 0, i, count);
#pragma unroll
    for (int j = 0; j < 4; j++) {
      z.v[j] = mul(activation_slope(args.function, x.v[j]), z.v[j]);
    }
    store4(args.z, 0, i, count, z);
  });
}

/// z[r,c] = x[r,c] + column[c].
extern "C" __global__ void __launch_bounds__(kThreads) add_row(const __grid_constant__ RowsArgs args) {
  for_rows(args.rows, args.columns, [&](int64_t row, int c, int count) {
    Quad z = load4(args.x, row, c, count);
    const Quad y = load4(args.column, 0, c, count);
#pragma unroll
    for (int j = 0; j < 4; j++) {
      z.v[j] += y.v[j];
    }
    store4(args.z, row, c, count, z);
  });
}

/// z[r,c] = x[r,c] + column[c] rowScale[r / rowsPerScale] y[r,c]; without x, the last product alone.
extern "C" __global__ void __launch_bounds__(kThreads) residual(const __grid_constant__ RowsArgs args) {
  for_rows(args.rows, args.columns, [&](int64_t row, int c, int count) {
    Quad z = load4(args.y, row, c, count);
    if (args.column.data != nullptr) {
      const Quad s = load4(args.column, 0, c, count);
#pragma unroll
      for (int j = 0; j < 4; j++) {
        z.v[j] = mul(z.v[j], s.v[j]);
      }
    }
    if (args.rowScale != nullptr) {
      const float s = args.rowScale[row / args.rowsPerScale];
#pragma unroll
      for (int j = 0; j < 4; j++) {
        z.v[j] = mul(z.v[j], s);
      }
    }
    if (args.x.data != nullptr) {
      const Quad x = load4(args.x, row, c, count);
#pragma unroll
      for (int j = 0; j < 4; j++) {
        z.v[j] = add(x.v[j], z.v[j]);
      }
    }
    store4(args.z, row, c, count, z);
  });
}

/// z[r,c] = silu(x[r,c]) x[r, columns + c].
extern "C" __global__ void __launch_bounds__(kThreads) swiglu(const __grid_constant__ RowsArgs args) {
  for_rows(args.rows, args.columns, [&](int64_t row, int c, int count) {
    Quad z = load4(args.x, row, c, count);
    const Quad y = load4(args.x, row, args.columns + c, count);
#pragma unroll
    for (int j = 0; j < 4; j++) {
      z.v[j] = mul(activate(kSilu, z.v[j]), y.v[j]);
    }
    store4(args.z, row, c, count, z);
  });
}

/// The gradient of swiglu: from x [rows, 2 columns] and y, what came back, z [rows, 2 columns], which may be x.
extern "C" __global__ void __launch_bounds__(kThreads) swiglu_gradient(const __grid_constant__ RowsArgs args) {
  for_rows(args.rows, args.columns, [&](int64_t row, int c, int count) {
    const Quad gate = load4(args.x, row, c, count);
    const Quad value = load4(args.x, row, args.columns + c, count);
    const Quad dy = load4(args.y, row, c, count);
    Quad dGate;
    Quad dValue;
#pragma unroll
    for (int j = 0; j < 4; j++) {
      dGate.v[j] = mul(mul(dy.v[j], value.v[j]), activation_slope(kSilu, gate.v[j]));
      dValue.v[j] = mul(dy.v[j], activate(kSilu, gate.v[j]));
    }
    store4(args.z, row, c, count, dGate);
    store4(args.z, row, args.columns + c, count, dValue);
  });
}

namespace {

/// A number that rounds to any narrower dtype as if there had been one rounding: truncated, then its last bit set if
/// anything was cut off.
__device__ __forceinline__ float to_odd(double x) {
  const float truncated = __double2float_rz(x);
  return x == x && static_cast<double>(truncated) != x ? __uint_as_float(__float_as_uint(truncated) | 1u) : truncated;
}

__device__ __forceinline__ float from_half(uint16_t x) {
  float d;
  asm("cvt.f32.f16 %0, %1;" : "=f"(d) : "h"(x));
  return d;
}

__device__ __forceinline__ uint16_t to_half(float x) {
  uint16_t d;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(d) : "f"(x));
  return d;
}

/// Element i as a float: exact, or, for F64, I32 and I64 to F32, rounded to nearest; F64 to narrower ones rounded to
/// odd.
__device__ __forceinline__ float read(const Operand& x, int64_t i, int32_t to) {
  switch (x.type) {
    case kF16:
      return from_half(static_cast<const uint16_t*>(x.data)[i]);
    case kF64: {
      const double d = static_cast<const double*>(x.data)[i];
      return to == kF32 ? __double2float_rn(d) : to_odd(d);
    }
    case kI32:
      return __int2float_rn(static_cast<const int32_t*>(x.data)[i]);
    case kI64:
      return __ll2float_rn(static_cast<const int64_t*>(x.data)[i]);
    case kU8:
      return static_cast<float>(static_cast<const uint8_t*>(x.data)[i]);
    default:
      return load(x, 0, i);
  }
}

}  // namespace

/// z = x in another dtype, rounded once, to nearest even.
extern "C" __global__ void __launch_bounds__(kThreads) cast(const __grid_constant__ PointwiseArgs args) {
  for_quads(args.count, [&](int64_t i, int count) {
    if (args.x.type <= kBf16 && args.z.type <= kBf16) {
      store4(args.z, 0, i, count, load4(args.x, 0, i, count));
      return;
    }
    for (int j = 0; j < count; j++) {
      const int64_t at = i + j;
      if (args.z.type == kF64) {
        static_cast<double*>(args.z.data)[at] =
            args.x.type == kF64 ? static_cast<const double*>(args.x.data)[at] : read(args.x, at, kF64);
      } else if (args.z.type == kF16) {
        static_cast<uint16_t*>(args.z.data)[at] = to_half(read(args.x, at, kF16));
      } else {
        store(args.z, 0, at, read(args.x, at, args.z.type));
      }
    }
  });
}

/// F32 to BF16: the lower half of the element's random word is added to the bits of its magnitude, then cut off.
extern "C" __global__ void __launch_bounds__(kThreads) cast_stochastic(const __grid_constant__ StochasticArgs args) {
  for_quads(args.count, [&](int64_t i, int count) {
    const uint4 words = philox(args.seed, args.step, i / 4);
    const uint32_t word[4] = {words.x, words.y, words.z, words.w};
#pragma unroll
    for (int j = 0; j < 4; j++) {
      if (j < count) {
        args.y[i + j] = to_bf16_stochastic(args.x[i + j], word[j]);
      }
    }
  });
}
