#include "ckernels.h"

#include <string.h>

static inline float from_bits(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

// Exact for every input: scale the shifted bits by 2^112, and widen infinities and NaNs by hand.
static inline float half_to_float(uint16_t half) {
  const uint32_t sign = (uint32_t)(half & 0x8000u) << 16;
  const uint32_t rest = (uint32_t)(half & 0x7fffu) << 13;
  const float scaled = from_bits(rest) * 0x1p112f;
  uint32_t bits;
  memcpy(&bits, &scaled, sizeof bits);
  bits |= rest >= 0x0f800000u ? 0x7f800000u : 0u;
  return from_bits(bits | sign);
}

static inline uint16_t load_u16(const uint8_t *source) {
  uint16_t value;
  memcpy(&value, source, sizeof value);
  return value;
}

static inline uint32_t load_u32(const uint8_t *source) {
  uint32_t value;
  memcpy(&value, source, sizeof value);
  return value;
}

void vk_f16_to_f32(const uint8_t *source, float *destination, size_t count) {
  for (size_t i = 0; i < count; i++) destination[i] = half_to_float(load_u16(source + 2 * i));
}

void vk_bf16_to_f32(const uint8_t *source, float *destination, size_t count) {
  for (size_t i = 0; i < count; i++) {
    destination[i] = from_bits((uint32_t)load_u16(source + 2 * i) << 16);
  }
}

void vk_decode_q4_0(const uint8_t *source, float *destination, size_t blocks) {
  for (size_t b = 0; b < blocks; b++, source += 18, destination += 32) {
    const float scale = half_to_float(load_u16(source));
    for (size_t i = 0; i < 16; i++) {
      destination[i] = (float)((source[2 + i] & 15) - 8) * scale;
      destination[i + 16] = (float)((source[2 + i] >> 4) - 8) * scale;
    }
  }
}

void vk_decode_q4_1(const uint8_t *source, float *destination, size_t blocks) {
#pragma clang fp contract(off)
  for (size_t b = 0; b < blocks; b++, source += 20, destination += 32) {
    const float scale = half_to_float(load_u16(source));
    const float minimum = half_to_float(load_u16(source + 2));
    for (size_t i = 0; i < 16; i++) {
      destination[i] = (float)(source[4 + i] & 15) * scale + minimum;
      destination[i + 16] = (float)(source[4 + i] >> 4) * scale + minimum;
    }
  }
}

void vk_decode_q5_0(const uint8_t *source, float *destination, size_t blocks) {
  for (size_t b = 0; b < blocks; b++, source += 22, destination += 32) {
    const float scale = half_to_float(load_u16(source));
    const uint32_t high = load_u32(source + 2);
    for (size_t i = 0; i < 16; i++) {
      const int low_code = (source[6 + i] & 15) | (int)((high >> i & 1) << 4);
      const int high_code = (source[6 + i] >> 4) | (int)((high >> (i + 16) & 1) << 4);
      destination[i] = (float)(low_code - 16) * scale;
      destination[i + 16] = (float)(high_code - 16) * scale;
    }
  }
}

void vk_decode_q5_1(const uint8_t *source, float *destination, size_t blocks) {
#pragma clang fp contract(off)
  for (size_t b = 0; b < blocks; b++, source += 24, destination += 32) {
    const float scale = half_to_float(load_u16(source));
    const float minimum = half_to_float(load_u16(source + 2));
    const uint32_t high = load_u32(source + 4);
    for (size_t i = 0; i < 16; i++) {
      const int low_code = (source[8 + i] & 15) | (int)((high >> i & 1) << 4);
      const int high_code = (source[8 + i] >> 4) | (int)((high >> (i + 16) & 1) << 4);
      destination[i] = (float)low_code * scale + minimum;
      destination[i + 16] = (float)high_code * scale + minimum;
    }
  }
}

void vk_decode_q8_0(const uint8_t *source, float *destination, size_t blocks) {
  for (size_t b = 0; b < blocks; b++, source += 34, destination += 32) {
    const float scale = half_to_float(load_u16(source));
    for (size_t i = 0; i < 32; i++) destination[i] = (float)(int8_t)source[2 + i] * scale;
  }
}
