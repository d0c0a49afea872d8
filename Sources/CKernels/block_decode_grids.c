#include "block_grids.h"
#include "block_shapes.h"
#include "floats.h"

// Types whose codes stand for whole vectors of eight or four weights.

// Seven signs and an eighth that makes their number even.
VK_INLINE unsigned even_signs(unsigned seven) {
  return seven | (unsigned)__builtin_parity(seven) << 7;
}

VK_INLINE float with_sign(float value, unsigned negative) {
  return vk_from_bits(vk_to_bits(value) ^ (uint32_t)negative << 31);
}

// Eight weights of an IQ2 grid's vector: 8, 25 or 43 times the scale.
VK_INLINE void put_eight(unsigned vector, unsigned signs, float scale, float *destination) {
  for (unsigned i = 0; i < 8; i++) {
    const int code = (int)(vector >> (2 * i) & 3u);
    const float level = (float)(8 + 17 * code + (code >> 1));
    destination[i] = with_sign(scale * level, signs >> i & 1u);
  }
}

// Eight weights of an IQ1 grid's vector: -1, 0 or 1, moved by an eighth, times the scale.
VK_INLINE void put_ternary(unsigned vector, float delta, float scale, float *destination) {
  for (unsigned i = 0; i < 8; i++) {
    const int level = (int)(vector >> (2 * i) & 3u) - 1;
    destination[i] = scale * ((float)level + delta);
  }
}

// Four weights of an IQ3_XXS grid's vector: 4 to 52 in steps of 8, or 62, times the scale.
VK_INLINE void put_four_xxs(unsigned vector, unsigned signs, float scale, float *destination) {
  for (unsigned i = 0; i < 4; i++) {
    const int code = (int)(vector >> (3 * i) & 7u);
    const float level = (float)(4 + 8 * code + (code == 7 ? 2 : 0));
    destination[i] = with_sign(scale * level, signs >> i & 1u);
  }
}

// Four weights of an IQ3_S grid's vector: odd numbers times the scale.
VK_INLINE void put_four_s(unsigned vector, unsigned signs, float scale, float *destination) {
  for (unsigned i = 0; i < 4; i++) {
    const float level = (float)(1 + 2 * (int)(vector >> (3 * i) & 7u));
    destination[i] = with_sign(scale * level, signs >> i & 1u);
  }
}

VK_INLINE void vk_decode_iq2_xxs_body(vk_level level, const uint8_t *source, float *destination,
                                      size_t blocks) {
  for (size_t b = 0; b < blocks; b++, source += 66) {
    const float scale = vk_half_at(level, source);
    for (const uint8_t *group = source + 2; group < source + 66; group += 8) {
      const uint32_t rest = vk_load_u32(group + 4);
      const float quarter = scale * (0.5f + (float)(int)(rest >> 28)) * 0.25f;
      for (unsigned k = 0; k < 4; k++, destination += 8) {
        const unsigned signs = even_signs(rest >> (7 * k) & 127u);
        put_eight(iq2_xxs_grid[group[k]], signs, quarter, destination);
      }
    }
  }
}

VK_DECODER(iq2_xxs)

VK_INLINE void vk_decode_iq2_xs_body(vk_level level, const uint8_t *source, float *destination,
                                     size_t blocks) {
  for (size_t b = 0; b < blocks; b++, source += 74) {
    const float scale = vk_half_at(level, source);
    for (unsigned k = 0; k < 32; k++, destination += 8) {
      const unsigned code = vk_load_u16(source + 2 + 2 * k);
      const int multiple = source[66 + k / 4] >> (k % 4 / 2 * 4) & 15;
      const float quarter = scale * (0.5f + (float)multiple) * 0.25f;
      put_eight(iq2_xs_grid[code & 511u], even_signs(code >> 9), quarter, destination);
    }
  }
}

VK_DECODER(iq2_xs)

