// Rounding: to 16-bit types, and to codes with a scale a group.
#ifndef VISE_VK_QUANTIZE_H
#define VISE_VK_QUANTIZE_H

#include <stddef.h>
#include <stdint.h>

#include "vk_levels.h"

/// Rounds `count` values to half precision or bfloat16, half to even; what is too large becomes the
/// largest finite value.
void vk_f32_to_f16(vk_level level, const float *source, uint16_t *destination, size_t count);
void vk_f32_to_bf16(vk_level level, const float *source, uint16_t *destination, size_t count);

/// How rows are rounded to nearest: codes of 2 to 8 bits, scales in F16 or BF16.
typedef struct {
  unsigned bits;
  int is_symmetric;
  /// Scales each group's range to where its squared error is least.
  int searches_range;
  int scales_are_bfloat;
} vk_quantizer;

/// Quantizes a row of `groups` groups: codes and zero points are unsigned, one byte each.
void vk_quantize_row(vk_level level, const vk_quantizer *quantizer, const float *weights,
                     size_t groups, size_t group_size, uint8_t *codes, uint16_t *scales,
                     uint8_t *points);

/// Packs `count` codes of `bits` bits into ceil(count * bits / 32) words, and back.
void vk_pack_codes(const uint8_t *codes, size_t count, unsigned bits, uint32_t *words);
void vk_unpack_codes(const uint32_t *words, size_t count, unsigned bits, uint8_t *codes);

/// Zeroes all but the `kept` largest magnitudes of every `of` values (at most 32); of equal ones
/// the first.
void vk_prune_blocks(vk_level level, float *values, size_t count, size_t kept, size_t of);

#endif
