// What the kernels of attention's forward pass are told, and which part of it a block makes.
#pragma once

#include <cstdint>

#include "attention.cuh"

namespace fovea {

struct AttentionArgs {
  Operand q;
  Operand k;
  Operand v;
  Operand o;
  /// [batch, heads, queries] or null.
  float* lse;
  /// [batch] or null.
  const int32_t* lengths;
  /// [batch, heads, queries, keys], for attention_weights.
  float* weights;
  int32_t batch;
  int32_t heads;
  int32_t queries;
  int32_t keys;
  int32_t headDim;
  float scale;
};
static_assert(sizeof(AttentionArgs) == 4 * 24 + 3 * 8 + 6 * 4);

constexpr float kLn2 = 0x1.62e43p-1f;

/// What one block works on.
struct Place {
  int64_t image;
  int head;
  int query;
  /// Keys that count for this image.
  int length;

  __device__ __forceinline__ Place(const AttentionArgs& args, int tile) {
    const int tiles = (args.queries + tile - 1) / tile;
    const int index = static_cast<int>(blockIdx.x) / tiles;
    query = static_cast<int>(blockIdx.x) % tiles * tile;
    head = index % args.heads;
    image = index / args.heads;
    length = args.lengths == nullptr ? args.keys : args.lengths[image];
  }

  /// Where the statistics of this block's first query stand.
  __device__ __forceinline__ int64_t statistics(const AttentionArgs& args) const {
    return (image * args.heads + head) * args.queries + query;
  }
};

}  // namespace fovea
