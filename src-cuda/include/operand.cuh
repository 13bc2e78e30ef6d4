// Operands of kernels: a matrix or vector in F32 or BF16, four neighbouring elements at a time.
#pragma once

#include <cstdint>

#include "ptx.cuh"

namespace fovea {

/// In the order of dev.fovea.kernels.DType.
enum Type : int32_t { kF32, kBf16, kF16, kF64, kI32, kI64, kU8 };

/// A matrix in global memory; absent if `data` is null. A vector has ld = 0.
struct Operand {
  void* data;
  int64_t ld;
  int32_t type;
  /// Whether every run of four elements that a kernel asks for lies on a multiple of its size.
  int32_t vectors;
};
static_assert(sizeof(Operand) == 24);

/// Where f32 sums go, dev.fovea.kernels.Sums: they take the place of what is there, or are added to it.
struct Sums {
  float* data;
  int32_t add;
  int32_t reserved;

  __device__ __forceinline__ void put(int64_t i, float sum) const { data[i] = add ? data[i] + sum : sum; }
};
static_assert(sizeof(Sums) == 16);

/// Four neighbouring values.
struct Quad {
  float v[4];
};

__device__ __forceinline__ float from_bf16(uint16_t x) { return __uint_as_float(static_cast<uint32_t>(x) << 16); }

/// x as it reads after a store to bf16.
__device__ __forceinline__ float round_bf16(float x) { return from_bf16(to_bf16(x)); }

/// Element i of F32 or BF16 memory.
__device__ __forceinline__ float load(const void* data, int32_t type, int64_t i) {
  return type == kF32 ? static_cast<const float*>(data)[i] : from_bf16(static_cast<const uint16_t*>(data)[i]);
}

__device__ __forceinline__ void store(void* data, int32_t type, int64_t i, float value) {
  if (type == kF32) {
    static_cast<float*>(data)[i] = value;
  } else {
    static_cast<uint16_t*>(data)[i] = to_bf16(value);
  }
}

__device__ __forceinline__ float load(const Operand& m, int64_t row, int64_t column) {
  return load(m.data, m.type, row * m.ld + column);
}

__device__ __forceinline__ void store(const Operand& m, int64_t row, int64_t column, float value) {
  store(m.data, m.type, row * m.ld + column, value);
}

/// Elements [i, i + count) of at most four; the others read as zero.
__device__ __forceinline__ Quad load4(const void* data, int32_t type, bool vectors, int64_t i, int count) {
  Quad q;
  if (vectors && count >= 4) {
    if (type == kF32) {
      const float4 x = *reinterpret_cast<const float4*>(static_cast<const float*>(data) + i);
      q.v[0] = x.x, q.v[1] = x.y, q.v[2] = x.z, q.v[3] = x.w;
    } else {
      const uint2 x = *reinterpret_cast<const uint2*>(static_cast<const uint16_t*>(data) + i);
      q.v[0] = __uint_as_float(x.x << 16), q.v[1] = __uint_as_float(x.x & 0xffff0000u);
      q.v[2] = __uint_as_float(x.y << 16), q.v[3] = __uint_as_float(x.y & 0xffff0000u);
    }
    return q;
  }
#pragma unroll
  for (int j = 0; j < 4; j++) {
    q.v[j] = j < count ? load(data, type, i + j) : 0.f;
  }
  return q;
}

__device__ __forceinline__ void store4(void* data, int32_t type, bool vectors, int64_t i, int count, const Quad& q) {
  if (vectors && count >= 4) {
    if (type == kF32) {
      *reinterpret_cast<float4*>(static_cast<float*>(data) + i) = make_float4(q.v[0], q.v[1], q.v[2], q.v[3]);
    } else {
      *reinterpret_cast<uint2*>(static_cast<uint16_t*>(data) + i) =
          make_uint2(pack_bf16(q.v[0], q.v[1]), pack_bf16(q.v[2], q.v[3]));
    }
    return;
  }
#pragma unroll
  for (int j = 0; j < 4; j++) {
    if (j < count) {
      store(data, type, i + j, q.v[j]);
    }
  }
}

/// Whether a row of so many columns is BF16 in whole quads, each on a multiple of its size. Widening waits for its load,
/// so kernels that want many quads at once ask for all of them (load_pairs) before they widen the first.
__device__ __forceinline__ bool is_packed(const Operand& m, int columns) {
  return m.type == kBf16 && m.vectors != 0 && columns % 4 == 0;
}

/// Elements [i, i + 4) from `column` on of such a row as they lie in memory; zero if `i` is `columns` or more.
__device__ __forceinline__ uint2 load_pairs(const Operand& m, int64_t row, int64_t column, int i, int columns) {
  const uint16_t* from = static_cast<const uint16_t*>(m.data) + (row * m.ld + column);
  return i < columns ? *reinterpret_cast<const uint2*>(from + i) : make_uint2(0u, 0u);
}

__device__ __forceinline__ Quad widened(uint2 pairs) {
  return {{__uint_as_float(pairs.x << 16), __uint_as_float(pairs.x & 0xffff0000u), __uint_as_float(pairs.y << 16),
           __uint_as_float(pairs.y & 0xffff0000u)}};
}

__device__ __forceinline__ Quad load4(const Operand& m, int64_t row, int64_t column, int count) {
  return load4(m.data, m.type, m.vectors != 0, row * m.ld + column, count);
}

__device__ __forceinline__ void store4(const Operand& m, int64_t row, int64_t column, int count, const Quad& q) {
  store4(m.data, m.type, m.vectors != 0, row * m.ld + column, count, q);
}

}  // namespace fovea
