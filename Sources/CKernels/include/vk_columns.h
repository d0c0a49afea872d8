// Products of single vectors with matrices whose codes lie column by column, so that columns whose input is small are not
// read.
//
// Rows are cut into blocks of 64, or of 128 for codes of at most 4 bits. In a block a column takes 64 bytes: row
// 16 i + 4 l + m lies in byte 16 l + 4 i + m, so that four columns interleaved become registers of sixteen rows each, in
// order. The upper half of the bytes has the rows from 64 on. All else stands in the tiles of the same matrix.
#ifndef VISE_VK_COLUMNS_H
#define VISE_VK_COLUMNS_H

#include "vk_tiles.h"

/// Rows of a block.
size_t vk_column_rows(const vk_tiles *matrix);
/// Blocks of a matrix.
size_t vk_column_blocks(const vk_tiles *matrix);
/// Bytes of a block.
size_t vk_column_bytes(const vk_tiles *matrix);
/// Lays one block's codes out column by column, in memory that starts at a multiple of 64.
void vk_columns_lay_out(vk_level level, const vk_tiles *matrix, size_t block, uint8_t *columns);

/// The values of one vector that multiply, rounded to integers with a step for each span of at most 64 columns.
///
/// A span lies within a group. Its columns are taken in fours; what the last four lack is a column again, times zero.
typedef struct {
  /// Columns of the matrix, four for each of `fours`.
  const uint32_t *columns;
  /// The higher and the lower bytes of their integers; `low` is NULL where integers have 8 bits.
  const int8_t *high, *low;
  /// For each span where its fours end, and its step.
  const uint32_t *ends;
  const float *steps;
  /// Sums over groups of what the integers stand for.
  const float *sums;
  size_t fours, spans;
  /// Values that multiply.
  size_t active;
} vk_active_inputs;

/// Columns of a span for groups of a size.
size_t vk_active_span(size_t group);
/// Bytes of memory, a multiple of 64, that vk_active_gather needs.
size_t vk_active_bytes(size_t columns, size_t group, vk_planes planes);
/// Gathers the values of x whose magnitude is at least `threshold`, and those that are no numbers; `memory` starts at a
/// multiple of 64 and lives as long as the result.
vk_active_inputs vk_active_gather(vk_level level, const float *x, size_t columns, size_t group,
                                  float threshold, vk_planes planes, void *memory);

/// y[i] = row (first's first row + i) . input, for the rows of the blocks [first, first + count).
void vk_columns_times(vk_level level, const vk_tiles *matrix, const uint8_t *columns, size_t first,
                      size_t count, const vk_active_inputs *inputs, float *y);

#endif
