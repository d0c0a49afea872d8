#include "block_shapes.h"
#include "codebook.h"
#include "rounding.h"

// Headers must not depend on the processor: a fused multiply-add rounds once where two steps round twice.
#pragma clang fp contract(off)

// Searches for the scales of GGUF's block types. The candidates of a group are scales at which its
// codes change; for each, the scale (and minimum) of least weighted squared error has a closed form.

// Groups are multiples of 16 weights: independent partial sums run as vectors without reordering.
enum { lanes = 16, trials_either_side = 9, minimum_trials = 36, header_trials = 9 };

VK_INLINE float clamp(float value, float lowest, float highest) {
  return value < lowest ? lowest : value > highest ? highest : value;
}

typedef struct {
  float scale, minimum;
} group_fit;

VK_INLINE float total_of(const float *sums) {
  float total = 0;
  for (size_t k = 0; k < lanes; k++) total += sums[k];
  return total;
}

// The value of largest magnitude, with its sign.
VK_INLINE float largest_of(const float *x, size_t count) {
  float largest = 0;
  for (size_t i = 0; i < count; i++) {
    if ((x[i] < 0 ? -x[i] : x[i]) > (largest < 0 ? -largest : largest)) largest = x[i];
  }
  return largest;
}

// The level of the code nearest to `place`.
VK_INLINE float level_near(const float *codebook, float place, float lowest, float highest) {
  return codebook ? codebook[nearest_in_codebook(codebook, place)]
                  : vk_round_even(clamp(place, lowest, highest));
}

// A scale with its sign, for levels from lowest to highest around zero.
VK_INLINE float fit_scale(const float *x, const float *w, size_t count, const float *codebook,
                          float lowest, float highest, int searches) {
  const float largest = largest_of(x, count);
  if (largest == 0) return 0;
  const float span = lowest == -highest ? -highest : lowest;
  const float stride = codebook ? 1.5f : 0.1f;
  float best = largest / span, most = -1;
  if (!searches) return best;
  for (int sign = -1; sign <= 1; sign += 2) {
    for (int step = -trials_either_side; step <= trials_either_side; step++) {
      const float inverse = (float)sign * (span + stride * (float)step) / largest;
      float products[lanes] = {0}, squares[lanes] = {0};
      for (size_t i = 0; i < count; i += lanes) {
        for (size_t k = 0; k < lanes; k++) {
          const float code = level_near(codebook, x[i + k] * inverse, lowest, highest);
          const float weighted = w ? w[i + k] * code : code;
          products[k] += weighted * x[i + k];
          squares[k] += weighted * code;
        }
      }
      const float product = total_of(products), square = total_of(squares);
      // The error at the best scale falls as product^2 / square rises.
      if (square > 0 && product * product > most * square) {
        most = product * product / square;
        best = product / square;
      }
    }
  }
  return best;
}

// A scale and a minimum, which may not be positive when `below_zero`.
VK_INLINE group_fit fit_range(const float *x, const float *w, size_t count, float highest,
                              int below_zero, int searches) {
  float low = x[0], high = x[0];
  for (size_t i = 1; i < count; i++) {
    low = x[i] < low ? x[i] : low;
    high = x[i] > high ? x[i] : high;
  }
  if (below_zero && low > 0) low = 0;
  if (below_zero && high < 0) high = 0;
  if (high <= low) return (group_fit){0, low};
  group_fit best = {(high - low) / highest, low};
  if (!searches) return best;
  float ws[lanes] = {0}, xs[lanes] = {0}, xxs[lanes] = {0};
  for (size_t i = 0; i < count; i += lanes) {
    for (size_t k = 0; k < lanes; k++) {
      const float weighted = w ? w[i + k] * x[i + k] : x[i + k];
      ws[k] += w ? w[i + k] : 1;
      xs[k] += weighted;
      xxs[k] += weighted * x[i + k];
    }
  }
  const float sum_w = total_of(ws), sum_x = total_of(xs), sum_xx = total_of(xxs);
  float least = -1;
  for (int step = 0; step <= minimum_trials; step++) {
    const float inverse = (highest - 0.9f + 0.05f * (float)step) / (high - low);
    float ls[lanes] = {0}, lls[lanes] = {0}, lxs[lanes] = {0};
    for (size_t i = 0; i < count; i += lanes) {
      for (size_t k = 0; k < lanes; k++) {
        const float code = vk_round_even(clamp((x[i + k] - low) * inverse, 0, highest));
        const float weighted = w ? w[i + k] * code : code;
        ls[k] += weighted;
        lls[k] += weighted * code;
        lxs[k] += weighted * x[i + k];
      }
    }
    const float sum_l = total_of(ls), sum_ll = total_of(lls), sum_lx = total_of(lxs);
    const float determinant = sum_w * sum_ll - sum_l * sum_l;
    if (!(determinant > 0)) continue;
    group_fit fit = {(sum_w * sum_lx - sum_x * sum_l) / determinant,
                     (sum_ll * sum_x - sum_l * sum_lx) / determinant};
    if (below_zero && fit.minimum > 0) fit = (group_fit){sum_lx / sum_ll, 0};
    const float error = fit.scale * fit.scale * sum_ll + fit.minimum * fit.minimum * sum_w +
                        sum_xx + 2 * fit.scale * fit.minimum * sum_l -
                        2 * fit.scale * sum_lx - 2 * fit.minimum * sum_x;
    if (least < 0 || error < least) {
      least = error;
      best = fit;
    }
  }
  return best;
}

