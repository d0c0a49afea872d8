// Private: the parts of one packed row.
#ifndef VISE_PACKED_ROW_H
#define VISE_PACKED_ROW_H

#include "unpack.h"
#include "vk_packed.h"

VK_INLINE float vk_scale_at(vk_level level, const vk_packed *matrix, size_t group) {
  if (matrix->scales_are_bfloat) return vk_bfloat_to_float(matrix->scales[group]);
  return vk_half_at(level, (const uint8_t *)(matrix->scales + group));
}

VK_INLINE void vk_unpack_row(vk_level level, const vk_packed *matrix, size_t row, uint8_t *codes) {
  const size_t words = (matrix->columns * matrix->bits + 31) / 32;
  vk_unpack(level, (const uint8_t *)(matrix->codes + row * words), 4 * words, matrix->bits,
            matrix->columns, codes);
}

VK_INLINE float vk_zero_at(const vk_packed *matrix, size_t group) {
  return matrix->points ? (float)matrix->points[group] : (float)(1u << (matrix->bits - 1));
}

#endif
