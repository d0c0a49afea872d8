// Normalisation of vectors, and its gradients.
#ifndef VISE_VK_NORMS_H
#define VISE_VK_NORMS_H

#include <stddef.h>

#include "vk_levels.h"

/// y = x / sqrt(mean(x^2) + epsilon) * weight.
void vk_rms_norm(vk_level level, const float *x, const float *weight, size_t count, float epsilon,
                 float *y);
/// y += the gradient at x, given that at vk_rms_norm's output.
void vk_rms_norm_gradient(vk_level level, const float *x, const float *weight,
                          const float *gradient, size_t count, float epsilon, float *y);
/// Normalises each of `parts` consecutive parts of `size` values like vk_rms_norm, in place.
///
/// All parts have the same weights; NULL is none.
void vk_rms_norm_parts(vk_level level, const float *weight, size_t parts, size_t size,
                       float epsilon, float *x);
/// Turns y from the gradient at vk_rms_norm_parts' output into that at its input x.
void vk_rms_norm_parts_gradient(vk_level level, const float *x, const float *weight, size_t parts,
                                size_t size, float epsilon, float *y);
/// y = (x - mean(x)) / sqrt(variance(x) + epsilon) * weight + bias; a bias of NULL is none.
void vk_layer_norm(vk_level level, const float *x, const float *weight, const float *bias,
                   size_t count, float epsilon, float *y);
/// y += the gradient at x, given that at vk_layer_norm's output.
void vk_layer_norm_gradient(vk_level level, const float *x, const float *weight,
                            const float *gradient, size_t count, float epsilon, float *y);

#endif
