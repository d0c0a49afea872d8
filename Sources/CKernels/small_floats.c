#include "vk_small_floats.h"

#include "rounding.h"

enum { e4m3_bias = 7, e8m0_bias = 127, e4m3_largest = 0x7e, e8m0_largest = 0xfe };

// Exact: the shifted bits are too small by 2^120, but for NaN, which has the largest exponent too.
VK_INLINE float e4m3_value(uint8_t code) {
  const uint32_t rest = code & 0x7fu;
  const uint32_t bits = vk_to_bits(vk_from_bits(rest << 20) * 0x1p120f);
  return vk_from_bits((rest == 0x7f ? 0x7fc00000u : bits) | (uint32_t)(code & 0x80u) << 24);
}

// The nearest code, half to even; what is too large becomes the largest one.
VK_INLINE uint8_t e4m3_code(float value) {
  const uint32_t sign = vk_to_bits(value) >> 24 & 0x80u;
  const uint32_t rest = vk_to_bits(value) & 0x7fffffffu;
  // Below 2^-6 codes are multiples of 2^-9, as are floats from 2^14 to 2^15.
  const uint32_t subnormal = vk_to_bits(vk_from_bits(rest) + 0x1p14f) - vk_to_bits(0x1p14f);
  const uint32_t bias = (uint32_t)(e8m0_bias - e4m3_bias) << 23;
  const uint32_t normal = (rest + 0x7ffffu + (rest >> 20 & 1u) - bias) >> 20;
  const uint32_t code = rest < vk_to_bits(0x1p-6f) ? subnormal : normal;
  return (uint8_t)(sign | (rest >= vk_to_bits(448.f) ? e4m3_largest : code));
}

// The levels of both codes in a byte, the lower first: one look-up for two weights.
#define PAIRS(upper)                                                                              \
  {0, upper}, {0.5f, upper}, {1, upper}, {1.5f, upper}, {2, upper}, {3, upper}, {4, upper},       \
      {6, upper}, {-0.f, upper}, {-0.5f, upper}, {-1, upper}, {-1.5f, upper}, {-2, upper},        \
      {-3, upper}, {-4, upper}, {-6, upper}
static const float e2m1_pairs[256][2] = {
    PAIRS(0),    PAIRS(0.5f),  PAIRS(1),  PAIRS(1.5f),  PAIRS(2),  PAIRS(3),  PAIRS(4),  PAIRS(6),
    PAIRS(-0.f), PAIRS(-0.5f), PAIRS(-1), PAIRS(-1.5f), PAIRS(-2), PAIRS(-3), PAIRS(-4), PAIRS(-6)};
#undef PAIRS

// The level nearest to a magnitude.
VK_INLINE float e2m1_near(float size) {
  return 0.5f * (float)((size > 0.25f) + (size >= 0.75f) + (size > 1.25f) + (size >= 1.75f) +
                        2 * (size > 2.5f) + 2 * (size >= 3.5f) + 4 * (size > 5));
}

VK_INLINE uint8_t e2m1_code(float value) {
  const float size = value < 0 ? -value : value;
  const int code = (size > 0.25f) + (size >= 0.75f) + (size > 1.25f) + (size >= 1.75f) +
                   (size > 2.5f) + (size >= 3.5f) + (size > 5);
  return (uint8_t)(code | (value < 0 ? 8 : 0));
}

VK_INLINE float scale_value(const vk_float_row *row, uint16_t scale) {
  switch (row->format) {
    case VK_NVFP4: return e4m3_value((uint8_t)scale) / row->divisor;
    // The smallest is no normal number.
    case VK_MXFP4: return scale == 0 ? 0x1p-127f : vk_from_bits((uint32_t)scale << 23);
    case VK_FP8: break;
  }
  return row->is_bfloat ? vk_bfloat_to_float(scale) : vk_half_to_float(scale);
}

float vk_float_scale(const vk_float_row *row, uint16_t scale) { return scale_value(row, scale); }

const float *vk_e2m1_levels(void) {
  static const float levels[16] = {-6, -4, -3, -2, -1.5f, -1, -0.5f, 0,
                                   0,  0.5f, 1, 1.5f, 2, 3, 4, 6};
  return levels;
}

VK_INLINE size_t group_end(const vk_float_row *row, size_t begin) {
  const size_t end = begin + row->group;
  return end < row->columns ? end : row->columns;
}

VK_INLINE void vk_decode_floats_body(vk_level level, const vk_float_row *row, const uint8_t *codes,
                                 const uint16_t *scales, float *weights) {
  (void)level;
  for (size_t begin = 0; begin < row->columns; begin += row->group) {
    const float scale = scale_value(row, *scales++);
    const size_t end = group_end(row, begin);
    if (row->format == VK_FP8) {
      for (size_t i = begin; i < end; i++) weights[i] = e4m3_value(codes[i]) * scale;
    } else {
      for (size_t i = begin; i + 1 < end; i += 2) {
        const float *const pair = e2m1_pairs[codes[i / 2]];
        weights[i] = pair[0] * scale;
        weights[i + 1] = pair[1] * scale;
      }
    }
  }
}

