#include "block_shapes.h"
#include "floats.h"

// Types whose codes of four bits stand for sixteen levels that are not evenly spaced.

// The levels of IQ4_NL and IQ4_XS (ggml's kvalues_iq4nl).
static const float levels_of_iq4[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                        1,    13,   25,  38,  53,  69,  89,  113};

const float *vk_codebook(vk_block_type type) { return type == VK_IQ4_NL ? levels_of_iq4 : NULL; }

VK_INLINE void take_iq4(const uint8_t *codes, float scale, float *destination) {
  for (size_t i = 0; i < 16; i++) {
    destination[i] = scale * levels_of_iq4[codes[i] & 15];
    destination[i + 16] = scale * levels_of_iq4[codes[i] >> 4];
  }
}

VK_INLINE void vk_decode_iq4_nl_body(vk_level level, const uint8_t *source, float *destination,
                                     size_t blocks) {
  for (size_t b = 0; b < blocks; b++, source += 18, destination += 32) {
    take_iq4(source + 2, vk_half_at(level, source), destination);
  }
}

VK_DECODER(iq4_nl)

VK_INLINE void vk_decode_iq4_xs_body(vk_level level, const uint8_t *source, float *destination,
                                     size_t blocks) {
  for (size_t b = 0; b < blocks; b++, source += 136) {
    const float scale = vk_half_at(level, source);
    const unsigned high = vk_load_u16(source + 2);
    for (unsigned g = 0; g < 8; g++, destination += 32) {
      const unsigned low = source[4 + g / 2] >> (g % 2 * 4) & 15u;
      const int multiple = (int)(low | (high >> (2 * g) & 3u) << 4) - 32;
      take_iq4(source + 8 + 16 * g, scale * (float)multiple, destination);
    }
  }
}

VK_DECODER(iq4_xs)

// Twice the number that an E2M1 code stands for; ggml has no negative zero.
VK_INLINE float twice_e2m1(unsigned code) {
  const int exponent = code >> 1 & 3, mantissa = code & 1;
  const int size = exponent == 0 ? mantissa : (2 + mantissa) << (exponent - 1);
  return (float)(code & 8 ? -size : size);
}

// `half` low codes, then as many high ones.
VK_INLINE void take_e2m1(const uint8_t *codes, size_t half, float scale, float *destination) {
  for (size_t i = 0; i < half; i++) {
    destination[i] = scale * twice_e2m1(codes[i] & 15u);
    destination[i + half] = scale * twice_e2m1(codes[i] >> 4);
  }
}

VK_INLINE void vk_decode_mxfp4_body(vk_level level, const uint8_t *source, float *destination,
                                    size_t blocks) {
  (void)level;
  for (size_t b = 0; b < blocks; b++, source += 17, destination += 32) {
    // Half of 2^(exponent - 127); of the smallest two that is no normal number.
    const uint32_t exponent = source[0];
    const uint32_t bits = exponent < 2 ? 0x200000u << exponent : (exponent - 1) << 23;
    take_e2m1(source + 1, 16, vk_from_bits(bits), destination);
  }
}

VK_DECODER(mxfp4)

// Half of what an E4M3 code without a sign stands for; ggml reads its NaN as zero.
VK_INLINE float half_e4m3(uint8_t code) {
  return code == 0x7f ? 0 : vk_from_bits((code & 0x7fu) << 20) * 0x1p119f;
}

VK_INLINE void vk_decode_nvfp4_body(vk_level level, const uint8_t *source, float *destination,
                                    size_t blocks) {
  (void)level;
  for (size_t b = 0; b < blocks; b++, source += 36) {
    for (size_t g = 0; g < 4; g++, destination += 16) {
      take_e2m1(source + 4 + 8 * g, 8, half_e4m3(source[g]), destination);
    }
  }
}

VK_DECODER(nvfp4)
