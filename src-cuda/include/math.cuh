// The library's functions of one number, operation for operation as the CPU back end computes them (Maths in
// dev.fovea.kernels.cpu.simd): every rounding is spelled out, so that both give the same bits.
#pragma once

#include <cstdint>

namespace fovea {

/// In the order of dev.fovea.kernels.Activation.
enum Activation : int32_t { kNone, kGeluErf, kGeluTanh, kGeluQuick, kSilu, kTanh };

__device__ __forceinline__ float mul(float a, float b) { return __fmul_rn(a, b); }
__device__ __forceinline__ float add(float a, float b) { return __fadd_rn(a, b); }
__device__ __forceinline__ float sub(float a, float b) { return __fsub_rn(a, b); }
__device__ __forceinline__ float fused(float a, float b, float c) { return __fmaf_rn(a, b, c); }
__device__ __forceinline__ float quotient(float a, float b) { return __fdiv_rn(a, b); }

/// Adding this rounds to an integer, which then stands in the low bits.
constexpr float kRound = 0x1.8p23f;
/// Like kRound, with 96 in the low bits too: enough that 2^-221 times 2^96 is a normal number.
constexpr float kRound96 = 0x1.8p23f + 96;
constexpr float kLog2E = 0x1.715476p0f;
/// ln 2 in two parts; the upper has few enough bits for exact products with exponents.
constexpr float kLn2High = 0x1.62e4p-1f;
constexpr float kLn2Low = 0x1.7f7d1cp-20f;
constexpr int kOneBits = 0x3f800000;

/// x less the multiple n of ln 2 that stands in t = round(x / ln 2).
__device__ __forceinline__ float exp_rest(float t, float x) {
  const float n = sub(t, kRound);
  return fused(n, -kLn2Low, fused(n, -kLn2High, x));
}

/// (e^r - 1 - r) / r^2 for |r| below 0.3472.
__device__ __forceinline__ float exp_tail(float r) {
  float p = fused(r, 0x1.6b9adep-10f, 0x1.122586p-7f);
  p = fused(p, r, 0x1.5556f4p-5f);
  p = fused(p, r, 0x1.5554b4p-3f);
  return fused(p, r, 0x1.fffffep-2f);
}

/// p 2^n for the n in t, in two steps, so that neither leaves the range of normal numbers.
__device__ __forceinline__ float scale_by_power(float p, float t) {
  const int n = __float_as_int(t);
  const int half = static_cast<int>(static_cast<uint32_t>(n) >> 1);
  const float first = __int_as_float(static_cast<int>(static_cast<uint32_t>(half) << 23) + kOneBits);
  const float second = __int_as_float(static_cast<int>(static_cast<uint32_t>(n - half) << 23) + kOneBits);
  return mul(mul(p, first), second);
}

/// e^x for x from -104 to 89.
__device__ __forceinline__ float exp_in_range(float x) {
  const float t = fused(x, kLog2E, kRound);
  const float r = exp_rest(t, x);
  return scale_by_power(fused(fused(exp_tail(r), r, 1.f), r, 1.f), t);
}

/// 2^(y + 96) for y from -221 to 0: the error is that of y and an ulp.
__device__ __forceinline__ float exp2_scaled(float y) {
  const float t = add(y, kRound96);
  const float r = sub(y, sub(t, kRound96));
  float p = fused(r, 0x1.416b7ap-13f, 0x1.5f0838p-10f);
  p = fused(p, r, 0x1.3b2dep-7f);
  p = fused(p, r, 0x1.c6af7cp-5f);
  p = fused(p, r, 0x1.ebfbdcp-3f);
  p = fused(p, r, 0x1.62e43p-1f);
  p = fused(p, r, 1.f);
  return __int_as_float(__float_as_int(p) + static_cast<int>(__float_as_uint(t) << 23));
}

/// 2^y for y from -221 to 0.
__device__ __forceinline__ float exp2_in_range(float y) { return mul(exp2_scaled(y), 0x1p-96f); }

/// e^x for any x that is at most 0; 0 where the result is no normal number.
__device__ __forceinline__ float exp_flushed(float x) {
  const float t = fused(x, kLog2E, kRound);
  const float r = exp_rest(t, x);
  const float p = fused(fused(exp_tail(r), r, 1.f), r, 1.f);
  const float y = __int_as_float(__float_as_int(p) + static_cast<int>(__float_as_uint(t) << 23));
  return x < -0x1.5d589ep6f ? 0.f : y;
}

/// ln x.
__device__ __forceinline__ float log_exact(float x) {
  if (!(x > 0.f && x < __int_as_float(0x7f800000))) {
    return x == 0.f ? __int_as_float(0xff800000) : x < 0.f ? __int_as_float(0x7fc00000) : x;
  }
  const bool tiny = x < 0x1p-126f;
  const int bits = __float_as_int(tiny ? mul(x, 0x1p23f) : x);
  const int e = (bits - 0x3f3504f3) >> 23;
  const float f = sub(__int_as_float(bits - static_cast<int>(static_cast<uint32_t>(e) << 23)), 1.f);
  const float n = static_cast<float>(tiny ? e - 23 : e);
  float p = fused(f, -0x1.38c9dep-4f, 0x1.055ec6p-3f);
  p = fused(p, f, -0x1.0d8242p-3f);
  p = fused(p, f, 0x1.22d92ep-3f);
  p = fused(p, f, -0x1.54728ap-3f);
  p = fused(p, f, 0x1.99a01cp-3f);
  p = fused(p, f, -0x1.000226p-2f);
  p = fused(p, f, 0x1.555554p-2f);
  p = fused(p, f, -0.5f);
  return fused(n, kLn2High, add(fused(mul(f, f), p, mul(n, kLn2Low)), f));
}

/// The smaller of a magnitude and a limit; NaN stays.
__device__ __forceinline__ float most(float a, float limit) { return a > limit ? limit : a; }

__device__ __forceinline__ float with_sign(float value, float x) {
  return __int_as_float(__float_as_int(value) | (__float_as_int(x) & static_cast<int>(0x80000000)));
}

__device__ __forceinline__ float tanh_exact(float x) {
  const float a = most(fabsf(x), 10.f);
  const bool far = a > 0.55f;
  const float y = mul(a, -2.f);
  const float t = fused(y, kLog2E, kRound);
  const float r = exp_rest(t, y);
  const float p = fused(mul(r, r), exp_tail(r), r);
  const float scale = __int_as_float(static_cast<int>(__float_as_uint(t) << 23) + kOneBits);
  const float m = fused(scale, p, sub(scale, 1.f));
  const float e = fused(scale, p, scale);
  return with_sign(add(far ? 1.f : 0.f, quotient(far ? mul(e, -2.f) : -m, add(e, 1.f))), x);
}

/// The coefficients of 2^r in 2^-23 r, times what the highest coefficients of the normal distribution's tail were.
constexpr float kTail = 0x1.1b0f7ep-1f;
constexpr float kTailX0 = static_cast<float>(kTail * 0x1p23 * 0x1.62e43p-1f);
constexpr float kTailX1 = static_cast<float>(kTail * 0x1p46 * 0x1.ebfbdcp-3f);
constexpr float kTailX2 = static_cast<float>(kTail * 0x1p69 * 0x1.c6af7cp-5f);
constexpr float kTailX3 = static_cast<float>(kTail * 0x1p92 * 0x1.3b2dep-7f);
constexpr float kTailX4 = static_cast<float>(kTail * 0x1p115 * 0x1.5f0838p-10f);
constexpr float kTailX5 = static_cast<float>(kTail * 0x1p138 * 0x1.416b7ap-13f);

/// The normal distribution's tail P(X > a) = 2^(a h) N(a) / D(a), a from 0 to 14.25. N is a quadratic factor times one
/// in h; the exponential has their highest coefficients, and 2^23 that take back the 2^-23 in h.
__device__ __forceinline__ float normal_tail(float a) {
  constexpr float kTailRound = (0x1.8p23f + 23) * 0x1p-23f;
  const float h = mul(a, -0x1.715476p-24f);
  const float y = mul(a, h);
  const float t = add(y, kTailRound);
  const float r = sub(y, sub(t, kTailRound));
  float p = fused(r, kTailX5, kTailX4);
  p = fused(p, r, kTailX3);
  p = fused(p, r, kTailX2);
  p = fused(p, r, kTailX1);
  p = fused(p, r, kTailX0);
  p = fused(p, r, kTail);
  const float e = __int_as_float(__float_as_int(p) + static_cast<int>(__float_as_uint(t) << 23));
  const float n = mul(fused(add(a, 0x1.f8248ep+1f), a, 0x1.37a974p+3f), add(h, -0x1.4f652ep-22f));
  float d = fused(add(a, 0x1.e39f0cp+2f), a, 0x1.93291ap+4f);
  d = fused(d, a, 0x1.4d8c7cp+5f);
  d = fused(d, a, 0x1.c37b48p+4f);
  return mul(-e, quotient(n, d));
}

/// The binary logarithm of e^(-a^2 / 2).
__device__ __forceinline__ float half_square(float a) { return mul(mul(a, a), -0x1.715476p-1f); }

/// (P(X > a) - a density(a)) e^(a^2 / 2) / 2^96 of the normal distribution, for a from 0. The signs alternate, but where
/// terms cancel the factor it gets is small.
__device__ __forceinline__ float slope_ratio(float a) {
  float s = fused(a, 0x1.c2b6d6p-116f, -0x1.2e721ap-111f);
  s = fused(s, a, 0x1.6ae6c2p-108f);
  s = fused(s, a, -0x1.063d1ep-105f);
  s = fused(s, a, 0x1.06439ep-103f);
  s = fused(s, a, -0x1.8ff5a8p-102f);
  s = fused(s, a, 0x1.f5b97ep-101f);
  s = fused(s, a, -0x1.0f7d52p-99f);
  s = fused(s, a, 0x1.ffdbecp-99f);
  s = fused(s, a, -0x1.9883dp-97f);
  return fused(s, a, 0x1p-97f);
}

/// sigmoid(-v), where e^-v = 2^y with y from -221 to 0.
__device__ __forceinline__ float sigmoid_tail(float y) {
  const float e = exp2_scaled(y);
  return quotient(e, add(e, 0x1p96f));
}

/// q + a q'(a) of q = sigmoid(-v(a)), where e^-v = 2^y, given av = a v'(a).
__device__ __forceinline__ float sigmoid_tail_slope(float y, float av) {
  const float e = exp2_in_range(y);
  const float inverse = quotient(1.f, add(e, 1.f));
  return mul(mul(e, inverse), fused(-av, inverse, 1.f));
}

__device__ __forceinline__ float sigmoid(float x) {
  const float e = exp_in_range(-most(fabsf(x), 128.f));
  return quotient(x < 0.f ? e : 1.f, add(e, 1.f));
}

/// The tanh form of GELU is x sigmoid(v) with v = x (kGeluTanh1 + kGeluTanh3 x^2).
constexpr float kGeluTanh1 = 0x1.988454p0f;
constexpr float kGeluTanh3 = 0x1.2444f2p-4f;
/// e^-v is 2^(a (kGeluTanh1Log2 + kGeluTanh3Log2 a^2)).
constexpr float kGeluTanh1Log2 = -0x1.26aec2p1f;
constexpr float kGeluTanh3Log2 = -0x1.a5a7dp-4f;
constexpr float kGeluQuickFactor = 1.702f;
/// e^(-kGeluQuickFactor a) is 2^(kGeluQuickLog2 a).
constexpr float kGeluQuickLog2 = -0x1.3a4cbep1f;

/// f(x) = max(x, 0) - a tail(a) for a = |x|: nothing cancels on either side.
__device__ __forceinline__ float activate(int32_t f, float x) {
  float a = fabsf(x);
  float q;
  switch (f) {
    case kGeluErf:
      a = most(a, 14.25f);
      q = normal_tail(a);
      break;
    case kGeluTanh:
      a = most(a, 12.f);
      q = sigmoid_tail(mul(a, fused(mul(a, a), kGeluTanh3Log2, kGeluTanh1Log2)));
      break;
    case kGeluQuick:
      a = most(a, 90.f);
      q = sigmoid_tail(mul(a, kGeluQuickLog2));
      break;
    case kSilu:
      a = most(a, 128.f);
      q = sigmoid_tail(mul(a, -kLog2E));
      break;
    case kTanh:
      return tanh_exact(x);
    default:
      return x;
  }
  return fused(-a, q, x < 0.f ? 0.f : x);
}

/// f'(x).
__device__ __forceinline__ float activation_slope(int32_t f, float x) {
  float a = fabsf(x);
  float t;
  switch (f) {
    case kGeluErf:
      a = most(a, 16.f);
      t = mul(exp2_scaled(half_square(a)), slope_ratio(a));
      break;
    case kGeluTanh: {
      a = most(a, 12.f);
      const float square = mul(a, a);
      t = sigmoid_tail_slope(mul(a, fused(square, kGeluTanh3Log2, kGeluTanh1Log2)),
                             mul(a, fused(square, 3 * kGeluTanh3, kGeluTanh1)));
      break;
    }
    case kGeluQuick:
      a = most(a, 90.f);
      t = sigmoid_tail_slope(mul(a, kGeluQuickLog2), mul(a, kGeluQuickFactor));
      break;
    case kSilu:
      a = most(a, 128.f);
      t = sigmoid_tail_slope(mul(a, -kLog2E), a);
      break;
    case kTanh: {
      const float e = exp_in_range(mul(most(a, 64.f), -2.f));
      const float d = add(e, 1.f);
      return quotient(mul(e, 4.f), mul(d, d));
    }
    default:
      return 1.f;
  }
  return x < 0.f ? t : sub(1.f, t);
}

}  // namespace fovea
