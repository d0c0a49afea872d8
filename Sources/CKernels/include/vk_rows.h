// Products of stored floating-point rows with vectors.
#ifndef VISE_VK_ROWS_H
#define VISE_VK_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "vk_levels.h"

typedef enum { VK_F32, VK_F16, VK_BF16 } vk_float_type;

/// Rows of a matrix as a file stores them; the elements may start at any address.
typedef struct {
  const uint8_t *elements;
  size_t columns;
  vk_float_type type;
  /// Rows of a head whose two halves are stored interleaved; 0 when rows are stored in order.
  size_t interleaved_head;
  /// Heads of so many rows from a row on, so many in each group, of which the first of all groups are stored first, then
  /// the second; no groups when rows are stored in order.
  size_t tiled_from, tiled_groups, tiled_heads, tiled_size;
} vk_rows;

/// y[t * y_stride + i] = row (first + i) . (x + t * x_stride) for i < count and t < tokens.
void vk_rows_times(vk_level level, const vk_rows *matrix, size_t first, size_t count,
                   const float *x, size_t x_stride, size_t tokens, float *y, size_t y_stride);
/// Writes the rows [first, first + count), decoded, one after the other.
void vk_rows_decode(vk_level level, const vk_rows *matrix, size_t first, size_t count, float *rows);

#endif
