#include "lanes.h"
#include "rounding.h"
#include "vk_quantize.h"

// Scales must not depend on the processor: a fused multiply-add rounds once where two steps round twice.
#pragma clang fp contract(off)

// Independent partial results, so that loops over floats may run as vectors without reordering sums.
enum { lanes = vk_lanes, chunk = 256 };

// The range search tries these hundredths of the range, from the widest on: somewhat more than all of
// it may suit rounded scales better. It ends when this many in a row were no better.
enum { widest = 105, narrowest = 20, patience = 12 };

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
                               const float *importance, int weighted, size_t count,
                               grid grid) {
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
        sums[k] += weighted ? importance[i + k] * (error * error) : error * error;
      }
    }
    for (; i < end; i++) {
      const float code = code_of(weights[i], grid, bottom, top);
      const float error = (code - grid.zero) * grid.scale - weights[i];
      sums[0] += weighted ? importance[i] * (error * error) : error * error;
    }
    for (size_t k = 0; k < lanes; k++) total += (double)sums[k];
  }
  return total;
}

// The better of two grids with the neighbours of a rounded zero point, which at two bits matter.
VK_INLINE void try_zeros(const vk_quantizer *q, const float *weights, const float *importance,
                         int weighted, size_t count, grid candidate, grid *best, double *least) {
  const float bottom = -(float)(1u << (q->bits - 1));
  const float top = -bottom - 1;
  const float nearest = candidate.zero;
  for (int step = -1; step <= 1; step++) {
    candidate.zero = nearest + (float)step;
    if (candidate.zero < bottom || candidate.zero > top) continue;
    const double error = squared_error(q, weights, importance, weighted, count, candidate);
    if (error < *least) {
      *least = error;
      *best = candidate;
    }
  }
}

VK_INLINE grid best_grid(const vk_quantizer *q, const float *weights, const float *importance,
                         int weighted, size_t count) {
  float low, high;
  find_range(weights, count, &low, &high);
  if (!q->searches_range) return grid_spanning(q, low, high);
  const float most = (float)widest / 100.0f;
  // Neighbouring zero points pay where codes are few and inputs have been looked at.
  const int tries_zeros = weighted && q->bits == 2 && !q->is_symmetric;
  grid best = grid_spanning(q, low * most, high * most);
  double least = squared_error(q, weights, importance, weighted, count, best);
  for (int percent = widest - 1, waited = 0; percent >= narrowest && waited < patience; percent--) {
    const float factor = (float)percent / 100.0f;
    const grid candidate = grid_spanning(q, low * factor, high * factor);
    const double before = least;
    if (tries_zeros) {
      try_zeros(q, weights, importance, weighted, count, candidate, &best, &least);
    } else {
      const double error = squared_error(q, weights, importance, weighted, count, candidate);
      if (error < least) {
        least = error;
        best = candidate;
      }
    }
    waited = least < before ? 0 : waited + 1;
  }
  return best;
}

// Sixteen groups side by side, of as many weights as a chunk has at most: the same sums without waiting for each other.
typedef struct {
  const vk_quantizer *q;
  size_t count;
  vk_floats x[chunk], w[chunk];
} group_lanes;

typedef double vk_doubles __attribute__((ext_vector_type(16)));
typedef int64_t vk_longs __attribute__((ext_vector_type(16)));

typedef struct {
  vk_floats scale, zero;
  uint16_t stored[lanes];
} grid_lanes;

VK_INLINE void grids_spanning(const vk_quantizer *q, const vk_floats *lows, const vk_floats *highs,
                              float factor, grid_lanes *result) {
  float low[lanes], high[lanes], scale[lanes], zero[lanes];
  const vk_floats scaled_low = *lows * factor, scaled_high = *highs * factor;
  memcpy(low, &scaled_low, sizeof low);
  memcpy(high, &scaled_high, sizeof high);
  for (size_t k = 0; k < lanes; k++) {
    const grid one = grid_spanning(q, low[k], high[k]);
    scale[k] = one.scale;
    zero[k] = one.zero;
    result->stored[k] = one.stored_scale;
  }
  memcpy(&result->scale, scale, sizeof scale);
  memcpy(&result->zero, zero, sizeof zero);
}

VK_INLINE void squared_errors(const group_lanes *g, int weighted, const vk_floats *scales,
                              const vk_floats *zeros, vk_doubles *errors) {
  const float bottom = -(float)(1u << (g->q->bits - 1)), top = -bottom - 1;
  const vk_floats scale = *scales, zero = *zeros;
  vk_doubles total = 0;
  for (size_t k = 0; k < lanes; k++) {
    vk_floats sum = 0;
    for (size_t i = k; i < g->count; i += lanes) {
      const vk_floats place = g->x[i] / scale + zero;
      const vk_floats clamped = VK_CLAMP_LANES(place, bottom, top);
      const vk_floats code = VK_ROUND_LANES(clamped);
      const vk_floats error = (code - zero) * scale - g->x[i];
      sum += weighted ? g->w[i] * (error * error) : error * error;
    }
    total += __builtin_convertvector(sum, vk_doubles);
  }
  *errors = total;
}

