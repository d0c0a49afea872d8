// Private: exp and maximum that vectorise.
#ifndef VISE_EXPONENTIAL_H
#define VISE_EXPONENTIAL_H

#include <math.h>

#include "floats.h"

// exp(x) within two units in the last place, for x clamped to [-87, 88]: 2^n * e^r with |r| <= ln2 / 2,
// e^r by its Taylor polynomial of degree 7. Adding 1.5 * 2^23 rounds to an integer and leaves it in
// the low bits, so nothing is converted and NaN stays NaN.
VK_INLINE float vk_exp(float x) {
#pragma clang fp reassociate(off) contract(fast)
  x = x < -87.0f ? -87.0f : x;
  x = x > 88.0f ? 88.0f : x;
  const float shifted = x * 0x1.715476p+0f + 0x1.8p23f;
  const float n = shifted - 0x1.8p23f;
  const float r = (x - n * 0x1.62e4p-1f) - n * 0x1.7f7d1cp-20f;
  float p = 1.0f / 5040;
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  return p * vk_from_bits((vk_to_bits(shifted) + 127u) << 23);
}

VK_INLINE float vk_largest_of(const float *x, size_t count) {
#pragma clang fp reassociate(on)
  float most = -INFINITY;
  for (size_t i = 0; i < count; i++) most = x[i] > most ? x[i] : most;
  return most;
}

#endif
