// Private: sixteen groups of weights side by side, one a lane, so that sums within a group need no order but their own.
#ifndef VISE_LANES_H
#define VISE_LANES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "levels.h"

enum { vk_lanes = 16 };

typedef float vk_floats __attribute__((ext_vector_type(16)));
typedef int32_t vk_ints __attribute__((ext_vector_type(16)));

// Macros, because vectors wider than a level's registers are not passed by value.
#define VK_ROUND_LANES(value) (((value) + 0x1.8p23f) - 0x1.8p23f)
#define VK_CLAMP_LANES(value, lowest, highest) \
  ((value) < (lowest) ? (vk_floats)(lowest) : (value) > (highest) ? (vk_floats)(highest) : (value))

// Interleaves two halves of sixteen vectors; four times this is a transposition.
VK_INLINE void vk_interleave(const vk_floats *from, vk_floats *to) {
  for (size_t i = 0; i < 8; i++) {
    to[2 * i] = __builtin_shufflevector(from[i], from[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5,
                                        21, 6, 22, 7, 23);
    to[2 * i + 1] = __builtin_shufflevector(from[i], from[i + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12,
                                            28, 13, 29, 14, 30, 15, 31);
  }
}

// The first `count` values, a multiple of 16, of sixteen groups: vector i holds value i of each.
VK_INLINE void vk_load_lanes(const float *const *groups, size_t count, vk_floats *values) {
  for (size_t start = 0; start < count; start += vk_lanes) {
    vk_floats first[vk_lanes], second[vk_lanes];
    for (size_t g = 0; g < vk_lanes; g++) memcpy(first + g, groups[g] + start, sizeof *first);
    vk_interleave(first, second);
    vk_interleave(second, first);
    vk_interleave(first, second);
    vk_interleave(second, values + start);
  }
}

#endif
