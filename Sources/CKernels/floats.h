// Private: single values of the stored types, read from any address.
#ifndef VISE_FLOATS_H
#define VISE_FLOATS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "levels.h"

VK_INLINE float vk_from_bits(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

VK_INLINE uint32_t vk_to_bits(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

VK_INLINE uint16_t vk_load_u16(const uint8_t *source) {
  uint16_t value;
  memcpy(&value, source, sizeof value);
  return value;
}

VK_INLINE uint32_t vk_load_u32(const uint8_t *source) {
  uint32_t value;
  memcpy(&value, source, sizeof value);
  return value;
}

// Exact for every input: scale the shifted bits by 2^112, and widen infinities and NaNs by hand.
VK_INLINE float vk_half_to_float(uint16_t half) {
  const uint32_t sign = (uint32_t)(half & 0x8000u) << 16;
  const uint32_t rest = (uint32_t)(half & 0x7fffu) << 13;
  uint32_t bits = vk_to_bits(vk_from_bits(rest) * 0x1p112f);
  bits |= rest >= 0x0f800000u ? 0x7f800000u : 0u;
  return vk_from_bits(bits | sign);
}

// The same by the processor's own conversion where the level has one, as any aarch64 has.
VK_INLINE float vk_half_at(vk_level level, const uint8_t *source) {
#ifndef VK_ARM64
  if (level == VK_PORTABLE) return vk_half_to_float(vk_load_u16(source));
#endif
  (void)level;
  _Float16 half;
  memcpy(&half, source, sizeof half);
  return (float)half;
}

VK_INLINE float vk_bfloat_to_float(uint16_t bits) { return vk_from_bits((uint32_t)bits << 16); }

#endif
