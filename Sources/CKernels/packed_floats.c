// Packed products in single precision, at every level: of groups that tiles cannot hold.
#include "packed_row.h"

typedef float floats16 __attribute__((vector_size(64)));
typedef uint8_t bytes16 __attribute__((vector_size(16)));

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
      total -= vk_scale_at(level, matrix, place) * vk_zero_at(matrix, place) * sums[g];
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
    total += sum * vk_scale_at(level, matrix, row * groups + g);
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
    total += sum * vk_scale_at(level, matrix, row * groups + g);
    codes += matrix->group;
    x += matrix->group;
  }
  return total;
}

VK_INLINE void vk_packed_times_body(vk_level level, const vk_packed *matrix, size_t first,
                                    size_t count, const float *x, const float *sums,
                                    size_t tokens, uint8_t *scratch, float *y, size_t y_stride) {
  const size_t columns = matrix->columns, groups = columns / matrix->group;
  const int is_even = matrix->group % 16 == 0;
  for (size_t i = 0; i < count; i++) {
    const size_t row = first + i;
    vk_unpack_row(level, matrix, row, scratch);
    for (size_t t = 0; t < tokens; t++) {
      const float *const input = x + t * columns;
      const float dot = is_even ? scaled_dot_16(level, matrix, row, scratch, input)
                                : scaled_dot(level, matrix, row, scratch, input);
      y[t * y_stride + i] = dot + zeros_times(level, matrix, row, sums + t * groups);
    }
  }
}

VK_VARIANTS(void, vk_packed_times,
            (vk_level level, const vk_packed *matrix, size_t first, size_t count, const float *x,
             const float *sums, size_t tokens, uint8_t *scratch, float *y, size_t y_stride),
            (level, matrix, first, count, x, sums, tokens, scratch, y, y_stride))
