#include "vk_packed.h"

#include "decode_group.h"
#include "packed_row.h"

size_t vk_packed_scratch(size_t columns) { return columns + VK_UNPACK_SLACK; }

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
        vk_decode_group(codes, group, scale, 0.0f, vk_half_at(level, minimum), rows);
      } else {
        vk_decode_group(codes, group, scale, vk_zero_at(matrix, place), -0.0f, rows);
      }
    }
  }
}

VK_VARIANTS(void, vk_packed_decode,
            (vk_level level, const vk_packed *matrix, size_t first, size_t count,
             uint8_t *scratch, float *rows),
            (level, matrix, first, count, scratch, rows))
