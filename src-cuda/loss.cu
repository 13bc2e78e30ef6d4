// Softmax, and softmax and sigmoid cross-entropy with their gradients in the same launch
// (dev.fovea.kernels.LossKernels). Logits and gradients in F32 or BF16, arithmetic in F32, exponentials and logarithms
// of math.cuh. Each row is summed in an order that its width alone fixes.
//
// *_warp   up to 1024 classes: one warp per row, 8 rows per block of 256 threads. The softmax forms keep the row in
//          registers, 32 values per lane, so that it is read once.
// *_block  more classes: one block of 256 threads per row; the first 8192 values stay in registers, what a longer row
//          has more is read again from L2.
// Up to 64 registers (80 in the block form, 40 for sigmoid_*); 32 bytes of shared memory in the block form. Grid: one
// block per 8 rows, or per row.
// Bound: HBM, one read of the logits (and of soft targets; softmax reads these twice, from L2 the second time) and one
// write of the gradient.
//
// A label of `classes` or more, which the CPU back end refuses, makes a row's loss and gradient NaN.

#include <cstdint>

#include "math.cuh"
#include "operand.cuh"
#include "reduce.cuh"

using namespace fovea;

// limit softmax*_block: 80 registers, 0 spilled bytes, 32 shared bytes
// limit softmax*_warp: 64 registers, 0 spilled bytes, 0 shared bytes
// limit sigmoid_*: 40 registers, 0 spilled bytes, 32 shared bytes

struct LossArgs {
  Operand logits;
  /// What softmax makes of them, or the gradient; or none.
  Operand result;
  /// Soft targets, or none.
  Operand targets;
  /// I32 or I64, or null.
  const void* labels;
  float* losses;
  /// [1], multiplied with gradientScale; or null.
  const float* gradient;
  int64_t rows;
  int32_t classes;
  int32_t labelType;
  float smoothing;
  float gradientScale;
};
static_assert(sizeof(LossArgs) == 3 * 24 + 4 * 8 + 4 * 4);

namespace {

constexpr int kThreads = 256;
constexpr int kSteps = 8;
constexpr float kInfinity = __builtin_huge_valf();

/// e^x for x of at most 0.
__device__ __forceinline__ float exp_exact(float x) { return exp_in_range(x < -104.f ? -104.f : x); }

/// One row, by `Threads` threads: a warp of the block, or all of it.
template <int Threads>
struct Row {
  const LossArgs& args;
  float* scratch;
  int64_t row;
  int index;
  int64_t label = 0;

  __device__ __forceinline__ Row(const LossArgs& arguments, float* shared) : args(arguments), scratch(shared) {
    row = Threads == kThreads ? static_cast<int64_t>(blockIdx.x)
                              : static_cast<int64_t>(blockIdx.x) * (kThreads / 32) + threadIdx.x / 32;
    index = static_cast<int>(threadIdx.x) % Threads;
  }

  __device__ __forceinline__ bool exists() const { return row < args.rows; }

  __device__ __forceinline__ float sum(float x) const {
    if constexpr (Threads == 32) {
      return warp_sum(x);
    } else {
      return block_sum<Threads>(x, scratch);
    }
  }

  __device__ __forceinline__ float largest(float x) const {
    if constexpr (Threads == 32) {
      return warp_max(x);
    } else {
      return block_max<Threads>(x, scratch);
    }
  }

  __device__ __forceinline__ void read_label() {
    if (args.labels != nullptr) {
      label = args.labelType == kI32 ? static_cast<const int32_t*>(args.labels)[row]
                                     : static_cast<const int64_t*>(args.labels)[row];
    }
  }

  /// Four targets before smoothing.
  __device__ __forceinline__ Quad target(int i, int count) const {
    if (args.labels == nullptr) {
      return load4(args.targets, row, i, count);
    }
    Quad t;
#pragma unroll
    for (int j = 0; j < 4; j++) {
      t.v[j] = i + j == label ? 1.f : 0.f;
    }
    return t;
  }

