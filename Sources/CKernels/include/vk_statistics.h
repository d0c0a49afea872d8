// Sums over weights, in double precision and in the same order at every level.
#ifndef VISE_VK_STATISTICS_H
#define VISE_VK_STATISTICS_H

#include <stddef.h>
#include <stdint.h>

#include "vk_levels.h"

/// Sum of squares and of absolute values, minimum and maximum; sums are finite if all values are.
typedef struct {
  double energy, magnitude;
  float minimum, maximum;
} vk_range;

void vk_measure(vk_level level, const float *values, size_t count, vk_range *range);

/// Sums of before^2, after^2, before * after and (after - before)^2, the largest absolute
/// difference, and how many values are zero after.
typedef struct {
  double signal, result, product, noise;
  float largest_error;
  size_t zeros;
} vk_comparison;

void vk_compare(vk_level level, const float *before, const float *after, size_t count,
                vk_comparison *comparison);

/// Adds to four sets of `bins` + 1 counts, to be summed: each finite value once, outliers at the ends, and last of each set
/// what is no number. With `before`, which may be null, values are taken less what is there.
void vk_count_bins(vk_level level, const float *values, const float *before, size_t count,
                   double lower, double bins_per_unit, size_t bins, uint32_t *counts);

/// Adds each column's values, and their squares, over the rows of a matrix; in the order of the rows.
void vk_add_moments(vk_level level, const float *values, size_t rows, size_t columns, double *sums,
                    double *squares);

#endif
