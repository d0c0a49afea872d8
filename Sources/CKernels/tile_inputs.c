// Vectors rounded to integers for products with tiles.
#include "tiles.h"

VK_INLINE size_t padded(size_t bytes) { return (bytes + VK_VECTOR - 1) / VK_VECTOR * VK_VECTOR; }

VK_INLINE size_t width_for(size_t tokens) { return tokens < VK_LEAST_SHARED ? 1 : VK_TOKENS; }

VK_INLINE size_t padded_tokens(size_t tokens) {
  const size_t width = width_for(tokens);
  return (tokens + width - 1) / width * width;
}

size_t vk_tile_input_bytes(size_t tokens, size_t columns, size_t group, vk_planes planes) {
  const size_t all = padded_tokens(tokens), units = vk_tile_units(columns);
  return padded(all * units * VK_UNIT_COLUMNS) * planes + padded(all * units * sizeof(float)) +
         padded(all * vk_tile_groups(columns, group) * sizeof(float));
}

vk_tile_inputs vk_tiles_lay_out(size_t tokens, size_t columns, size_t group, vk_planes planes,
                                void *memory) {
  (void)group;
  const size_t all = padded_tokens(tokens), units = vk_tile_units(columns);
  const size_t plane = padded(all * units * VK_UNIT_COLUMNS);
  int8_t *const high = memory;
  float *const steps = (float *)(high + plane * planes);
  return (vk_tile_inputs){
      .high = high,
      .low = planes == VK_EXACT ? high + plane : NULL,
      .steps = steps,
      .sums = (float *)((uint8_t *)steps + padded(all * units * sizeof(float))),
      .tokens = tokens,
      .width = width_for(tokens),
  };
}

size_t vk_tile_input_blocks(const vk_tile_inputs *inputs) {
  return (inputs->tokens + inputs->width - 1) / inputs->width;
}

typedef float floats16 __attribute__((vector_size(64)));
typedef int32_t integers16 __attribute__((vector_size(64)));
typedef int8_t bytes16 __attribute__((vector_size(16)));

// Half a unit.
enum { HALF = VK_UNIT_COLUMNS / 2 };

// The largest magnitude of a unit; no number if one of its values is none.
VK_INLINE float largest_magnitude(const floats16 *x) {
  integers16 bits[2];
  memcpy(bits, x, sizeof bits);
  // Bits without the sign are in the order of magnitudes, with infinity and what is no number at the end.
  const integers16 most =
      __builtin_elementwise_max(bits[0] & 0x7fffffff, bits[1] & 0x7fffffff);
  return vk_from_bits((uint32_t)__builtin_reduce_max(most));
}

// One unit as integers; returns the step. Bytes carry their sign, so what the lower ones take off is added above.
VK_INLINE float round_unit(const floats16 *x, int8_t *high, int8_t *low, integers16 *values) {
  const float most = largest_magnitude(x);
  const float largest = low ? 127.0f * 256 + 127 : 127.0f;
  // Below this the inverse of the step would overflow; such a unit counts as zeros.
  const int is_zero = most < 1e-30f || !(most <= __FLT_MAX__);
  const float inverse = is_zero ? 0 : largest / most;
  for (size_t half = 0; half < 2; half++) {
    const floats16 scaled = is_zero ? (floats16){0} : x[half] * inverse;
    values[half] = __builtin_convertvector(__builtin_elementwise_rint(scaled), integers16);
    const integers16 rest = low ? (values[half] + 128) >> 8 : values[half];
    const bytes16 upper = __builtin_convertvector(rest, bytes16);
    memcpy(high + half * HALF, &upper, sizeof upper);
    if (low) {
      const bytes16 lower = __builtin_convertvector(values[half], bytes16);
      memcpy(low + half * HALF, &lower, sizeof lower);
    }
  }
  if (most < 1e-30f) return 0;
  return most / largest;
}

// Token `place` of a block; a NULL x is zeros.
VK_INLINE void round_token(const float *x, size_t columns, size_t group, size_t width, size_t place,
                           int8_t *high, int8_t *low, float *steps, float *sums) {
  const size_t units = vk_tile_units(columns);
  for (size_t unit = 0; unit < units; unit++) {
    const size_t start = unit * VK_UNIT_COLUMNS, slot = unit * width + place;
    floats16 from[2] = {{0}, {0}};
    if (x && start + VK_UNIT_COLUMNS <= columns) {
      memcpy(from, x + start, sizeof from);
    } else if (x) {
      memcpy(from, x + start, (columns - start) * sizeof(float));
    }
    integers16 values[2];
    int8_t *const lower = low ? low + slot * VK_UNIT_COLUMNS : NULL;
    const float step = round_unit(from, high + slot * VK_UNIT_COLUMNS, lower, values);
    steps[slot] = step;
    // Zero points multiply what the integers stand for, not x, or rounding errors would not cancel.
    if (group < VK_UNIT_COLUMNS) {
      for (size_t half = 0; half < 2; half++) {
        const float sum = (float)__builtin_reduce_add(values[half]) * step;
        sums[(2 * unit + half) * width + place] = sum;
      }
    } else {
      const float sum = (float)__builtin_reduce_add(values[0] + values[1]) * step;
      float *const total = sums + start / group * width + place;
      *total = start % group == 0 ? sum : *total + sum;
    }
  }
}

VK_INLINE void vk_tiles_prepare_body(vk_level level, const vk_tile_inputs *inputs, size_t block,
                                     const float *x, size_t columns, size_t group) {
  (void)level;
  const size_t width = inputs->width, units = vk_tile_units(columns);
  const size_t codes = block * width * units * VK_UNIT_COLUMNS;
  int8_t *const high = (int8_t *)inputs->high + codes;
  int8_t *const low = inputs->low ? (int8_t *)inputs->low + codes : NULL;
  float *const steps = (float *)inputs->steps + block * width * units;
  float *const sums = (float *)inputs->sums + block * width * vk_tile_groups(columns, group);
  for (size_t place = 0; place < width; place++) {
    const size_t token = block * width + place;
    const float *const from = token < inputs->tokens ? x + token * columns : NULL;
    if (low) {
      round_token(from, columns, group, width, place, high, low, steps, sums);
    } else {
      round_token(from, columns, group, width, place, high, NULL, steps, sums);
    }
  }
}

VK_VARIANTS(void, vk_tiles_prepare,
            (vk_level level, const vk_tile_inputs *inputs, size_t block, const float *x,
             size_t columns, size_t group),
            (level, inputs, block, x, columns, group))
