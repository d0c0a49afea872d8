#include "block_shapes.h"
#include "codebook.h"
#include "lanes.h"
#include "rounding.h"

// Headers must not depend on the processor: a fused multiply-add rounds once where two steps round twice.
#pragma clang fp contract(off)

// Searches for the scales of GGUF's block types. The candidates of a group are scales at which its
// codes change; for each, the scale (and minimum) of least weighted squared error has a closed form.
// Sums within a group are sixteen partial ones, added in order: that order is part of the result.

enum { most_group = 32, trials_either_side = 9, minimum_trials = 36, header_trials = 9 };

// Groups of one type, one a lane.
typedef struct {
  const vk_block_shape *shape;
  const float *codebook;
  vk_floats x[most_group];
  // What squared errors count, and the sum of that in each group.
  vk_floats w[most_group], weight;
} group_lanes;

typedef struct {
  vk_floats scale, minimum;
} lane_fits;

// The values of largest magnitude, with their signs; the first of equal ones.
VK_INLINE void find_largest(const group_lanes *g, vk_floats *found) {
  vk_floats largest = 0, magnitude = 0;
  for (size_t i = 0; i < g->shape->group; i++) {
    const vk_floats x = g->x[i], size = x < 0 ? -x : x;
    largest = size > magnitude ? x : largest;
    magnitude = size > magnitude ? size : magnitude;
  }
  *found = largest;
}

VK_INLINE void sum_weights(group_lanes *g) {
  g->weight = 0;
  for (size_t k = 0; k < vk_lanes; k++) {
    vk_floats sum = g->w[k];
    if (g->shape->group > vk_lanes) sum += g->w[k + vk_lanes];
    g->weight += sum;
  }
}

// Scales with their signs, for levels from lowest to highest around zero.
VK_INLINE void fit_scales(const group_lanes *g, int weighted, int searches, lane_fits *fits) {
  const float lowest = (float)g->shape->lowest, highest = (float)g->shape->highest;
  const float *const codebook = g->codebook;
  vk_floats largest;
  find_largest(g, &largest);
  const float span = lowest == -highest ? -highest : lowest;
  const float stride = codebook ? 1.5f : 0.1f;
  vk_floats best = largest / span, most = -1;
  fits->minimum = 0;
  for (int sign = -1; searches && sign <= 1; sign += 2) {
    for (int step = -trials_either_side; step <= trials_either_side; step++) {
      const float places = (float)sign * (span + stride * (float)step);
      const vk_floats inverse = places / largest;
      vk_floats product = 0, square = 0;
      for (size_t k = 0; k < vk_lanes; k++) {
        vk_floats products = 0, squares = 0;
        for (size_t i = k; i < g->shape->group; i += vk_lanes) {
          const vk_floats place = g->x[i] * inverse;
          vk_floats code;
          if (codebook) {
            code = codebook[0];
            for (size_t c = 1; c < codebook_levels; c++) {
              code = place > 0.5f * (codebook[c - 1] + codebook[c]) ? (vk_floats)codebook[c] : code;
            }
          } else {
            const vk_floats clamped = VK_CLAMP_LANES(place, lowest, highest);
            code = VK_ROUND_LANES(clamped);
          }
          const vk_floats counted = weighted ? g->w[i] * code : code;
          products += counted * g->x[i];
          squares += counted * code;
        }
        product += products;
        square += squares;
      }
      // The error at the best scale falls as product^2 / square rises.
      const vk_floats gain = product * product;
      const vk_ints is_better = (square > 0) & (gain > most * square);
      most = is_better ? gain / square : most;
      best = is_better ? product / square : best;
    }
  }
  fits->scale = largest == 0 ? (vk_floats)0 : best;
}

