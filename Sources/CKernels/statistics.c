#include "vk_statistics.h"

#include "levels.h"

// Sums run in eight lanes of doubles, so that the order, and with it the result, is the same on
// every processor.
enum { lanes = 8 };

static double sum_of(const double *values) {
  double sum = 0;
  for (size_t k = 0; k < lanes; k++) sum += values[k];
  return sum;
}

#pragma clang fp contract(off)

VK_INLINE void vk_measure_body(vk_level level, const float *values, size_t count,
                               vk_range *range) {
  (void)level;
  double energy[lanes] = {0}, magnitude[lanes] = {0};
  float lows[lanes], highs[lanes];
  for (size_t k = 0; k < lanes; k++) lows[k] = highs[k] = count > 0 ? values[0] : 0;
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    for (size_t k = 0; k < lanes; k++) {
      const float value = values[i + k];
      energy[k] += (double)value * (double)value;
      magnitude[k] += (double)(value < 0 ? -value : value);
      lows[k] = value < lows[k] ? value : lows[k];
      highs[k] = value > highs[k] ? value : highs[k];
    }
  }
  for (; i < count; i++) {
    energy[0] += (double)values[i] * (double)values[i];
    magnitude[0] += (double)(values[i] < 0 ? -values[i] : values[i]);
    lows[0] = values[i] < lows[0] ? values[i] : lows[0];
    highs[0] = values[i] > highs[0] ? values[i] : highs[0];
  }
  range->energy = sum_of(energy);
  range->magnitude = sum_of(magnitude);
  range->minimum = lows[0];
  range->maximum = highs[0];
  for (size_t k = 1; k < lanes; k++) {
    range->minimum = lows[k] < range->minimum ? lows[k] : range->minimum;
    range->maximum = highs[k] > range->maximum ? highs[k] : range->maximum;
  }
}

VK_VARIANTS(void, vk_measure,
            (vk_level level, const float *values, size_t count, vk_range *range),
            (level, values, count, range))

typedef struct {
  double signal[lanes], result[lanes], product[lanes], noise[lanes];
  float largest[lanes];
  uint32_t zeros[lanes];
} comparison_lanes;

VK_INLINE void compare_lane(comparison_lanes *sums, size_t k, float before, float after) {
  const double a = (double)before, b = (double)after;
  const float error = after > before ? after - before : before - after;
  sums->signal[k] += a * a;
  sums->result[k] += b * b;
  sums->product[k] += a * b;
  sums->noise[k] += (b - a) * (b - a);
  sums->largest[k] = error > sums->largest[k] ? error : sums->largest[k];
  sums->zeros[k] += after == 0 ? 1 : 0;
}

VK_INLINE void vk_compare_body(vk_level level, const float *before, const float *after,
                               size_t count, vk_comparison *comparison) {
  (void)level;
  comparison_lanes sums = {0};
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    for (size_t k = 0; k < lanes; k++) compare_lane(&sums, k, before[i + k], after[i + k]);
  }
  for (; i < count; i++) compare_lane(&sums, 0, before[i], after[i]);
  comparison->signal = sum_of(sums.signal);
  comparison->result = sum_of(sums.result);
  comparison->product = sum_of(sums.product);
  comparison->noise = sum_of(sums.noise);
  comparison->largest_error = 0;
  comparison->zeros = 0;
  for (size_t k = 0; k < lanes; k++) {
    comparison->zeros += sums.zeros[k];
    if (sums.largest[k] > comparison->largest_error) comparison->largest_error = sums.largest[k];
  }
}

VK_VARIANTS(void, vk_compare,
            (vk_level level, const float *before, const float *after, size_t count,
             vk_comparison *comparison),
            (level, before, after, count, comparison))

VK_INLINE void count_some(const float *values, const float *before, size_t count, double lower,
                          double bins_per_unit, size_t bins, uint32_t *counts) {
  enum { portion = 64 };
  const double last = (double)(bins - 1);
  for (size_t start = 0; start < count; start += portion) {
    const size_t end = count - start < portion ? count - start : portion;
    int32_t places[portion];
    for (size_t i = 0; i < end; i++) {
      const float value = before ? values[start + i] - before[start + i] : values[start + i];
      const double place = ((double)value - lower) * bins_per_unit;
      const int is_number = place - place == 0;
      const double clamped = place < 0 ? 0 : place > last ? last : place;
      places[i] = is_number ? (int32_t)(is_number ? clamped : 0) : (int32_t)bins;
    }
    // Neighbours often share a bin; four copies keep one increment from waiting for the last.
    for (size_t i = 0; i < end; i++) counts[(i & 3) * (bins + 1) + (size_t)places[i]] += 1;
  }
}

VK_INLINE void vk_count_bins_body(vk_level level, const float *values, const float *before,
                                  size_t count, double lower, double bins_per_unit, size_t bins,
                                  uint32_t *counts) {
  (void)level;
  // Asked once: loads that a vector leaves out are slow where nothing is mapped.
  if (before) {
    count_some(values, before, count, lower, bins_per_unit, bins, counts);
  } else {
    count_some(values, 0, count, lower, bins_per_unit, bins, counts);
  }
}

VK_VARIANTS(void, vk_count_bins,
            (vk_level level, const float *values, const float *before, size_t count, double lower,
             double bins_per_unit, size_t bins, uint32_t *counts),
            (level, values, before, count, lower, bins_per_unit, bins, counts))

VK_INLINE void vk_add_moments_body(vk_level level, const float *values, size_t rows, size_t columns,
                                   double *sums, double *squares) {
  (void)level;
  for (size_t row = 0; row < rows; row++, values += columns) {
    for (size_t k = 0; k < columns; k++) {
      const double value = (double)values[k];
      sums[k] += value;
      squares[k] += value * value;
    }
  }
}

VK_VARIANTS(void, vk_add_moments,
            (vk_level level, const float *values, size_t rows, size_t columns, double *sums,
             double *squares),
            (level, values, rows, columns, sums, squares))
