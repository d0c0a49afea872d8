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

/// A vector as products with packed rows of one group size want it, in memory of the caller's.
typedef struct {
  const float *x;
  /// Sums of x over groups, and zeros up to a multiple of 16.
  const float *sums;
  /// x as integers of 24 bits in three planes of bytes, highest first; NULL where floats multiply.
  const int8_t *planes;
  /// The size of an integer step in each segment of at most 64 values, and zeros up to a multiple of 16.
  const float *steps;
} vk_packed_input;

/// Bytes of scratch memory that the functions below need for a matrix of `columns`.
size_t vk_packed_scratch(size_t columns);
/// Writes the rows [first, first + count), decoded, one after the other.
void vk_packed_decode(vk_level level, const vk_packed *matrix, size_t first, size_t count,
                      uint8_t *scratch, float *rows);

/// Bytes of memory, a multiple of 64, that vk_packed_prepare needs.
size_t vk_packed_input_bytes(size_t columns, size_t group);
/// Prepares x for products; `memory` starts at a multiple of 64 and lives as long as the result.
vk_packed_input vk_packed_prepare(vk_level level, const float *x, size_t columns, size_t group,
                                  void *memory);
/// y[t * y_stride + i] = row (first + i) . inputs[t] for i < count and t < tokens.
///
/// The inputs were prepared at the same level for the matrix's columns and group.
void vk_packed_times(vk_level level, const vk_packed *matrix, size_t first, size_t count,
                     const vk_packed_input *inputs, size_t tokens, uint8_t *scratch, float *y,
                     size_t y_stride);

#endif