// Scales and minimums, which may not be positive when `below_zero`.
VK_INLINE void fit_ranges(const group_lanes *g, int weighted, int below_zero, int searches,
                          lane_fits *fits) {
  const size_t group = g->shape->group;
  const float highest = (float)g->shape->highest;
  vk_floats low = g->x[0], high = g->x[0];
  for (size_t i = 1; i < group; i++) {
    low = g->x[i] < low ? g->x[i] : low;
    high = g->x[i] > high ? g->x[i] : high;
  }
  if (below_zero) {
    low = low > 0 ? (vk_floats)0 : low;
    high = high < 0 ? (vk_floats)0 : high;
  }
  const vk_ints is_flat = high <= low;
  lane_fits best = {(high - low) / highest, low};
  if (searches) {
    vk_floats sum_x = 0, sum_xx = 0, least = -1;
    for (size_t k = 0; k < vk_lanes; k++) {
      vk_floats xs = 0, xxs = 0;
      for (size_t i = k; i < group; i += vk_lanes) {
        const vk_floats counted = weighted ? g->w[i] * g->x[i] : g->x[i];
        xs += counted;
        xxs += counted * g->x[i];
      }
      sum_x += xs;
      sum_xx += xxs;
    }
    const vk_floats sum_w = g->weight;
    for (int step = 0; step <= minimum_trials; step++) {
      const vk_floats inverse = (highest - 0.9f + 0.05f * (float)step) / (high - low);
      vk_floats sum_l = 0, sum_ll = 0, sum_lx = 0;
      for (size_t k = 0; k < vk_lanes; k++) {
        vk_floats ls = 0, lls = 0, lxs = 0;
        for (size_t i = k; i < group; i += vk_lanes) {
          const vk_floats place = (g->x[i] - low) * inverse;
          const vk_floats clamped = VK_CLAMP_LANES(place, 0.0f, highest);
          const vk_floats code = VK_ROUND_LANES(clamped);
          const vk_floats counted = weighted ? g->w[i] * code : code;
          ls += counted;
          lls += counted * code;
          lxs += counted * g->x[i];
        }
        sum_l += ls;
        sum_ll += lls;
        sum_lx += lxs;
      }
      const vk_floats determinant = sum_w * sum_ll - sum_l * sum_l;
      lane_fits fit = {(sum_w * sum_lx - sum_x * sum_l) / determinant,
                       (sum_ll * sum_x - sum_l * sum_lx) / determinant};
      if (below_zero) {
        const vk_ints is_above = fit.minimum > 0;
        fit.scale = is_above ? sum_lx / sum_ll : fit.scale;
        fit.minimum = is_above ? (vk_floats)0 : fit.minimum;
      }
      const vk_floats error = fit.scale * fit.scale * sum_ll + fit.minimum * fit.minimum * sum_w +
                              sum_xx + 2 * fit.scale * fit.minimum * sum_l -
                              2 * fit.scale * sum_lx - 2 * fit.minimum * sum_x;
      const vk_ints is_better = (determinant > 0) & ((least < 0) | (error < least));
      least = is_better ? error : least;
      best.scale = is_better ? fit.scale : best.scale;
      best.minimum = is_better ? fit.minimum : best.minimum;
    }
  }
  fits->scale = is_flat ? (vk_floats)0 : best.scale;
  fits->minimum = is_flat ? low : best.minimum;
}

// The squared errors of groups at their nearest codes.
VK_INLINE void group_errors(const group_lanes *g, int weighted, const vk_floats *scales,
                            const vk_floats *minimums, vk_floats *errors) {
  const float lowest = (float)g->shape->lowest, highest = (float)g->shape->highest;
  const vk_floats scale = *scales, minimum = *minimums;
  const vk_floats inverse = scale == 0 ? (vk_floats)0 : 1 / scale;
  vk_floats total = 0;
  for (size_t k = 0; k < vk_lanes; k++) {
    vk_floats sum = 0;
    for (size_t i = k; i < g->shape->group; i += vk_lanes) {
      const vk_floats place = (g->x[i] - minimum) * inverse;
      const vk_floats clamped = VK_CLAMP_LANES(place, lowest, highest);
      const vk_floats code = VK_ROUND_LANES(clamped);
      const vk_floats error = code * scale + minimum - g->x[i];
      sum += weighted ? g->w[i] * (error * error) : error * error;
    }
    total += sum;
  }
  *errors = total;
}

