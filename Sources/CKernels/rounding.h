// Private: rounding of single values.
#ifndef VISE_ROUNDING_H
#define VISE_ROUNDING_H

#include "floats.h"

// Rounds half to even for |value| < 2^22; unlike rintf it is two vector instructions everywhere.
VK_INLINE float vk_round_even(float value) {
  const float shift = 0x1.8p23f;
  return (value + shift) - shift;
}

// Values beyond the largest finite one become that one: an infinity would poison a whole group.
VK_INLINE uint16_t vk_half_of(float value) {
  const uint32_t sign = vk_to_bits(value) >> 16 & 0x8000u;
  const uint32_t rest = vk_to_bits(value) & 0x7fffffffu;
  // Below 2^-14 halves are multiples of 2^-24, as are floats from 0.5 to 1.
  const uint32_t subnormal = vk_to_bits(vk_from_bits(rest) + 0.5f) - vk_to_bits(0.5f);
  const uint32_t normal = (rest + 0xfffu + (rest >> 13 & 1u) - 0x38000000u) >> 13;
  const uint32_t rounded = rest < 0x38800000u ? subnormal : normal;
  return (uint16_t)(sign | (rest >= 0x477ff000u ? 0x7bffu : rounded));
}

VK_INLINE uint16_t vk_bfloat_of(float value) {
  const uint32_t sign = vk_to_bits(value) >> 16 & 0x8000u;
  const uint32_t rest = vk_to_bits(value) & 0x7fffffffu;
  const uint32_t rounded = (rest + 0x7fffu + (rest >> 16 & 1u)) >> 16;
  return (uint16_t)(sign | (rounded > 0x7f7fu ? 0x7f7fu : rounded));
}

#endif
