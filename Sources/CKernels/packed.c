#include "vk_packed.h"

#include "unpack.h"

typedef float floats16 __attribute__((vector_size(64)));
typedef uint8_t bytes16 __attribute__((vector_size(16)));

size_t vk_packed_scratch(size_t columns) { return columns + VK_UNPACK_SLACK; }

VK_INLINE float scale_at(vk_level level, const vk_packed *matrix, size_t group) {
  if (matrix->scales_are_bfloat) return vk_bfloat_to_float(matrix->scales[group]);
  return vk_half_at(level, (const uint8_t *)(matrix->scales + group));
}

VK_INLINE void unpack_row(vk_level level, const vk_packed *matrix, size_t row, uint8_t *codes) {
  const size_t words = (matrix->columns * matrix->bits + 31) / 32;
  vk_unpack(level, (const uint8_t *)(matrix->codes + row * words), 4 * words, matrix->bits,
            matrix->columns, codes);
}

VK_INLINE float zero_at(const vk_packed *matrix, size_t group) {
  return matrix->points ? (float)matrix->points[group] : (float)(1u << (matrix->bits - 1));
}

VK_INLINE void vk_packed_decode_body(vk_level level, const vk_packed *matrix, size_t first,
                                     size_t count, uint8_t *scratch, float *rows) {
#pragma clang fp contract(off)
  const size_t groups = matrix->columns / matrix->group;
  for (size_t row = first; row < first + count; row++) {
    unpack_row(level, matrix, row, scratch);
    const uint8_t *codes = scratch;
    for (size_t g = row * groups; g < (row + 1) * groups; g++) {
      const float scale = scale_at(level, matrix, g);
      if (matrix->minimums) {
        const float minimum = vk_half_at(level, (const uint8_t *)(matrix->minimums + g));
        for (size_t i = 0; i < matrix->group; i++) rows[i] = (float)codes[i] * scale + minimum;
      } else {
        const float zero = zero_at(matrix, g);
        for (size_t i = 0; i < matrix->group; i++) rows[i] = ((float)codes[i] - zero) * scale;
      }
      rows += matrix->group;
      codes += matrix->group;
    }
  }
}

VK_VARIANTS(void, vk_packed_decode,
            (vk_level level, const vk_packed *matrix, size_t first, size_t count,
             uint8_t *scratch, float *rows),
            (level, matrix, first, count, scratch, rows))

// What the zero points or minimums of a row add to its product.
VK_INLINE float zeros_times(vk_level level, const vk_packed *matrix, size_t row,
                            const float *sums) {
  const size_t groups = matrix->columns / matrix->group;
  float total = 0;
  for (size_t g = 0; g < groups; g++) {
    const size_t place = row * groups + g;
    if (matrix->minimums) {
      total += vk_half_at(level, (const uint8_t *)(matrix->minimums + place)) * sums[g];
    } else {
      total -= scale_at(level, matrix, place) * zero_at(matrix, place) * sums[g];
    }
  }
  return total;
}

// Codes times x with each group's scale, for groups of whole sixteens: scaled sums stay in lanes.
VK_INLINE float scaled_dot_16(vk_level level, const vk_packed *matrix, size_t row,
                              const uint8_t *codes, const float *x) {
#pragma clang fp contract(fast)
  const size_t groups = matrix->columns / matrix->group;
  floats16 total = {0};
  for (size_t g = 0; g < groups; g++) {
    floats16 sum = {0};
    for (size_t i = 0; i < matrix->group; i += 16) {
      bytes16 some;
      floats16 values;
      memcpy(&some, codes + i, sizeof some);
      memcpy(&values, x + i, sizeof values);
      sum += __builtin_convertvector(some, floats16) * values;
    }
    total += sum * scale_at(level, matrix, row * groups + g);
    codes += matrix->group;
    x += matrix->group;
  }
  float result = 0;
  for (size_t i = 0; i < 16; i++) result += total[i];
  return result;
}

VK_INLINE float scaled_dot(vk_level level, const vk_packed *matrix, size_t row,
                           const uint8_t *codes, const float *x) {
#pragma clang fp reassociate(on) contract(fast)
  const size_t groups = matrix->columns / matrix->group;
  float total = 0;
  for (size_t g = 0; g < groups; g++) {
    float sum = 0;
    for (size_t i = 0; i < matrix->group; i++) sum += (float)codes[i] * x[i];
    total += sum * scale_at(level, matrix, row * groups + g);
    codes += matrix->group;
    x += matrix->group;
  }
  return total;
}

VK_INLINE void vk_packed_times_body(vk_level level, const vk_packed *matrix, size_t first,
                                    size_t count, const float *x, size_t x_stride,
                                    const float *sums, size_t sums_stride, size_t tokens,
                                    uint8_t *scratch, float *y, size_t y_stride) {
  const int is_even = matrix->group % 16 == 0;
  for (size_t i = 0; i < count; i++) {
    const size_t row = first + i;
    unpack_row(level, matrix, row, scratch);
    for (size_t t = 0; t < tokens; t++) {
      const float *const vector = x + t * x_stride;
      const float dot = is_even ? scaled_dot_16(level, matrix, row, scratch, vector)
                                : scaled_dot(level, matrix, row, scratch, vector);
      y[t * y_stride + i] = dot + zeros_times(level, matrix, row, sums + t * sums_stride);
    }
  }
}

VK_VARIANTS(void, vk_packed_times,
            (vk_level level, const vk_packed *matrix, size_t first, size_t count, const float *x,
             size_t x_stride, const float *sums, size_t sums_stride, size_t tokens,
             uint8_t *scratch, float *y, size_t y_stride),
            (level, matrix, first, count, x, x_stride, sums, sums_stride, tokens, scratch, y,
             y_stride))
