// Pictures to rows of patches and back (dev.fovea.kernels.ImageKernels).
// Up to 40 registers, no shared memory. Bound: HBM.
//
// patchify: one block of 256 threads per patch, four neighbouring values of a row of output per thread and step; a
//   patch of a picture in U8 or of three channels is read again from L1 where values lie strided.
// unpatchify: one thread per pixel, in the pictures' order; blocks of 256.

#include <cstdint>

#include "math.cuh"
#include "operand.cuh"

using namespace fovea;

// limit *: 40 registers, 0 spilled bytes, 0 shared bytes

struct ImageArgs {
  /// The pictures' data has ld = 0: its order is given by channelsLast.
  Operand pictures;
  /// [batch * rows * columns, size]
  Operand rows;
  /// [channels], or null for 1.
  const float* scale;
  /// [channels], or null for 0.
  const float* shift;
  int32_t batch;
  int32_t channels;
  int32_t height;
  int32_t width;
  int32_t patchHeight;
  int32_t patchWidth;
  int32_t channelsLast;
  int32_t reserved;
};
static_assert(sizeof(ImageArgs) == 96);

namespace {

constexpr int kThreads = 256;

__device__ __forceinline__ int64_t pixel(const ImageArgs& args, int64_t image, int channel, int y, int x) {
  return args.channelsLast ? ((image * args.height + y) * args.width + x) * args.channels + channel
                           : ((image * args.channels + channel) * args.height + y) * args.width + x;
}

}  // namespace

extern "C" __global__ void __launch_bounds__(kThreads) patchify(const __grid_constant__ ImageArgs args) {
  const int down = args.height / args.patchHeight;
  const int across = args.width / args.patchWidth;
  const int64_t patch = blockIdx.x;
  const int64_t image = patch / (down * across);
  const int place = static_cast<int>(patch % (down * across));
  const int top = place / across * args.patchHeight;
  const int left = place % across * args.patchWidth;
  const int size = args.channels * args.patchHeight * args.patchWidth;
  for (int i = static_cast<int>(threadIdx.x) * 4; i < size; i += kThreads * 4) {
    Quad q = {};
#pragma unroll
    for (int j = 0; j < 4; j++) {
      if (i + j < size) {
        const int x = (i + j) % args.patchWidth;
        const int line = (i + j) / args.patchWidth;
        const int channel = line / args.patchHeight;
        const int64_t at = pixel(args, image, channel, top + line % args.patchHeight, left + x);
        const float value = args.pictures.type == kU8
                                ? static_cast<float>(static_cast<const uint8_t*>(args.pictures.data)[at])
                                : load(args.pictures, 0, at);
        const float scale = args.scale == nullptr ? 1.f : args.scale[channel];
        q.v[j] = args.shift == nullptr ? mul(value, scale) : fused(value, scale, args.shift[channel]);
      }
    }
    store4(args.rows, patch, i, min(4, size - i), q);
  }
}

extern "C" __global__ void __launch_bounds__(kThreads) unpatchify(const __grid_constant__ ImageArgs args) {
  const int64_t count = static_cast<int64_t>(args.batch) * args.channels * args.height * args.width;
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= count) {
    return;
  }
  const int plane = args.height * args.width;
  const int64_t image = i / (static_cast<int64_t>(args.channels) * plane);
  const int64_t within = i % (static_cast<int64_t>(args.channels) * plane);
  const int channel = static_cast<int>(args.channelsLast ? within % args.channels : within / plane);
  const int spot = static_cast<int>(args.channelsLast ? within / args.channels : within % plane);
  const int y = spot / args.width;
  const int x = spot % args.width;
  const int down = args.height / args.patchHeight;
  const int across = args.width / args.patchWidth;
  const int py = y / args.patchHeight;
  const int px = x / args.patchWidth;
  float value = 0.f;
  if (py < down && px < across) {
    const int64_t column =
        (static_cast<int64_t>(channel) * args.patchHeight + y % args.patchHeight) * args.patchWidth + x % args.patchWidth;
    value = load(args.rows, (image * down + py) * across + px, column);
  }
  store(args.pictures, 0, i, value);
}