VK_VARIANTS(void, vk_decode_floats,
            (vk_level level, const vk_float_row *row, const uint8_t *codes, const uint16_t *scales,
             float *weights),
            (level, row, codes, scales, weights))

VK_INLINE float largest_magnitude(const float *weights, size_t count) {
  float largest = 0;
  for (size_t i = 0; i < count; i++) {
    const float size = weights[i] < 0 ? -weights[i] : weights[i];
    largest = size > largest ? size : largest;
  }
  return largest;
}

// Zero would divide by zero, and becomes the type's epsilon.
VK_INLINE uint16_t scale_of_range(const vk_float_row *row, float range) {
  switch (row->format) {
    case VK_NVFP4: {
      const uint8_t scale = e4m3_code(row->divisor * (range / 6));
      return scale == 0 ? e4m3_code(0.125f) : scale;
    }
    case VK_MXFP4: {
      // The exponent of the range, one more from 1.75 on, less that of the largest code.
      const uint32_t exponent = (vk_to_bits(range) + (1u << 21)) >> 23;
      return (uint16_t)(exponent > 2 ? exponent - 2 : 0);
    }
    case VK_FP8: break;
  }
  const float scale = range / 448;
  const uint16_t stored = row->is_bfloat ? vk_bfloat_of(scale) : vk_half_of(scale);
  return stored != 0 ? stored : row->is_bfloat ? vk_bfloat_of(0x1p-7f) : vk_half_of(0x1p-10f);
}

// Groups are whole sixteens, whose sums stay apart until the end so that all levels add alike.
VK_INLINE float squared_error(const vk_float_row *row, uint16_t scale, const float *weights,
                               const float *importance, size_t count) {
#pragma clang fp contract(off)
  const float step = scale_value(row, scale);
  float sums[16] = {0};
  for (size_t i = 0; i < count; i += 16) {
    for (size_t k = 0; k < 16; k++) {
      const float size = weights[i + k] < 0 ? -weights[i + k] : weights[i + k];
      const float error = e2m1_near(size / step) * step - size;
      sums[k] += importance[i + k] * (error * error);
    }
  }
  float sum = 0;
  for (size_t k = 0; k < 16; k++) sum += sums[k];
  return sum;
}

// From half the scale to twice: eight E4M3 scales an octave, one power of two.
VK_INLINE uint16_t searched_scale(const vk_float_row *row, uint16_t scale, const float *weights,
                                  const float *importance, size_t count) {
  const int reach = row->format == VK_NVFP4 ? 8 : 1;
  const int least = row->format == VK_NVFP4 ? 1 : 0;
  const int most = row->format == VK_NVFP4 ? e4m3_largest : e8m0_largest;
  uint16_t best = scale;
  float least_error = squared_error(row, scale, weights, importance, count);
  for (int candidate = scale - reach; candidate <= scale + reach; candidate++) {
    if (candidate < least || candidate > most || candidate == scale) continue;
    const float error = squared_error(row, (uint16_t)candidate, weights, importance, count);
    if (error < least_error) {
      least_error = error;
      best = (uint16_t)candidate;
    }
  }
  return best;
}

VK_INLINE void vk_fit_floats_body(vk_level level, const vk_float_row *row, int searches,
                              const float *weights, const float *importance, const float *ranges,
                              uint16_t *scales) {
  (void)level;
  // Groups that are searched have 32 weights at most.
  static const float ones[32] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                                 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  size_t group = 0;
  for (size_t begin = 0; begin < row->columns; begin += row->group, group++) {
    const size_t count = group_end(row, begin) - begin;
    const float range = ranges ? ranges[group] : largest_magnitude(weights + begin, count);
    const uint16_t scale = scale_of_range(row, range);
    scales[group] = searches && row->format != VK_FP8 && range > 0
                        ? searched_scale(row, scale, weights + begin,
                                         importance ? importance + begin : ones, count)
                        : scale;
  }
}

VK_VARIANTS(void, vk_fit_floats,
            (vk_level level, const vk_float_row *row, int searches, const float *weights,
             const float *importance, const float *ranges, uint16_t *scales),
            (level, row, searches, weights, importance, ranges, scales))

VK_INLINE void vk_nearest_floats_body(vk_level level, const vk_float_row *row,
                                  const uint16_t *scales, const float *weights, uint8_t *codes) {
  (void)level;
  for (size_t begin = 0; begin < row->columns; begin += row->group) {
    const float scale = scale_value(row, *scales++);
    const size_t end = group_end(row, begin);
    if (row->format == VK_FP8) {
      for (size_t i = begin; i < end; i++) codes[i] = e4m3_code(weights[i] / scale);
    } else {
      for (size_t i = begin; i + 1 < end; i += 2) {
        codes[i / 2] =
            (uint8_t)(e2m1_code(weights[i] / scale) | e2m1_code(weights[i + 1] / scale) << 4);
      }
    }
  }
}

VK_VARIANTS(void, vk_nearest_floats,
            (vk_level level, const vk_float_row *row, const uint16_t *scales, const float *weights,
             uint8_t *codes),
            (level, row, scales, weights, codes))
