#include "block_shapes.h"
#include "floats.h"

// K types: groups of 16 or 32 weights in super-blocks of 256. Bytes hold a code, or some of its bits, for each of several
// groups, in planes.

// Where one plane's bits are in each byte.
typedef struct {
  const uint8_t *bytes;
  unsigned shift, mask;
} bit_plane;

// A group's codes of low and high bits; apart from their weights, as bytes and floats may overlap to the compiler.
VK_INLINE void take_codes(bit_plane low, bit_plane high, unsigned low_bits, size_t count,
                          uint8_t *codes) {
  for (size_t i = 0; i < count; i++) {
    codes[i] = (uint8_t)((low.bytes[i] >> low.shift & low.mask) |
                         (high.bytes[i] >> high.shift & high.mask) << low_bits);
  }
}

// A group's weights; `zero` is the code that stands for 0.
VK_INLINE void put_group(bit_plane low, bit_plane high, unsigned low_bits, int zero, float scale,
                         size_t count, float *destination) {
  uint8_t codes[32];
  take_codes(low, high, low_bits, count, codes);
  for (size_t i = 0; i < count; i++) destination[i] = scale * (float)(codes[i] - zero);
}

// The same with a minimum that is taken from each; types without one must not add a zero, which has a sign.
VK_INLINE void put_group_above(bit_plane low, bit_plane high, unsigned low_bits, float scale,
                               float minimum, size_t count, float *destination) {
#pragma clang fp contract(off)
  uint8_t codes[32];
  take_codes(low, high, low_bits, count, codes);
  for (size_t i = 0; i < count; i++) destination[i] = scale * (float)codes[i] - minimum;
}

VK_INLINE bit_plane plane(const uint8_t *bytes, unsigned shift, unsigned mask) {
  return (bit_plane){bytes, shift, mask};
}

VK_INLINE void vk_decode_q2_k_body(vk_level level, const uint8_t *source, float *destination,
                                   size_t blocks) {
  for (size_t b = 0; b < blocks; b++, source += 84) {
    const float scale = vk_half_at(level, source + 80), minimum = vk_half_at(level, source + 82);
    for (unsigned g = 0; g < 16; g++, destination += 16) {
      const uint8_t *codes = source + 16 + 32 * (g / 8) + 16 * (g % 2);
      put_group_above(plane(codes, g % 8 / 2 * 2, 3), plane(codes, 0, 0), 2,
                      scale * (float)(source[g] & 15), minimum * (float)(source[g] >> 4), 16,
                      destination);
    }
  }
}

VK_DECODER(q2_k)

VK_INLINE void vk_decode_q3_k_body(vk_level level, const uint8_t *source, float *destination,
                                   size_t blocks) {
  for (size_t b = 0; b < blocks; b++, source += 110) {
    const float scale = vk_half_at(level, source + 108);
    for (unsigned g = 0; g < 16; g++, destination += 16) {
      const int low = source[96 + g % 8] >> (g / 8 * 4) & 15;
      const int high = source[104 + g % 4] >> (g / 4 * 2) & 3;
      const size_t half = 16 * (g % 2);
      put_group(plane(source + 32 + 32 * (g / 8) + half, g % 8 / 2 * 2, 3),
                plane(source + half, g / 2, 1), 2, 4, scale * (float)((low | high << 4) - 32), 16,
                destination);
    }
  }
}

VK_DECODER(q3_k)

// The six-bit multiples of a group's scale and minimum: of the first four whole, of the rest in two parts each.
VK_INLINE void take_pair(const uint8_t *bytes, unsigned group, float *scale, float *minimum) {
  const unsigned k = group % 4;
  const unsigned pair = bytes[8 + k];
  const unsigned first = group < 4 ? bytes[k] & 63u : (pair & 15u) | (unsigned)bytes[k] >> 6 << 4;
  const unsigned second =
      group < 4 ? bytes[4 + k] & 63u : pair >> 4 | (unsigned)bytes[4 + k] >> 6 << 4;
  *scale *= (float)(int)first;
  *minimum *= (float)(int)second;
}

VK_INLINE void vk_decode_q4_k_body(vk_level level, const uint8_t *source, float *destination,
                                   size_t blocks) {
  for (size_t b = 0; b < blocks; b++, source += 144) {
    for (unsigned g = 0; g < 8; g++, destination += 32) {
      float scale = vk_half_at(level, source), minimum = vk_half_at(level, source + 2);
      take_pair(source + 4, g, &scale, &minimum);
      const uint8_t *codes = source + 16 + 32 * (g / 2);
      put_group_above(plane(codes, g % 2 * 4, 15), plane(codes, 0, 0), 4, scale, minimum, 32,
                      destination);
    }
  }
}

VK_DECODER(q4_k)

VK_INLINE void vk_decode_q5_k_body(vk_level level, const uint8_t *source, float *destination,
                                   size_t blocks) {
  for (size_t b = 0; b < blocks; b++, source += 176) {
    for (unsigned g = 0; g < 8; g++, destination += 32) {
      float scale = vk_half_at(level, source), minimum = vk_half_at(level, source + 2);
      take_pair(source + 4, g, &scale, &minimum);
      put_group_above(plane(source + 48 + 32 * (g / 2), g % 2 * 4, 15), plane(source + 16, g, 1), 4,
                      scale, minimum, 32, destination);
    }
  }
}

VK_DECODER(q5_k)

VK_INLINE void vk_decode_q6_k_body(vk_level level, const uint8_t *source, float *destination,
                                   size_t blocks) {
  for (size_t b = 0; b < blocks; b++, source += 210) {
    const float scale = vk_half_at(level, source + 208);
    for (unsigned g = 0; g < 16; g++, destination += 16) {
      const unsigned run = g / 8, quarter = g % 8 / 2, half = g % 2;
      put_group(plane(source + 64 * run + 32 * (quarter % 2) + 16 * half, quarter / 2 * 4, 15),
                plane(source + 128 + 32 * run + 16 * half, quarter * 2, 3), 4, 32,
                scale * (float)(int8_t)source[192 + g], 16, destination);
    }
  }
}

VK_DECODER(q6_k)
