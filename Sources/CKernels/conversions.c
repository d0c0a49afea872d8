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

VK_INLINE void vk_decode_q4_0_body(vk_level level, const uint8_t *source, float *destination,
                              size_t blocks) {
  for (size_t b = 0; b < blocks; b++, source += 18, destination += 32) {
    const float scale = vk_half_at(level, source);
    for (size_t i = 0; i < 16; i++) {
      destination[i] = (float)((source[2 + i] & 15) - 8) * scale;
      destination[i + 16] = (float)((source[2 + i] >> 4) - 8) * scale;
    }
  }
}

VK_VARIANTS(void, vk_decode_q4_0,
            (vk_level level, const uint8_t *source, float *destination, size_t blocks),
            (level, source, destination, blocks))

VK_INLINE void vk_decode_q4_1_body(vk_level level, const uint8_t *source, float *destination,
                              size_t blocks) {
#pragma clang fp contract(off)
  for (size_t b = 0; b < blocks; b++, source += 20, destination += 32) {
    const float scale = vk_half_at(level, source);
    const float minimum = vk_half_at(level, source + 2);
    for (size_t i = 0; i < 16; i++) {
      destination[i] = (float)(source[4 + i] & 15) * scale + minimum;
      destination[i + 16] = (float)(source[4 + i] >> 4) * scale + minimum;
    }
  }
}

VK_VARIANTS(void, vk_decode_q4_1,
            (vk_level level, const uint8_t *source, float *destination, size_t blocks),
            (level, source, destination, blocks))

VK_INLINE void vk_decode_q5_0_body(vk_level level, const uint8_t *source, float *destination,
                              size_t blocks) {
  for (size_t b = 0; b < blocks; b++, source += 22, destination += 32) {
    const float scale = vk_half_at(level, source);
    const uint32_t high = vk_load_u32(source + 2);
    for (size_t i = 0; i < 16; i++) {
      const int low_code = (source[6 + i] & 15) | (int)((high >> i & 1) << 4);
      const int high_code = (source[6 + i] >> 4) | (int)((high >> (i + 16) & 1) << 4);
      destination[i] = (float)(low_code - 16) * scale;
      destination[i + 16] = (float)(high_code - 16) * scale;
    }
  }
}

VK_VARIANTS(void, vk_decode_q5_0,
            (vk_level level, const uint8_t *source, float *destination, size_t blocks),
            (level, source, destination, blocks))

VK_INLINE void vk_decode_q5_1_body(vk_level level, const uint8_t *source, float *destination,
                              size_t blocks) {
#pragma clang fp contract(off)
  for (size_t b = 0; b < blocks; b++, source += 24, destination += 32) {
    const float scale = vk_half_at(level, source);
    const float minimum = vk_half_at(level, source + 2);
    const uint32_t high = vk_load_u32(source + 4);
    for (size_t i = 0; i < 16; i++) {
      const int low_code = (source[8 + i] & 15) | (int)((high >> i & 1) << 4);
      const int high_code = (source[8 + i] >> 4) | (int)((high >> (i + 16) & 1) << 4);
      destination[i] = (float)low_code * scale + minimum;
      destination[i + 16] = (float)high_code * scale + minimum;
    }
  }
}

VK_VARIANTS(void, vk_decode_q5_1,
            (vk_level level, const uint8_t *source, float *destination, size_t blocks),
            (level, source, destination, blocks))

VK_INLINE void vk_decode_q8_0_body(vk_level level, const uint8_t *source, float *destination,
                              size_t blocks) {
  for (size_t b = 0; b < blocks; b++, source += 34, destination += 32) {
    const float scale = vk_half_at(level, source);
    for (size_t i = 0; i < 32; i++) destination[i] = (float)(int8_t)source[2 + i] * scale;
  }
}

VK_VARIANTS(void, vk_decode_q8_0,
            (vk_level level, const uint8_t *source, float *destination, size_t blocks),
            (level, source, destination, blocks))
