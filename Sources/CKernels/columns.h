// Private: where codes lie in columns.
#ifndef VISE_COLUMNS_H
#define VISE_COLUMNS_H

#include "tiles.h"
#include "vk_columns.h"

enum {
  /// Bytes of a column of a block: a line of memory, and a vector.
  VK_COLUMN = VK_VECTOR,
  /// Tiles whose rows have a code in each byte.
  VK_COLUMN_TILES = VK_COLUMN / VK_TILE_ROWS,
  /// Columns that multiply together.
  VK_FOUR = 4,
};

/// Codes in a byte.
VK_INLINE size_t vk_column_parts(const vk_tiles *matrix) { return matrix->bits <= 4 ? 2 : 1; }

/// Where row `row` of tile `tile` of a block lies in a column.
VK_INLINE size_t vk_column_place(size_t tile, size_t row) {
  return row / 4 * VK_TILE_ROWS + tile % VK_COLUMN_TILES * 4 + row % 4;
}

#ifdef VK_X86
/// Products with AVX-512.
void vk_columns_times_avx512(const vk_tiles *matrix, const uint8_t *columns, size_t first,
                             size_t count, const vk_active_inputs *inputs, float *y);
#endif

#endif
