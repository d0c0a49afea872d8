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

/// Finds the scales and zero points, unsigned, of `groups` groups of some rows, of `groups_a_row` each.
///
/// A search weights squared errors by `importance`, one a weight of a row, unless it is null.
void vk_fit_rows(vk_level level, const vk_quantizer *quantizer, const float *weights,
                 const float *importance, size_t groups_a_row, size_t groups, size_t group_size,
                 uint16_t *scales, uint8_t *points);

/// What the codes of a row stand for: weight = (code + base - zero) * scale + minimum, for codes + base
/// from lowest to highest; with a codebook of sixteen rising levels, weight = codebook[code] * scale.
typedef struct {
  const float *scales, *zeros, *minimums, *codebook;
  size_t groups, group_size;
  float lowest, highest, base;
} vk_row_grid;

/// The unsigned codes nearest to a row's weights.
void vk_nearest_row(vk_level level, const vk_row_grid *row, const float *weights, uint8_t *codes);

/// The weights that a row's codes stand for.
void vk_grid_row(vk_level level, const vk_row_grid *row, const uint8_t *codes, float *weights);

/// The zeros of a row's groups, as levels, that half-quadratic quantization finds from the grid's own.
void vk_hqq_row(const vk_row_grid *row, const float *weights, float *zeros);

/// Packs `count` codes of `bits` bits into ceil(count * bits / 32) words, and back.
void vk_pack_codes(const uint8_t *codes, size_t count, unsigned bits, uint32_t *words);
void vk_unpack_codes(const uint32_t *words, size_t count, unsigned bits, uint8_t *codes);

/// Zeroes all but the `kept` largest magnitudes of every `of` values (at most 32); of equal ones
/// the first.
void vk_prune_blocks(vk_level level, float *values, size_t count, size_t kept, size_t of);

#endif
