#include "vk_quantize.h"

#include "codebook.h"
#include "rounding.h"

// Codes must not depend on the processor: a fused multiply-add rounds once where two steps round twice.
#pragma clang fp contract(off)

VK_INLINE void vk_f32_to_f16_body(vk_level level, const float *source, uint16_t *destination,
                                  size_t count) {
  (void)level;
  for (size_t i = 0; i < count; i++) destination[i] = vk_half_of(source[i]);
}

VK_VARIANTS(void, vk_f32_to_f16,
            (vk_level level, const float *source, uint16_t *destination, size_t count),
            (level, source, destination, count))

VK_INLINE void vk_f32_to_bf16_body(vk_level level, const float *source, uint16_t *destination,
                                   size_t count) {
  (void)level;
  for (size_t i = 0; i < count; i++) destination[i] = vk_bfloat_of(source[i]);
}

VK_VARIANTS(void, vk_f32_to_bf16,
            (vk_level level, const float *source, uint16_t *destination, size_t count),
            (level, source, destination, count))

VK_INLINE void vk_nearest_row_body(vk_level level, const vk_row_grid *row, const float *weights,
                                   uint8_t *codes) {
  (void)level;
  for (size_t g = 0; g < row->groups; g++, weights += row->group_size, codes += row->group_size) {
    const float scale = row->scales[g], zero = row->zeros[g], minimum = row->minimums[g];
    if (row->codebook) {
      for (size_t i = 0; i < row->group_size; i++) {
        const float place = scale == 0 ? 0 : weights[i] / scale;
        codes[i] = (uint8_t)nearest_in_codebook(row->codebook, place);
      }
      continue;
    }
    for (size_t i = 0; i < row->group_size; i++) {
      const float code = scale == 0 ? zero : (weights[i] - minimum) / scale + zero;
      const float clamped = code < row->lowest ? row->lowest : code > row->highest ? row->highest : code;
      codes[i] = (uint8_t)(int32_t)(vk_round_even(clamped) - row->base);
    }
  }
}

VK_VARIANTS(void, vk_nearest_row,
            (vk_level level, const vk_row_grid *row, const float *weights, uint8_t *codes),
            (level, row, weights, codes))

VK_INLINE void vk_grid_row_body(vk_level level, const vk_row_grid *row, const uint8_t *codes,
                                float *weights) {
  (void)level;
  for (size_t g = 0; g < row->groups; g++, weights += row->group_size, codes += row->group_size) {
    const float scale = row->scales[g], zero = row->zeros[g], minimum = row->minimums[g];
    if (row->codebook) {
      for (size_t i = 0; i < row->group_size; i++) weights[i] = row->codebook[codes[i]] * scale;
      continue;
    }
    for (size_t i = 0; i < row->group_size; i++) {
      weights[i] = ((float)codes[i] + row->base - zero) * scale + minimum;
    }
  }
}

VK_VARIANTS(void, vk_grid_row,
            (vk_level level, const vk_row_grid *row, const uint8_t *codes, float *weights),
            (level, row, codes, weights))
