// Products of packed rows with vectors, and the rows decoded.
#ifndef VISE_VK_PACKED_H
#define VISE_VK_PACKED_H

#include <stddef.h>
#include <stdint.h>

#include "vk_levels.h"

/// A packed matrix: `bits` wide codes in a little-endian bitstream whose rows start at a word.
typedef struct {
  const uint32_t *codes;
  /// One for each group, row by row; F16, or BF16 when `scales_are_bfloat`.
  const uint16_t *scales;
  /// A zero point for each group; NULL unless the matrix has them.
  const uint8_t *points;
  /// An F16 minimum for each group; NULL unless the matrix has them.
  const uint16_t *minimums;
  size_t columns, group;
  unsigned bits;
  int scales_are_bfloat;
} vk_packed;

/// Bytes of scratch memory that the functions below need for a matrix of `columns`.
size_t vk_packed_scratch(size_t columns);
/// Writes the rows [first, first + count), decoded, one after the other.
void vk_packed_decode(vk_level level, const vk_packed *matrix, size_t first, size_t count,
                      uint8_t *scratch, float *rows);

/// y[t * y_stride + i] = row (first + i) . (x + t * columns) for i < count and t < tokens.
///
/// `sums` has the sums of x over groups, token after token.
void vk_packed_times(vk_level level, const vk_packed *matrix, size_t first, size_t count,
                     const float *x, const float *sums, size_t tokens, uint8_t *scratch, float *y,
                     size_t y_stride);

#endif