// The squared error of a group at its nearest codes.
VK_INLINE float group_error(const vk_block_shape *shape, const float *x, const float *w,
                            float scale, float minimum) {
  const float lowest = (float)shape->lowest, highest = (float)shape->highest;
  const float inverse = scale == 0 ? 0 : 1 / scale;
  float totals[lanes] = {0};
  for (size_t i = 0; i < shape->group; i += lanes) {
    for (size_t k = 0; k < lanes; k++) {
      const float value = x[i + k];
      const float code = vk_round_even(clamp((value - minimum) * inverse, lowest, highest));
      const float error = code * scale + minimum - value;
      totals[k] += w ? w[i + k] * (error * error) : error * error;
    }
  }
  return total_of(totals);
}

// The minimum that suits a scale best, at the codes that a first guess of it gives.
VK_INLINE float minimum_for(const vk_block_shape *shape, const float *x, const float *w,
                            float scale, float guess) {
  const float inverse = scale == 0 ? 0 : 1 / scale;
  const float lowest = (float)shape->lowest, highest = (float)shape->highest;
  float sums[lanes] = {0}, totals[lanes] = {0};
  for (size_t i = 0; i < shape->group; i += lanes) {
    for (size_t k = 0; k < lanes; k++) {
      const float value = x[i + k];
      const float code = vk_round_even(clamp((value - guess) * inverse, lowest, highest));
      const float weight = w ? w[i + k] : 1;
      sums[k] += weight * (value - code * scale);
      totals[k] += weight;
    }
  }
  const float total = total_of(totals);
  const float minimum = total > 0 ? total_of(sums) / total : guess;
  return minimum < 0 ? minimum : 0;
}

// Quantizes the groups' scales as multiples of one that is `factor` times the smallest that holds all.
VK_INLINE float fill_header(const vk_block_shape *shape, const float *x, const float *w,
                            const group_fit *fits, float factor, vk_block_header *header) {
  const int is_signed = shape->least_multiple < 0;
  float largest = 0, deepest = 0;
  for (size_t g = 0; g < shape->groups; g++) {
    const float scale = fits[g].scale;
    const float size = scale < 0 ? -scale : scale;
    if (size > (largest < 0 ? -largest : largest)) largest = scale;
  }
  const float ends = is_signed ? (float)shape->least_multiple : (float)shape->most_multiple;
  header->scale = vk_half_of(factor * largest / ends);
  const float unit = vk_half_to_float(header->scale);
  float minimums[VK_MOST_GROUPS];
  for (size_t g = 0; g < shape->groups; g++) {
    const float multiple = unit == 0 ? 0 : vk_round_even(clamp(fits[g].scale / unit,
        (float)shape->least_multiple, (float)shape->most_multiple));
    header->group_scales[g] = (int8_t)multiple;
    if (!shape->has_minimum) continue;
    minimums[g] = minimum_for(shape, x + g * shape->group, w ? w + g * shape->group : 0,
                              unit * multiple, fits[g].minimum);
    deepest = minimums[g] < deepest ? minimums[g] : deepest;
  }
  header->minimum = vk_half_of(-deepest / (float)shape->most_multiple);
  const float depth = vk_half_to_float(header->minimum);
  float error = 0;
  for (size_t g = 0; g < shape->groups; g++) {
    float minimum = 0;
    header->group_minimums[g] = 0;
    if (shape->has_minimum && depth > 0) {
      const float multiple =
          vk_round_even(clamp(-minimums[g] / depth, 0, (float)shape->most_multiple));
      header->group_minimums[g] = (uint8_t)multiple;
      minimum = -(depth * multiple);
    }
    error += group_error(shape, x + g * shape->group, w ? w + g * shape->group : 0,
                         unit * (float)header->group_scales[g], minimum);
  }
  return error;
}

VK_INLINE void fit_block(const vk_block_shape *shape, const float *codebook, int searches,
                         const float *x, const float *w, vk_block_header *header) {
  const int is_super = shape->groups > 1;
  group_fit fits[VK_MOST_GROUPS];
  for (size_t g = 0; g < shape->groups; g++) {
    const float *group = x + g * shape->group;
    const float *weights = w ? w + g * shape->group : 0;
    fits[g] = shape->has_minimum
                  ? fit_range(group, weights, shape->group, (float)shape->highest, is_super,
                              searches)
                  : (group_fit){fit_scale(group, weights, shape->group, codebook,
                                          (float)shape->lowest, (float)shape->highest, searches),
                                0};
  }
  if (!is_super) {
    header->scale = vk_half_of(fits[0].scale);
    header->minimum = vk_half_of(fits[0].minimum);
    return;
  }
  float least = fill_header(shape, x, w, fits, 1, header);
  if (!searches) return;
  for (int trial = 0; trial < header_trials; trial++) {
    vk_block_header candidate;
    const float factor = 0.9f + 0.025f * (float)trial;
    const float error = fill_header(shape, x, w, fits, factor, &candidate);
    if (error < least) {
      least = error;
      *header = candidate;
    }
  }
}

VK_INLINE void vk_fit_blocks_body(vk_level level, vk_block_type type, int searches,
                                  const float *weights, const float *importance, size_t blocks,
                                  vk_block_header *headers) {
  (void)level;
  const vk_block_shape shape = block_shape(type);
  const float *const codebook = vk_codebook(type);
  const size_t size = (size_t)shape.group * shape.groups;
  for (size_t b = 0; b < blocks; b++) {
    fit_block(&shape, codebook, searches, weights + b * size, importance ? importance + b * size : 0,
              headers + b);
  }
}

VK_VARIANTS(void, vk_fit_blocks,
            (vk_level level, vk_block_type type, int searches, const float *weights,
             const float *importance, size_t blocks, vk_block_header *headers),
            (level, type, searches, weights, importance, blocks, headers))
