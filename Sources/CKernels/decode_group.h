// Private: weights of a group that shares a scale.
#ifndef VISE_DECODE_GROUP_H
#define VISE_DECODE_GROUP_H

#include "floats.h"

typedef float vk_floats16 __attribute__((vector_size(64)));
typedef uint8_t vk_bytes16 __attribute__((vector_size(16)));

VK_INLINE float vk_half_of(vk_level level, const uint16_t *half, int is_bfloat) {
  if (is_bfloat) return vk_bfloat_to_float(*half);
  return vk_half_at(level, (const uint8_t *)half);
}

/// (code - zero) * scale + minimum. A zero of 0 and a minimum of -0 change nothing, not even a sign.
VK_INLINE void vk_decode_group(const uint8_t *codes, size_t count, float scale, float zero,
                               float minimum, float *weights) {
#pragma clang fp contract(off)
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    vk_bytes16 some;
    memcpy(&some, codes + i, sizeof some);
    const vk_floats16 values =
        (__builtin_convertvector(some, vk_floats16) - zero) * scale + minimum;
    memcpy(weights + i, &values, sizeof values);
  }
  for (; i < count; i++) weights[i] = ((float)codes[i] - zero) * scale + minimum;
}

#endif
