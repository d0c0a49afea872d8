#include "vk_conversions.h"

#include "floats.h"

VK_INLINE void vk_f16_to_f32_body(vk_level level, const uint8_t *source, float *destination,
                              size_t count) {
  for (size_t i = 0; i < count; i++) destination[i] = vk_half_at(level, source + 2 * i);
}

VK_VARIANTS(void, vk_f16_to_f32,
            (vk_level level, const uint8_t *source, float *destination, size_t count),
            (level, source, destination, count))

VK_INLINE void vk_bf16_to_f32_body(vk_level level, const uint8_t *source, float *destination,
                              size_t count) {
  (void)level;
  for (size_t i = 0; i < count; i++) {
    destination[i] = vk_bfloat_to_float(vk_load_u16(source + 2 * i));
  }
}

VK_VARIANTS(void, vk_bf16_to_f32,
            (vk_level level, const uint8_t *source, float *destination, size_t count),
            (level, source, destination, count))
