// Private: exp, tanh, erfc and maximum that vectorise.
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

// tanh(x) within three units in the last place: x + x^3 p(x^2) below 0.625, where 1 - 2 / (exp(2x) + 1) would
// cancel, with p fitted at Chebyshev nodes of [0, 0.45] to 4e-8.
VK_INLINE float vk_tanh(float x) {
#pragma clang fp reassociate(off) contract(fast)
  const float square = x * x, size = fabsf(x);
  float p = -0x1.7ac4b8p-8f;
  p = p * square + 0x1.542d5cp-6f;
  p = p * square - 0x1.b8b5ecp-5f;
  p = p * square + 0x1.110c22p-3f;
  p = p * square - 0x1.555550p-2f;
  const float large = copysignf(1.0f - 2.0f / (vk_exp(2.0f * size) + 1.0f), x);
  return size < 0.625f ? x + x * square * p : large;
}

// erfc(x) for x >= 0, given exp(-x^2): with t = 1 / (1 + x / 2) it is exp(-x^2) t g(t), where g is smooth and was
// fitted at Chebyshev nodes of [0.1, 1] to 1e-8.
VK_INLINE float vk_erfc(float x, float exponential) {
#pragma clang fp reassociate(off) contract(fast)
  const float t = 1.0f / (1.0f + 0.5f * x);
  float g = 0.041562620279f;
  g = g * t - 0.225324650025f;
  g = g * t + 0.470111756366f;
  g = g * t - 0.421259403421f;
  g = g * t + 0.101885798244f;
  g = g * t - 0.041445618579f;
  g = g * t + 0.086622779292f;
  g = g * t + 0.177008530105f;
  g = g * t + 0.246629409800f;
  g = g * t + 0.282114689430f;
  g = g * t + 0.282094092821f;
  return exponential * t * g;
}

// Scores s as cap * tanh(s / cap).
VK_INLINE void vk_cap(float *scores, size_t count, float cap) {
  const float inverse = 1.0f / cap;
  for (size_t i = 0; i < count; i++) scores[i] = cap * vk_tanh(scores[i] * inverse);
}

VK_INLINE float vk_largest_of(const float *x, size_t count) {
#pragma clang fp reassociate(on)
  float most = -INFINITY;
  for (size_t i = 0; i < count; i++) most = x[i] > most ? x[i] : most;
  return most;
}

#endif