// The minimums that suit scales best, at the codes that a first guess of them gives.
VK_INLINE void minimums_for(const group_lanes *g, int weighted, const vk_floats *scales,
                            const vk_floats *guesses, vk_floats *minimums) {
  const float lowest = (float)g->shape->lowest, highest = (float)g->shape->highest;
  const vk_floats scale = *scales, guess = *guesses;
  const vk_floats inverse = scale == 0 ? (vk_floats)0 : 1 / scale;
  vk_floats total = 0;
  for (size_t k = 0; k < vk_lanes; k++) {
    vk_floats sum = 0;
    for (size_t i = k; i < g->shape->group; i += vk_lanes) {
      const vk_floats place = (g->x[i] - guess) * inverse;
      const vk_floats clamped = VK_CLAMP_LANES(place, lowest, highest);
      const vk_floats code = VK_ROUND_LANES(clamped);
      const vk_floats rest = g->x[i] - code * scale;
      sum += weighted ? g->w[i] * rest : rest;
    }
    total += sum;
  }
  const vk_floats minimum = g->weight > 0 ? total / g->weight : guess;
  *minimums = minimum < 0 ? minimum : (vk_floats)0;
}

// The values of lanes, for what is decided for each super-block.
typedef union {
  vk_floats lanes;
  float values[vk_lanes];
} spread;

// Quantizes the groups' scales as multiples of one that is `factor` times the smallest that holds all.
//
// `largest` has the scale of largest magnitude of each super-block; `errors` gets the sum of its groups'.
VK_INLINE void fill_headers(const group_lanes *g, int weighted, const lane_fits *fits,
                            const float *largest, float factor, int wants_errors,
                            vk_block_header *headers, float *errors) {
  const vk_block_shape *const shape = g->shape;
  const size_t groups = shape->groups, supers = vk_lanes / groups;
  const float most = (float)shape->most_multiple, least = (float)shape->least_multiple;
  spread unit, multiple, minimum, depth;
  for (size_t s = 0; s < supers; s++) {
    headers[s].scale = vk_half_of(factor * largest[s] / (least < 0 ? least : most));
    const float value = vk_half_to_float(headers[s].scale);
    for (size_t k = 0; k < groups; k++) unit.values[s * groups + k] = value;
  }
  const vk_floats quotient = fits->scale / unit.lanes;
  const vk_floats clamped = VK_CLAMP_LANES(quotient, least, most);
  multiple.lanes = unit.lanes == 0 ? (vk_floats)0 : VK_ROUND_LANES(clamped);
  for (size_t k = 0; k < vk_lanes; k++) {
    headers[k / groups].group_scales[k % groups] = (int8_t)multiple.values[k];
    headers[k / groups].group_minimums[k % groups] = 0;
  }
  const vk_floats scale = unit.lanes * multiple.lanes;
  vk_floats shift = 0;
  if (shape->has_minimum) {
    minimums_for(g, weighted, &scale, &fits->minimum, &minimum.lanes);
    for (size_t s = 0; s < supers; s++) {
      float deepest = 0;
      for (size_t k = 0; k < groups; k++) {
        const float value = minimum.values[s * groups + k];
        deepest = value < deepest ? value : deepest;
      }
      headers[s].minimum = vk_half_of(-deepest / most);
      const float value = vk_half_to_float(headers[s].minimum);
      for (size_t k = 0; k < groups; k++) depth.values[s * groups + k] = value;
    }
    const vk_floats places = -minimum.lanes / depth.lanes;
    const vk_floats within = VK_CLAMP_LANES(places, 0.0f, most);
    multiple.lanes = depth.lanes > 0 ? VK_ROUND_LANES(within) : (vk_floats)0;
    for (size_t k = 0; k < vk_lanes; k++) {
      headers[k / groups].group_minimums[k % groups] = (uint8_t)multiple.values[k];
    }
    shift = depth.lanes > 0 ? -(depth.lanes * multiple.lanes) : (vk_floats)0;
  } else {
    for (size_t s = 0; s < supers; s++) headers[s].minimum = vk_half_of(-0.0f / most);
  }
  if (!wants_errors) return;
  spread error;
  group_errors(g, weighted, &scale, &shift, &error.lanes);
  for (size_t s = 0; s < supers; s++) {
    errors[s] = 0;
    for (size_t k = 0; k < groups; k++) errors[s] += error.values[s * groups + k];
  }
}

