// The decoder's simplest operations on vectors.
#ifndef VISE_VK_ELEMENTWISE_H
#define VISE_VK_ELEMENTWISE_H

#include <stddef.h>

#include "vk_levels.h"

/// Turns the first pairs of each head by the angles given as cosines and sines.
///
/// Pair i is (i, i + pairs), or (2i, 2i + 1) with `neighbours`; 2 * pairs <= head_size.
void vk_rotate(vk_level level, float *x, size_t heads, size_t head_size, size_t pairs,
               int neighbours, const float *cosines, const float *sines);
/// y += x.
void vk_add(vk_level level, const float *x, size_t count, float *y);
/// y *= x.
void vk_multiply(vk_level level, const float *x, size_t count, float *y);
/// y *= factor.
void vk_scale(vk_level level, float factor, size_t count, float *y);
/// y = cap * tanh(y / cap).
void vk_softcap(vk_level level, float cap, size_t count, float *y);
/// Turns y from the gradient at vk_softcap's output, `capped`, into that at its input.
void vk_softcap_gradient(vk_level level, const float *capped, float cap, size_t count, float *y);
/// Sums of consecutive groups of `group` values of x; `group` divides `count`.
void vk_group_sums(vk_level level, const float *x, size_t count, size_t group, float *sums);

#endif
