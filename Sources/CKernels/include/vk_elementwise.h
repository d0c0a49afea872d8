// The decoder's operations on single vectors.
#ifndef VISE_VK_ELEMENTWISE_H
#define VISE_VK_ELEMENTWISE_H

#include <stddef.h>

#include "vk_levels.h"

/// y = x / sqrt(mean(x^2) + epsilon) * weight.
void vk_rms_norm(vk_level level, const float *x, const float *weight, size_t count, float epsilon,
                 float *y);
/// Turns each head's pairs (i, i + head_size / 2) by the angles given as cosines and sines.
void vk_rotate(vk_level level, float *x, size_t heads, size_t head_size, const float *cosines,
               const float *sines);
/// y = gate / (1 + exp(-gate)) * up.
void vk_gated_silu(vk_level level, const float *gate, const float *up, size_t count, float *y);
/// y += x.
void vk_add(vk_level level, const float *x, size_t count, float *y);
/// Sums of consecutive groups of `group` values of x; `group` divides `count`.
void vk_group_sums(vk_level level, const float *x, size_t count, size_t group, float *sums);

#endif