VK_INLINE void fit_super_blocks(const group_lanes *g, int weighted, int searches,
                                const lane_fits *fits, vk_block_header *headers) {
  const size_t groups = g->shape->groups, supers = vk_lanes / groups;
  float largest[2], least[2], errors[2];
  spread scales = {fits->scale};
  for (size_t s = 0; s < supers; s++) {
    largest[s] = 0;
    for (size_t k = 0; k < groups; k++) {
      const float scale = scales.values[s * groups + k], size = scale < 0 ? -scale : scale;
      if (size > (largest[s] < 0 ? -largest[s] : largest[s])) largest[s] = scale;
    }
  }
  fill_headers(g, weighted, fits, largest, 1, searches, headers, least);
  for (int trial = 0; searches && trial < header_trials; trial++) {
    vk_block_header candidates[2];
    const float factor = 0.9f + 0.025f * (float)trial;
    fill_headers(g, weighted, fits, largest, factor, 1, candidates, errors);
    for (size_t s = 0; s < supers; s++) {
      if (!(errors[s] < least[s])) continue;
      least[s] = errors[s];
      headers[s] = candidates[s];
    }
  }
}

VK_INLINE void fit_lanes(const group_lanes *g, int weighted, int searches,
                         vk_block_header *headers) {
  const int is_super = g->shape->groups > 1;
  lane_fits fits;
  if (g->shape->has_minimum) {
    fit_ranges(g, weighted, is_super, searches, &fits);
  } else {
    fit_scales(g, weighted, searches, &fits);
  }
  if (is_super) {
    fit_super_blocks(g, weighted, searches, &fits, headers);
    return;
  }
  const spread scales = {fits.scale}, minimums = {fits.minimum};
  for (size_t k = 0; k < vk_lanes; k++) {
    headers[k].scale = vk_half_of(scales.values[k]);
    headers[k].minimum = vk_half_of(minimums.values[k]);
  }
}

VK_INLINE void vk_fit_blocks_body(vk_level level, vk_block_type type, int searches,
                                  const float *weights, const float *importance,
                                  size_t blocks_a_row, size_t blocks, vk_block_header *headers) {
  (void)level;
  static const float nothing[most_group] = {0};
  const vk_block_shape shape = block_shape(type);
  const size_t size = (size_t)shape.group * shape.groups, at_once = vk_lanes / shape.groups;
  // Not cleared: that would take longer than some blocks do.
  group_lanes g;
  g.shape = &shape;
  g.codebook = vk_codebook(type);
  g.weight = (float)shape.group;
  for (size_t b = 0; b < blocks; b += at_once) {
    const size_t count = blocks - b < at_once ? blocks - b : at_once;
    const float *groups[vk_lanes], *counts[vk_lanes];
    for (size_t k = 0; k < vk_lanes; k++) {
      const size_t block = b + k / shape.groups, within = k % shape.groups * shape.group;
      const int is_there = k / shape.groups < count;
      groups[k] = is_there ? weights + block * size + within : nothing;
      counts[k] = is_there && importance ? importance + block % blocks_a_row * size + within : nothing;
    }
    vk_block_header found[vk_lanes];
    vk_load_lanes(groups, shape.group, g.x);
    if (importance) {
      vk_load_lanes(counts, shape.group, g.w);
      sum_weights(&g);
      fit_lanes(&g, 1, searches, found);
    } else {
      fit_lanes(&g, 0, searches, found);
    }
    memcpy(headers + b, found, count * sizeof *found);
  }
}

VK_VARIANTS(void, vk_fit_blocks,
            (vk_level level, vk_block_type type, int searches, const float *weights,
             const float *importance, size_t blocks_a_row, size_t blocks,
             vk_block_header *headers),
            (level, type, searches, weights, importance, blocks_a_row, blocks, headers))
