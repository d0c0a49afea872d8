// How cached keys and values are held: head by head of each position.
#ifndef VISE_VK_CACHE_H
#define VISE_VK_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "vk_levels.h"

typedef enum {
  VK_CACHE_F32 = 0,
  VK_CACHE_F16 = 1,
  /// For each 32 values of a head a scale in F16 and codes of -127...127; the last such group may be shorter.
  VK_CACHE_INT8 = 2,
} vk_cache_type;

/// Bytes of a head of `size` values; a multiple of the alignment that the type needs.
size_t vk_cached_bytes(vk_cache_type type, size_t size);
/// Rounds one position's heads, `heads * size` values side by side.
///
/// Finite values stay finite. NaN and infinity stay non-finite; in INT8 they make their whole group of 32 NaN.
void vk_cache_write(vk_level level, vk_cache_type type, const float *values, size_t heads, size_t size,
                    uint8_t *cached);
/// The values of one head at some positions, `stride` bytes apart, side by side.
void vk_cache_read(vk_level level, vk_cache_type type, const uint8_t *cached, size_t stride,
                   size_t positions, size_t size, float *values);

#endif
