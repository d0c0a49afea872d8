#include "vk_quantize.h"

#include "codebook.h"
#include "rounding.h"

// Codes must not depend on the processor: a fused multiply-add rounds once where two steps round twice.
#pragma clang fp contract(off)

// Independent partial results, so that loops over floats may run as vectors without reordering sums.
enum { lanes = 16, chunk = 256 };

// The range search tries these hundredths of the range, from the widest on: somewhat more than all of
// it may suit rounded scales better. It ends when this many in a row were no better.
enum { widest = 105, narrowest = 20, patience = 12 };

VK_INLINE void vk_f32_to_f16_body(vk_level level, const float *source, uint16_t *destination,
                                  size_t count) {
  (void)level;
  for (size_t i = 0; i < count; i++) destination[i] = vk_half_of(source[i]);
}

VK_VARIANTS(void, vk_f32_to_f16,
            (vk_level level, const float *source, uint16_t *destination, size_t count),
            (level, source, destination, count))

VK_INLINE void vk_f32_to_bf16_body(vk_level level, const float *source, uint16_t *destination,
                                   size_t count) {
  (void)level;
  for (size_t i = 0; i < count; i++) destination[i] = vk_bfloat_of(source[i]);
}

VK_VARIANTS(void, vk_f32_to_bf16,
            (vk_level level, const float *source, uint16_t *destination, size_t count),
            (level, source, destination, count))

typedef struct {
  float scale;
  float zero;  // signed, as compressed-tensors counts: code - 2^(bits - 1)
  uint16_t stored_scale;
} grid;

// The grid whose codes span [low, high], its scale rounded to the type it is stored in.
VK_INLINE grid grid_spanning(const vk_quantizer *q, float low, float high) {
  const float steps = (float)((1u << q->bits) - 1u);
  const float bottom = -(float)(1u << (q->bits - 1));
  grid result;
  // Not -low, which is a negative zero where there is nothing below zero.
  const float depth = 0.0f - low;
  // Halved first, because the span of two large finite weights may overflow.
  const float span = q->is_symmetric ? (high > depth ? high : depth) / (0.5f * steps)
                                     : (0.5f * high + 0.5f * depth) / (0.5f * steps);
  if (q->scales_are_bfloat) {
    result.stored_scale = vk_bfloat_of(span);
    // As compressed-tensors does: groups too small for any scale get the type's epsilon.
    if (result.stored_scale == 0) result.stored_scale = 0x3c00;
    result.scale = vk_bfloat_to_float(result.stored_scale);
  } else {
    result.stored_scale = vk_half_of(span);
    if (result.stored_scale == 0) result.stored_scale = 0x1400;
    result.scale = vk_half_to_float(result.stored_scale);
  }
  result.zero = 0;
  if (!q->is_symmetric) {
    const float zero = bottom - low / result.scale;
    const float top = bottom + steps;
    result.zero = vk_round_even(zero < bottom ? bottom : zero > top ? top : zero);
  }
  return result;
}

VK_INLINE float code_of(float weight, grid grid, float bottom, float top) {
  const float code = weight / grid.scale + grid.zero;
  const float clamped = code < bottom ? bottom : code > top ? top : code;
  return vk_round_even(clamped);
}

VK_INLINE void find_range(const float *weights, size_t count, float *low, float *high) {
  float lows[lanes] = {0}, highs[lanes] = {0};
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    for (size_t k = 0; k < lanes; k++) {
      const float weight = weights[i + k];
      lows[k] = weight < lows[k] ? weight : lows[k];
      highs[k] = weight > highs[k] ? weight : highs[k];
    }
  }
  for (; i < count; i++) {
    lows[0] = weights[i] < lows[0] ? weights[i] : lows[0];
    highs[0] = weights[i] > highs[0] ? weights[i] : highs[0];
  }
  *low = lows[0];
  *high = highs[0];
  for (size_t k = 1; k < lanes; k++) {
    *low = lows[k] < *low ? lows[k] : *low;
    *high = highs[k] > *high ? highs[k] : *high;
  }
}

// The squared error of a group under a grid, each weight's times its importance.
VK_INLINE double squared_error(const vk_quantizer *q, const float *weights,
                               const float *importance, size_t count, grid grid) {
  const float bottom = -(float)(1u << (q->bits - 1));
  const float top = -bottom - 1;
  double total = 0;
  for (size_t start = 0; start < count; start += chunk) {
    const size_t end = start + chunk < count ? start + chunk : count;
    float sums[lanes] = {0};
    size_t i = start;
    for (; i + lanes <= end; i += lanes) {
      for (size_t k = 0; k < lanes; k++) {
        const float weight = weights[i + k];
        const float code = code_of(weight, grid, bottom, top);
        const float error = (code - grid.zero) * grid.scale - weight;
        sums[k] += importance ? importance[i + k] * (error * error) : error * error;
      }
    }
    for (; i < end; i++) {
      const float code = code_of(weights[i], grid, bottom, top);
      const float error = (code - grid.zero) * grid.scale - weights[i];
      sums[0] += importance ? importance[i] * (error * error) : error * error;
    }
    for (size_t k = 0; k < lanes; k++) total += (double)sums[k];
  }
  return total;
}

