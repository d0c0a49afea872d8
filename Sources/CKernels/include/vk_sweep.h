// Column by column through a block of weights: GPTQ's and SparseGPT's inner loop, and the choice of
// what to prune.
#ifndef VISE_VK_SWEEP_H
#define VISE_VK_SWEEP_H

#include <stddef.h>
#include <stdint.h>

#include "vk_levels.h"

/// Rows that are swept at once, and the most columns of a block.
enum { VK_SWEEP_LANES = 16, VK_SWEEP_COLUMNS = 128 };

/// A block of columns, the same for all rows.
typedef struct {
  /// The block's part of the upper factor, `stride` values from row to row.
  const float *factor;
  size_t stride;
  /// At most VK_SWEEP_COLUMNS.
  size_t width;
  /// Keep `kept` of every `of` columns, at most 32, which divides `width`; 0 of 0 for no pattern.
  size_t kept, of;
  /// The group of each column; NULL when weights are pruned only.
  const uint32_t *groups;
  /// What code + base lies between.
  float lowest, highest, base;
  /// Sixteen rising levels that codes stand for; NULL where levels are evenly spaced.
  const float *codebook;
} vk_sweep_block;

/// What the codes of VK_SWEEP_LANES rows stand for, group by group, the rows' values side by side.
typedef struct {
  const float *scales, *zeros, *minimums;
} vk_sweep_grid;

/// Sweeps at most VK_SWEEP_LANES rows through a block.
///
/// Each column's weights become zero where the mask (may be NULL) or the pattern says so, else the
/// nearest on the grid; the columns after it in the block make up for the difference. `weights`, `mask`
/// and `codes` have `stride` values from row to row; `errors`, the differences over the factor's diagonal,
/// have the block's width. Squares of errors are added to `losses`, one a row.
void vk_sweep_rows(vk_level level, const vk_sweep_block *block, const vk_sweep_grid *grid,
                   size_t rows, float *weights, const uint8_t *mask, uint8_t *codes, size_t stride,
                   float *errors, double *losses);

/// Sets the mask to 1 for the `smallest` least of `count` scores, none negative, and else to 0; of equal
/// ones the first go.
void vk_mask_smallest(const float *scores, size_t count, size_t smallest, uint8_t *mask);

#endif
