// Stored values widened to single precision. Sources are bytes because tensors of a file may start at
// any address.
#ifndef VISE_VK_CONVERSIONS_H
#define VISE_VK_CONVERSIONS_H

#include <stddef.h>
#include <stdint.h>

#include "vk_levels.h"

/// Widens `count` IEEE half-precision values.
void vk_f16_to_f32(vk_level level, const uint8_t *source, float *destination, size_t count);
/// Widens `count` bfloat16 values.
void vk_bf16_to_f32(vk_level level, const uint8_t *source, float *destination, size_t count);

#endif