// The better of two grids with the neighbours of a rounded zero point, which at two bits matter.
VK_INLINE void try_zeros(const vk_quantizer *q, const float *weights, const float *importance,
                         size_t count, grid candidate, grid *best, double *least) {
  const float bottom = -(float)(1u << (q->bits - 1));
  const float top = -bottom - 1;
  const float nearest = candidate.zero;
  for (int step = -1; step <= 1; step++) {
    candidate.zero = nearest + (float)step;
    if (candidate.zero < bottom || candidate.zero > top) continue;
    const double error = squared_error(q, weights, importance, count, candidate);
    if (error < *least) {
      *least = error;
      *best = candidate;
    }
  }
}

VK_INLINE grid best_grid(const vk_quantizer *q, const float *weights, const float *importance,
                         size_t count) {
  float low, high;
  find_range(weights, count, &low, &high);
  if (!q->searches_range) return grid_spanning(q, low, high);
  const float most = (float)widest / 100.0f;
  // Neighbouring zero points pay where codes are few and inputs have been looked at.
  const int tries_zeros = importance && q->bits == 2 && !q->is_symmetric;
  grid best = grid_spanning(q, low * most, high * most);
  double least = squared_error(q, weights, importance, count, best);
  for (int percent = widest - 1, waited = 0; percent >= narrowest && waited < patience; percent--) {
    const float factor = (float)percent / 100.0f;
    const grid candidate = grid_spanning(q, low * factor, high * factor);
    const double before = least;
    if (tries_zeros) {
      try_zeros(q, weights, importance, count, candidate, &best, &least);
    } else {
      const double error = squared_error(q, weights, importance, count, candidate);
      if (error < least) {
        least = error;
        best = candidate;
      }
    }
    waited = least < before ? 0 : waited + 1;
  }
  return best;
}

VK_INLINE void vk_fit_row_body(vk_level level, const vk_quantizer *quantizer, const float *weights,
                               const float *importance, size_t groups, size_t group_size,
                               uint16_t *scales, uint8_t *points) {
  (void)level;
  const float bottom = -(float)(1u << (quantizer->bits - 1));
  for (size_t g = 0; g < groups; g++, weights += group_size) {
    const grid grid = best_grid(quantizer, weights, importance, group_size);
    if (importance) importance += group_size;
    scales[g] = grid.stored_scale;
    points[g] = (uint8_t)(int32_t)(grid.zero - bottom);
  }
}

VK_VARIANTS(void, vk_fit_row,
            (vk_level level, const vk_quantizer *quantizer, const float *weights,
             const float *importance, size_t groups, size_t group_size, uint16_t *scales,
             uint8_t *points),
            (level, quantizer, weights, importance, groups, group_size, scales, points))

VK_INLINE void vk_nearest_row_body(vk_level level, const vk_row_grid *row, const float *weights,
                                   uint8_t *codes) {
  (void)level;
  for (size_t g = 0; g < row->groups; g++, weights += row->group_size, codes += row->group_size) {
    const float scale = row->scales[g], zero = row->zeros[g], minimum = row->minimums[g];
    if (row->codebook) {
      for (size_t i = 0; i < row->group_size; i++) {
        const float place = scale == 0 ? 0 : weights[i] / scale;
        codes[i] = (uint8_t)nearest_in_codebook(row->codebook, place);
      }
      continue;
    }
    for (size_t i = 0; i < row->group_size; i++) {
      const float code = scale == 0 ? zero : (weights[i] - minimum) / scale + zero;
      const float clamped = code < row->lowest ? row->lowest : code > row->highest ? row->highest : code;
      codes[i] = (uint8_t)(int32_t)(vk_round_even(clamped) - row->base);
    }
  }
}

VK_VARIANTS(void, vk_nearest_row,
            (vk_level level, const vk_row_grid *row, const float *weights, uint8_t *codes),
            (level, row, weights, codes))

VK_INLINE void vk_grid_row_body(vk_level level, const vk_row_grid *row, const uint8_t *codes,
                                float *weights) {
  (void)level;
  for (size_t g = 0; g < row->groups; g++, weights += row->group_size, codes += row->group_size) {
    const float scale = row->scales[g], zero = row->zeros[g], minimum = row->minimums[g];
    if (row->codebook) {
      for (size_t i = 0; i < row->group_size; i++) weights[i] = row->codebook[codes[i]] * scale;
      continue;
    }
    for (size_t i = 0; i < row->group_size; i++) {
      weights[i] = ((float)codes[i] + row->base - zero) * scale + minimum;
    }
  }
}

VK_VARIANTS(void, vk_grid_row,
            (vk_level level, const vk_row_grid *row, const uint8_t *codes, float *weights),
            (level, row, codes, weights))
