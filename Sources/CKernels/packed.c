#include "vk_packed.h"

#include "packed_products.h"
#include "packed_row.h"
#include "vk_elementwise.h"

size_t vk_packed_scratch(size_t columns) { return columns + VK_UNPACK_SLACK; }

typedef float floats16 __attribute__((vector_size(64)));
typedef uint8_t bytes16 __attribute__((vector_size(16)));

// (code - zero) * scale + minimum. A zero of 0 and a minimum of -0 change nothing, not even a sign.
VK_INLINE void decode_group(const uint8_t *codes, size_t count, float scale, float zero,
                            float minimum, float *weights) {
#pragma clang fp contract(off)
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    bytes16 some;
    memcpy(&some, codes + i, sizeof some);
    const floats16 values = (__builtin_convertvector(some, floats16) - zero) * scale + minimum;
    memcpy(weights + i, &values, sizeof values);
  }
  for (; i < count; i++) weights[i] = ((float)codes[i] - zero) * scale + minimum;
}

VK_INLINE void vk_packed_decode_body(vk_level level, const vk_packed *matrix, size_t first,
                                     size_t count, uint8_t *scratch, float *rows) {
  const size_t group = matrix->group, groups = matrix->columns / group;
  for (size_t row = first; row < first + count; row++) {
    vk_unpack_row(level, matrix, row, scratch);
    for (size_t g = 0; g < groups; g++, rows += group) {
      const size_t place = row * groups + g;
      const float scale = vk_scale_at(level, matrix, place);
      const uint8_t *const codes = scratch + g * group;
      if (matrix->minimums) {
        const uint8_t *const minimum = (const uint8_t *)(matrix->minimums + place);
        decode_group(codes, group, scale, 0.0f, vk_half_at(level, minimum), rows);
      } else {
        decode_group(codes, group, scale, vk_zero_at(matrix, place), -0.0f, rows);
      }
    }
  }
}

VK_VARIANTS(void, vk_packed_decode,
            (vk_level level, const vk_packed *matrix, size_t first, size_t count,
             uint8_t *scratch, float *rows),
            (level, matrix, first, count, scratch, rows))

void vk_packed_times(vk_level level, const vk_packed *matrix, size_t first, size_t count,
                     const vk_packed_input *inputs, size_t tokens, uint8_t *scratch, float *y,
                     size_t y_stride) {
#ifdef VK_X86
  if (vk_uses_planes(level, matrix->group)) {
    vk_planes_times(matrix, first, count, inputs, tokens, y, y_stride);
    return;
  }
#endif
  vk_floats_times(level, matrix, first, count, inputs, tokens, scratch, y, y_stride);
}

size_t vk_packed_input_bytes(size_t columns, size_t group) {
  const size_t sums = vk_padded(columns / group, 16);
  const size_t steps = vk_padded(columns / vk_segment(group), 16) + 16;
  return vk_padded((sums + steps) * sizeof(float) + 3 * vk_padded(columns, VK_BLOCK), 64);
}

vk_packed_input vk_packed_prepare(vk_level level, const float *x, size_t columns, size_t group,
                                  void *memory) {
  memset(memory, 0, vk_packed_input_bytes(columns, group));
  int8_t *const planes = memory;
  float *const sums = (float *)(planes + 3 * vk_padded(columns, VK_BLOCK));
#ifdef VK_X86
  if (vk_uses_planes(level, group)) {
    float *const steps = sums + vk_padded(columns / group, 16);
    vk_planes_prepare(x, columns, group, planes, steps, sums);
    return (vk_packed_input){.x = x, .sums = sums, .planes = planes, .steps = steps};
  }
#endif
  vk_group_sums(level, x, columns, group, sums);
  return (vk_packed_input){.x = x, .sums = sums, .planes = NULL, .steps = NULL};
}
