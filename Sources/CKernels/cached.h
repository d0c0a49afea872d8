// Private: values of cached heads, read one or sixteen at a time.
#ifndef VISE_CACHED_H
#define VISE_CACHED_H

#include "floats.h"
#include "lanes.h"
#include "vk_cache.h"

// Values that share a scale, and the bytes that these and their scale take.
enum { CACHE_GROUP = 32, CACHE_GROUP_BYTES = CACHE_GROUP + 2 };

typedef int8_t vk_codes __attribute__((ext_vector_type(16)));
typedef uint16_t vk_words __attribute__((ext_vector_type(16)));

VK_INLINE float vk_cached_value(vk_level level, vk_cache_type type, const uint8_t *head, size_t i) {
  if (type == VK_CACHE_F32) return vk_from_bits(vk_load_u32(head + 4 * i));
  if (type == VK_CACHE_F16) return vk_half_at(level, head + 2 * i);
  const uint8_t *const group = head + i / CACHE_GROUP * CACHE_GROUP_BYTES;
  return vk_half_at(level, group) * (float)(int8_t)group[2 + i % CACHE_GROUP];
}

// The sixteen from value i on, a multiple of 16.
VK_INLINE void vk_cached_lanes(vk_level level, vk_cache_type type, const uint8_t *head, size_t i,
                               vk_floats *values) {
  if (type == VK_CACHE_F32) {
    memcpy(values, head + 4 * i, sizeof *values);
  } else if (type == VK_CACHE_F16) {
#if defined(VK_X86)
    if (level != VK_PORTABLE) {
      _Float16 halves __attribute__((ext_vector_type(16)));
      memcpy(&halves, head + 2 * i, sizeof halves);
      *values = __builtin_convertvector(halves, vk_floats);
      return;
    }
#endif
    vk_words halves;
    memcpy(&halves, head + 2 * i, sizeof halves);
    // As vk_half_to_float; comparisons of vectors are -1 where they hold.
    const vk_ints wide = __builtin_convertvector(halves, vk_ints);
    const vk_ints rest = (wide & 0x7fff) << 13;
    const vk_ints bits = (vk_ints)((vk_floats)rest * 0x1p112f) | ((rest >= 0x0f800000) & 0x7f800000);
    *values = (vk_floats)(bits | (wide & 0x8000) << 16);
  } else {
    const uint8_t *const group = head + i / CACHE_GROUP * CACHE_GROUP_BYTES;
    vk_codes codes;
    memcpy(&codes, group + 2 + i % CACHE_GROUP, sizeof codes);
    *values = __builtin_convertvector(codes, vk_floats) * vk_half_at(level, group);
  }
}

#endif