  __device__ __forceinline__ float scale() const {
    return args.gradient == nullptr ? args.gradientScale : mul(args.gradientScale, args.gradient[0]);
  }

  __device__ __forceinline__ void write_loss(float loss) const {
    if (args.losses != nullptr && index == 0) {
      args.losses[row] = loss;
    }
  }

  /// For a row whose label says that it does not count, or is none. Whether it was such a row.
  __device__ __forceinline__ bool without_label() const {
    if (label >= 0 && label < args.classes) {
      return false;
    }
    const float value = label < 0 ? 0.f : __int_as_float(0x7fc00000);
    write_loss(value);
    if (args.result.data != nullptr) {
      for (int i = 4 * index; i < args.classes; i += 4 * Threads) {
        store4(args.result, row, i, args.classes - i, Quad{{value, value, value, value}});
      }
    }
    return true;
  }
};

/// Whether a quad comes from registers, as an earlier pass left it, or from memory.
template <bool Value>
struct Kept {
  static constexpr bool value = Value;
};

/// The values of a row that its threads keep: 4 (index + step Threads) and the three after.
template <int Threads>
struct Held {
  const Row<Threads>& row;
  Quad x[kSteps];

  __device__ __forceinline__ explicit Held(const Row<Threads>& source) : row(source) {
#pragma unroll
    for (int s = 0; s < kSteps; s++) {
      const int i = first(s);
      x[s] = i < row.args.classes ? load4(row.args.logits, row.row, i, row.args.classes - i) : Quad{};
    }
  }

  __device__ __forceinline__ int first(int step) const { return 4 * (row.index + step * Threads); }

  /// Runs `f` on every quad: its first class, how many of its four there are, its values, whether they were kept.
  template <typename F>
  __device__ __forceinline__ void each(F f) {
    const int classes = row.args.classes;
#pragma unroll
    for (int s = 0; s < kSteps; s++) {
      const int i = first(s);
      if (i < classes) {
        f(i, min(4, classes - i), x[s], Kept<true>{});
      }
    }
    if constexpr (Threads == kThreads) {
      for (int i = first(kSteps); i < classes; i += 4 * Threads) {
        Quad again = load4(row.args.logits, row.row, i, classes - i);
        f(i, min(4, classes - i), again, Kept<false>{});
      }
    }
  }

