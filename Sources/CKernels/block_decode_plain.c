#include "block_shapes.h"
#include "floats.h"

// Types of one scale a block, with or without a minimum, whose codes are evenly spaced.

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

VK_DECODER(q4_0)

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

VK_DECODER(q4_1)

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

VK_DECODER(q5_0)

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

VK_DECODER(q5_1)

VK_INLINE void vk_decode_q8_0_body(vk_level level, const uint8_t *source, float *destination,
                                   size_t blocks) {
  for (size_t b = 0; b < blocks; b++, source += 34, destination += 32) {
    const float scale = vk_half_at(level, source);
    for (size_t i = 0; i < 32; i++) destination[i] = (float)(int8_t)source[2 + i] * scale;
  }
}

VK_DECODER(q8_0)

VK_INLINE void vk_decode_q1_0_body(vk_level level, const uint8_t *source, float *destination,
                                   size_t blocks) {
  for (size_t b = 0; b < blocks; b++, source += 18, destination += 128) {
    const uint32_t minus = vk_to_bits(-vk_half_at(level, source));
    for (size_t i = 0; i < 128; i++) {
      const uint32_t bit = source[2 + i / 8] >> (i % 8) & 1u;
      destination[i] = vk_from_bits(minus ^ bit << 31);
    }
  }
}

VK_DECODER(q1_0)

VK_INLINE void vk_decode_q2_0_body(vk_level level, const uint8_t *source, float *destination,
                                   size_t blocks) {
  for (size_t b = 0; b < blocks; b++, source += 18, destination += 64) {
    const float scale = vk_half_at(level, source);
    for (size_t i = 0; i < 64; i++) {
      destination[i] = (float)((source[2 + i / 4] >> (i % 4 * 2) & 3) - 1) * scale;
    }
  }
}

VK_DECODER(q2_0)

// `digits` rows of `count` weights from as many bytes, which are fractions of 256 in base 3: each row is the next digit.
VK_INLINE void take_digits(const uint8_t *bytes, size_t count, unsigned digits, float scale,
                           float *destination) {
  unsigned power = 1;
  for (unsigned n = 0; n < digits; n++, power *= 3) {
    for (size_t i = 0; i < count; i++) {
      const uint8_t rest = (uint8_t)(bytes[i] * power);
      *destination++ = scale * (float)((int)(rest * 3u >> 8) - 1);
    }
  }
}

VK_INLINE void vk_decode_tq1_0_body(vk_level level, const uint8_t *source, float *destination,
                                    size_t blocks) {
  for (size_t b = 0; b < blocks; b++, source += 54, destination += 256) {
    const float scale = vk_half_at(level, source + 52);
    take_digits(source, 32, 5, scale, destination);
    take_digits(source + 32, 16, 5, scale, destination + 160);
    take_digits(source + 48, 4, 4, scale, destination + 240);
  }
}

VK_DECODER(tq1_0)

VK_INLINE void vk_decode_tq2_0_body(vk_level level, const uint8_t *source, float *destination,
                                    size_t blocks) {
  for (size_t b = 0; b < blocks; b++, source += 66) {
    const float scale = vk_half_at(level, source + 64);
    for (const uint8_t *bytes = source; bytes < source + 64; bytes += 32) {
      for (unsigned plane = 0; plane < 4; plane++) {
        for (size_t i = 0; i < 32; i++) {
          *destination++ = scale * (float)((bytes[i] >> (2 * plane) & 3) - 1);
        }
      }
    }
  }
}

VK_DECODER(tq2_0)
