// Products of matrices in single precision, from panels that are packed once and used often.
#ifndef VISE_VK_GEMM_H
#define VISE_VK_GEMM_H

#include <stddef.h>

#include "vk_levels.h"

/// Which factor of a product a matrix is: its rows are the product's rows, or the product's columns.
typedef enum { VK_LEFT, VK_RIGHT } vk_side;

/// A matrix in memory: element (i, k) is at i * row_stride + k * column_stride, of which one is 1.
typedef struct {
  const float *elements;
  size_t rows, columns;
  size_t row_stride, column_stride;
} vk_factor;

/// Rows of a panel: packed parts of a matrix begin at multiples of it.
size_t vk_panel_rows(vk_level level, vk_side side);
/// Floats that `rows` packed rows of `columns` take.
size_t vk_packed_floats(vk_level level, vk_side side, size_t rows, size_t columns);
/// Packs a matrix as panels, column after column of each, with zeros for rows that the last one lacks.
void vk_pack_factor(vk_level level, vk_side side, const vk_factor *matrix, float *panels);

/// y[i * stride + j] = left row i . right row j, or that added to what is there.
///
/// `left` and `right` were packed at the same level with `columns` columns each. Sums of 512 products at a time are added up,
/// so that long rows lose no more digits than short ones.
void vk_gemm(vk_level level, const float *left, size_t left_rows, const float *right,
             size_t right_rows, size_t columns, int adds, float *y, size_t stride);

#endif