// Takes over a candidate where it is better, and it may be.
VK_INLINE void take_better(const grid_lanes *candidate, const vk_floats *zero,
                           const vk_doubles *errors, const vk_ints *may, grid_lanes *best,
                           vk_doubles *least) {
  const vk_longs is_less = *errors < *least;
  const vk_ints is_better = __builtin_convertvector(is_less, vk_ints) & *may;
  const vk_longs is_taken = __builtin_convertvector(is_better, vk_longs);
  *least = is_taken ? *errors : *least;
  best->scale = is_better ? candidate->scale : best->scale;
  best->zero = is_better ? *zero : best->zero;
  for (size_t k = 0; k < lanes; k++) {
    best->stored[k] = is_better[k] ? candidate->stored[k] : best->stored[k];
  }
}

VK_INLINE void best_grids(const group_lanes *g, int weighted, grid_lanes *best) {
  const vk_quantizer *const q = g->q;
  const float bottom = -(float)(1u << (q->bits - 1)), top = -bottom - 1;
  vk_floats low = 0, high = 0;
  for (size_t i = 0; i < g->count; i++) {
    low = g->x[i] < low ? g->x[i] : low;
    high = g->x[i] > high ? g->x[i] : high;
  }
  if (!q->searches_range) {
    grids_spanning(q, &low, &high, 1, best);
    return;
  }
  const int tries_zeros = weighted && q->bits == 2 && !q->is_symmetric;
  vk_doubles least, errors;
  grids_spanning(q, &low, &high, (float)widest / 100.0f, best);
  squared_errors(g, weighted, &best->scale, &best->zero, &least);
  vk_ints waited = 0, goes_on = -1;
  for (int percent = widest - 1; percent >= narrowest; percent--) {
    grid_lanes candidate;
    grids_spanning(q, &low, &high, (float)percent / 100.0f, &candidate);
    const vk_doubles before = least;
    for (int step = tries_zeros ? -1 : 0; step <= (tries_zeros ? 1 : 0); step++) {
      const vk_floats zero = candidate.zero + (float)step;
      const vk_ints may = goes_on & (zero >= bottom) & (zero <= top);
      squared_errors(g, weighted, &candidate.scale, &zero, &errors);
      take_better(&candidate, &zero, &errors, &may, best, &least);
    }
    const vk_longs has_won = least < before;
    waited = __builtin_convertvector(has_won, vk_ints) ? (vk_ints)0 : waited + 1;
    goes_on &= waited < patience;
    if (!__builtin_reduce_or(goes_on)) break;
  }
}

VK_INLINE void fit_lanes(const vk_quantizer *q, const float *weights, const float *importance,
                         int weighted, size_t groups_a_row, size_t first, size_t here, size_t size,
                         uint16_t *scales, uint8_t *points) {
  static const float nothing[chunk] = {0};
  const float *groups[lanes], *counts[lanes];
  // Not cleared: that would take longer than plain ranges do.
  group_lanes g;
  g.q = q;
  g.count = size;
  for (size_t k = 0; k < lanes; k++) {
    groups[k] = k < here ? weights + (first + k) * size : nothing;
    counts[k] = weighted && k < here ? importance + (first + k) % groups_a_row * size : nothing;
  }
  vk_load_lanes(groups, size, g.x);
  if (weighted) vk_load_lanes(counts, size, g.w);
  grid_lanes best;
  best_grids(&g, weighted, &best);
  for (size_t k = 0; k < here; k++) {
    scales[first + k] = best.stored[k];
    points[first + k] = (uint8_t)(int32_t)(best.zero[k] + (float)(1u << (q->bits - 1)));
  }
}

VK_INLINE void fit_all(const vk_quantizer *q, const float *weights, const float *importance,
                       int weighted, size_t groups_a_row, size_t groups, size_t size,
                       uint16_t *scales, uint8_t *points) {
  if (size % lanes == 0 && size <= chunk) {
    for (size_t first = 0; first < groups; first += lanes) {
      const size_t here = groups - first < lanes ? groups - first : lanes;
      fit_lanes(q, weights, importance, weighted, groups_a_row, first, here, size, scales, points);
    }
    return;
  }
  const float bottom = -(float)(1u << (q->bits - 1));
  for (size_t g = 0; g < groups; g++) {
    const float *const counts = weighted ? importance + g % groups_a_row * size : 0;
    const grid grid = best_grid(q, weights + g * size, counts, weighted, size);
    scales[g] = grid.stored_scale;
    points[g] = (uint8_t)(int32_t)(grid.zero - bottom);
  }
}

VK_INLINE void vk_fit_rows_body(vk_level level, const vk_quantizer *quantizer, const float *weights,
                                const float *importance, size_t groups_a_row, size_t groups,
                                size_t group_size, uint16_t *scales, uint8_t *points) {
  (void)level;
  // Asked once: loads that a vector leaves out are slow where nothing is mapped.
  if (importance) {
    fit_all(quantizer, weights, importance, 1, groups_a_row, groups, group_size, scales, points);
  } else {
    fit_all(quantizer, weights, 0, 0, groups_a_row, groups, group_size, scales, points);
  }
}

VK_VARIANTS(void, vk_fit_rows,
            (vk_level level, const vk_quantizer *quantizer, const float *weights,
             const float *importance, size_t groups_a_row, size_t groups, size_t group_size,
             uint16_t *scales, uint8_t *points),
            (level, quantizer, weights, importance, groups_a_row, groups, group_size, scales,
             points))