  __device__ __forceinline__ float largest() {
    float most = -kInfinity;
    each([&](int, int count, Quad& q, auto) {
#pragma unroll
      for (int j = 0; j < 4; j++) {
        most = j < count ? max_nan(q.v[j], most) : most;
      }
    });
    return row.largest(most);
  }
};

template <int Threads>
__device__ __forceinline__ void softmax(const LossArgs& args, float* scratch) {
  const Row<Threads> row(args, scratch);
  if (!row.exists()) {
    return;
  }
  Held<Threads> held(row);
  const float most = held.largest();
  float sum = 0.f;
  held.each([&](int, int count, Quad& q, auto) {
#pragma unroll
    for (int j = 0; j < 4; j++) {
      q.v[j] = exp_exact(sub(q.v[j], most));
      sum += j < count ? q.v[j] : 0.f;
    }
  });
  const float scale = quotient(1.f, row.sum(sum));
  held.each([&](int i, int count, Quad& q, auto kept) {
#pragma unroll
    for (int j = 0; j < 4; j++) {
      q.v[j] = mul(decltype(kept)::value ? q.v[j] : exp_exact(sub(q.v[j], most)), scale);
    }
    store4(args.result, row.row, i, count, q);
  });
}

/// With z the logarithm of the sum of e^(x - max), the loss is the sum of t (z - (x - max)).
template <int Threads>
__device__ __forceinline__ void softmax_cross_entropy(const LossArgs& args, float* scratch) {
  Row<Threads> row(args, scratch);
  if (!row.exists()) {
    return;
  }
  row.read_label();
  if (row.without_label()) {
    return;
  }
  Held<Threads> held(row);
  const float most = held.largest();
  float exponentials = 0.f;
  float hits = 0.f;
  float shifts = 0.f;
  float targets = 0.f;
  held.each([&](int i, int count, Quad& q, auto) {
    const Quad t = row.target(i, count);
#pragma unroll
    for (int j = 0; j < 4; j++) {
      if (j < count) {
        const float shifted = sub(q.v[j], most);
        hits = t.v[j] == 0.f ? hits : fused(t.v[j], shifted, hits);
        targets += t.v[j];
        shifts += shifted;
        q.v[j] = exp_exact(shifted);
        exponentials += q.v[j];
      }
    }
  });
  const float weight = 1.f - args.smoothing;
  const float each = quotient(args.smoothing, static_cast<float>(args.classes));
  const float sum = row.sum(exponentials);
  const float total = args.labels != nullptr ? 1.f : fused(weight, row.sum(targets), args.smoothing);
  if (args.losses != nullptr) {
    float hit = mul(weight, row.sum(hits));
    if (args.smoothing != 0.f) {
      hit = fused(each, row.sum(shifts), hit);
    }
    row.write_loss(fused(total, log_exact(sum), -hit));
  }
  if (args.result.data == nullptr) {
    return;
  }
  const float scale = row.scale();
  const float factor = quotient(mul(scale, total), sum);
  held.each([&](int i, int count, Quad& q, auto kept) {
    const Quad t = row.target(i, count);
#pragma unroll
    for (int j = 0; j < 4; j++) {
      const float e = decltype(kept)::value ? q.v[j] : exp_exact(sub(q.v[j], most));
      q.v[j] = fused(factor, e, mul(-scale, fused(weight, t.v[j], each)));
    }
    store4(args.result, row.row, i, count, q);
  });
}

/// -t log s(x) - (1 - t) log s(-x) = log(1 + e^x) - t x.
template <int Threads>
__device__ __forceinline__ void sigmoid_cross_entropy(const LossArgs& args, float* scratch) {
  Row<Threads> row(args, scratch);
  if (!row.exists()) {
    return;
  }
  row.read_label();
  if (row.without_label()) {
    return;
  }
  const float weight = 1.f - args.smoothing;
  const float each = quotient(args.smoothing, static_cast<float>(args.classes));
  const float scale = row.scale();
  float loss = 0.f;
  for (int i = 4 * row.index; i < args.classes; i += 4 * Threads) {
    const int count = min(4, args.classes - i);
    Quad q = load4(args.logits, row.row, i, count);
    const Quad targets = row.target(i, count);
#pragma unroll
    for (int j = 0; j < 4; j++) {
      const float x = q.v[j];
      const float t = fused(weight, targets.v[j], each);
      const float e = exp_exact(-fabsf(x));
      const float u = add(1.f, e);
      // What 1 + e lost: log(u + d) = log u + d / u.
      const float rest = quotient(sub(e, sub(u, 1.f)), u);
      const float hit = t == 0.f ? 0.f : mul(t, x);
      const float term = add(sub(x < 0.f ? 0.f : x, hit), add(log_exact(u), rest));
      loss += j < count ? term : 0.f;
      q.v[j] = mul(scale, sub(quotient(x < 0.f ? e : 1.f, u), t));
    }
    if (args.result.data != nullptr) {
      store4(args.result, row.row, i, count, q);
    }
  }
  if (args.losses != nullptr) {
    row.write_loss(row.sum(loss));
  }
}

}  // namespace

#define FOVEA_LOSS(NAME)                                                                                       \
  extern "C" __global__ void __launch_bounds__(kThreads) NAME##_warp(const __grid_constant__ LossArgs args) {  \
    NAME<32>(args, nullptr);                                                                                   \
  }                                                                                                            \
  extern "C" __global__ void __launch_bounds__(kThreads) NAME##_block(const __grid_constant__ LossArgs args) { \
    __shared__ float scratch[kThreads / 32];                                                                   \
    NAME<kThreads>(args, scratch);                                                                             \
  }

FOVEA_LOSS(softmax)
FOVEA_LOSS(softmax_cross_entropy)
FOVEA_LOSS(sigmoid_cross_entropy)