VK_INLINE void vk_decode_iq2_s_body(vk_level level, const uint8_t *source, float *destination,
                                    size_t blocks) {
  for (size_t b = 0; b < blocks; b++, source += 82) {
    const float scale = vk_half_at(level, source);
    for (unsigned k = 0; k < 32; k++, destination += 8) {
      const unsigned high = source[66 + k / 4] >> (k % 4 * 2) & 3u;
      const int multiple = source[74 + k / 4] >> (k % 4 / 2 * 4) & 15;
      const float quarter = scale * (0.5f + (float)multiple) * 0.25f;
      put_eight(iq2_s_grid[source[2 + k] | high << 8], source[34 + k], quarter, destination);
    }
  }
}

VK_DECODER(iq2_s)

VK_INLINE void vk_decode_iq3_xxs_body(vk_level level, const uint8_t *source, float *destination,
                                      size_t blocks) {
  for (size_t b = 0; b < blocks; b++, source += 98) {
    const float scale = vk_half_at(level, source);
    for (unsigned g = 0; g < 8; g++) {
      const uint32_t rest = vk_load_u32(source + 66 + 4 * g);
      const float half = scale * (0.5f + (float)(int)(rest >> 28)) * 0.5f;
      const uint8_t *codes = source + 2 + 8 * g;
      for (unsigned k = 0; k < 4; k++, codes += 2, destination += 8) {
        const unsigned signs = even_signs(rest >> (7 * k) & 127u);
        put_four_xxs(iq3_xxs_grid[codes[0]], signs, half, destination);
        put_four_xxs(iq3_xxs_grid[codes[1]], signs >> 4, half, destination + 4);
      }
    }
  }
}

VK_DECODER(iq3_xxs)

VK_INLINE void vk_decode_iq3_s_body(vk_level level, const uint8_t *source, float *destination,
                                    size_t blocks) {
  for (size_t b = 0; b < blocks; b++, source += 110) {
    const float scale = vk_half_at(level, source);
    for (unsigned k = 0; k < 64; k++, destination += 4) {
      const unsigned high = source[66 + k / 8] >> (k % 8) & 1u;
      const unsigned signs = (unsigned)source[74 + k / 2] >> (k % 2 * 4);
      const int multiple = source[106 + k / 16] >> (k % 16 / 8 * 4) & 15;
      const float group = scale * (float)(1 + 2 * multiple);
      put_four_s(iq3_s_grid[source[2 + k] | high << 8], signs, group, destination);
    }
  }
}

VK_DECODER(iq3_s)

VK_INLINE void vk_decode_iq1_s_body(vk_level level, const uint8_t *source, float *destination,
                                    size_t blocks) {
  for (size_t b = 0; b < blocks; b++, source += 50) {
    const float scale = vk_half_at(level, source);
    for (unsigned g = 0; g < 8; g++) {
      const unsigned rest = vk_load_u16(source + 34 + 2 * g);
      const float group = scale * (float)(int)(2 * (rest >> 12 & 7u) + 1);
      const float delta = rest & 0x8000u ? -0.125f : 0.125f;
      for (unsigned k = 0; k < 4; k++, destination += 8) {
        const unsigned high = rest >> (3 * k) & 7u;
        put_ternary(iq1_grid[source[2 + 4 * g + k] | high << 8], delta, group, destination);
      }
    }
  }
}

VK_DECODER(iq1_s)

VK_INLINE void vk_decode_iq1_m_body(vk_level level, const uint8_t *source, float *destination,
                                    size_t blocks) {
  for (size_t b = 0; b < blocks; b++, source += 56) {
    // The scale's bits are in the highest four of each word of multiples.
    uint16_t words[4];
    memcpy(words, source + 48, sizeof words);
    const uint16_t half = (uint16_t)(words[0] >> 12 | (words[1] >> 8 & 0xf0u) |
                                     (words[2] >> 4 & 0xf00u) | (words[3] & 0xf000u));
    const float scale = vk_half_at(level, (const uint8_t *)&half);
    for (unsigned k = 0; k < 32; k++, destination += 8) {
      const unsigned multiple = words[k / 8] >> (k % 8 / 2 * 3) & 7u;
      const unsigned rest = (unsigned)source[32 + k / 2] >> (k % 2 * 4);
      const float delta = rest & 8u ? -0.125f : 0.125f;
      put_ternary(iq1_grid[source[k] | (rest & 7u) << 8], delta,
                  scale * (float)(int)(2 * multiple + 1), destination);
    }
  }
}

VK_DECODER(iq1_m)
