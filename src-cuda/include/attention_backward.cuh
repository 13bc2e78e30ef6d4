// What the kernels of attention's backward pass are told, and which part of it a block makes.
#pragma once

#include <cstdint>

#include "attention.cuh"

namespace fovea {

struct AttentionGradientArgs {
  Operand q;
  Operand k;
  Operand v;
  Operand o;
  Operand dO;
  Operand dq;
  Operand dk;
  Operand dv;
  /// [batch, heads, queries]
  const float* lse;
  /// As lse: written by the kernel of queries, read by the kernel of keys.
  float* delta;
  /// [batch] or null.
  const int32_t* lengths;
  int32_t batch;
  int32_t heads;
  int32_t queries;
  int32_t keys;
  int32_t headDim;
  float scale;
};
static_assert(sizeof(AttentionGradientArgs) == 8 * 24 + 3 * 8 + 6 * 4);

/// What one block works on: a side owns rows, the other is met tile by tile.
template <bool Keys>
struct Side {
  const AttentionGradientArgs& args;
  int64_t image;
  int head;
  /// First own row, within the image.
  int first;
  /// Keys that count for this image.
  int length;

  __device__ __forceinline__ Side(const AttentionGradientArgs& args, int tile) : args(args) {
    const int tiles = (stored() + tile - 1) / tile;
    const int index = static_cast<int>(blockIdx.x) / tiles;
    first = static_cast<int>(blockIdx.x) % tiles * tile;
    head = index % args.heads;
    image = index / args.heads;
    length = args.lengths == nullptr ? args.keys : args.lengths[image];
  }

  /// Own rows that gradients are stored for.
  __device__ __forceinline__ int stored() const { return Keys ? args.keys : args.queries; }

  /// Own rows that count.
  __device__ __forceinline__ int own() const { return Keys ? length : args.queries; }

  /// Rows of the other side that count: none for keys past the end.
  __device__ __forceinline__ int others() const { return !Keys ? length : first < length ? args.queries : 0; }

  __device__ __forceinline__ int64_t own_base() const { return image * stored(); }
  __device__ __forceinline__ int64_t other_base() const { return image * (Keys ? args.queries : args.keys); }
  __device__ __forceinline__ int64_t column() const { return static_cast<int64_t>(head) * args.headDim; }

  /// Where the statistics of the head's queries stand.
  __device__ __forceinline__ int64_t statistics() const { return (image * args.heads + head) * args.queries; }

  __device__ __forceinline__ const Operand& own1() const { return Keys ? args.k : args.q; }
  __device__ __forceinline__ const Operand& own2() const { return Keys ? args.v : args.dO; }
  __device__ __forceinline__ const Operand& other1() const { return Keys ? args.q : args.k; }
  __device__ __forceinline__ const Operand& other2() const { return Keys ? args.dO : args.v; }
  __device__ __forceinline__ const Operand& gradient1() const { return Keys ? args.dk : args.dq; }
};

}  // namespace fovea
