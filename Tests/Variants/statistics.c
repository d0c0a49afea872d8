// Sums over weights, which are the same at every level.
#include "vk_statistics.h"

#include "variants.h"

#include <stdlib.h>

enum { ROWS = 5, BINS = 20 };

void try_statistics(vk_level level) {
  for (size_t k = 0; k < length_count; k++) {
    const size_t count = lengths[k];
    float *const before = random_floats(ROWS * count, 1), *const after = random_floats(ROWS * count, 1);
    vk_range range;
    vk_measure(level, before, count, &range);
    same("ranges", &range, sizeof range);
    vk_comparison comparison;
    vk_compare(level, before, after, count, &comparison);
    const double sums[] = {comparison.signal, comparison.result, comparison.product, comparison.noise,
                           comparison.largest_error, (double)comparison.zeros};
    same("comparisons", sums, sizeof sums);
    uint32_t *const bins = calloc(4 * (BINS + 1), sizeof *bins);
    if (!bins) abort();
    vk_count_bins(level, after, k % 2 == 0 ? before : NULL, count, -1, BINS / 2, BINS, bins);
    // Of which set a value is counted in matters to nobody.
    uint32_t totals[BINS + 1] = {0};
    for (size_t i = 0; i < 4 * (BINS + 1); i++) totals[i % (BINS + 1)] += bins[i];
    same("histograms", totals, sizeof totals);
    double *const moments = calloc(2 * count, sizeof *moments);
    if (!moments) abort();
    vk_add_moments(level, before, ROWS, count, moments, moments + count);
    same("moments", moments, 2 * count * sizeof *moments);
    free(moments);
    free(bins);
    free(after);
    free(before);
  }
}
