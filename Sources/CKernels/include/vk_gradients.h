// Gradients of the decoder's operations, and the sums of squares that Fisher information is made of.
#ifndef VISE_VK_GRADIENTS_H
#define VISE_VK_GRADIENTS_H

#include <stddef.h>

#include "vk_levels.h"

/// y += the gradient at x, given that at vk_rms_norm's output.
void vk_rms_norm_gradient(vk_level level, const float *x, const float *weight,
                          const float *gradient, size_t count, float epsilon, float *y);
/// The gradients at gate and up, given that at vk_gated_silu's output.
void vk_gated_silu_gradient(vk_level level, const float *gate, const float *up,
                            const float *gradient, size_t count, float *gate_gradient,
                            float *up_gradient);
/// Turns scores s into p = softmax(scale * s), and gradients at p into those at s.
void vk_softmax_gradient(vk_level level, float *scores, float *gradients, size_t count,
                         float scale);
/// y = exp(x - log_sum).
void vk_probabilities(vk_level level, const float *x, size_t count, float log_sum, float *y);
/// Sum of squares, added up in double precision.
double vk_energy(vk_level level, const float *x, size_t count);
/// sums[i] += sum over rows t of weights[t] * x[t * stride + i]^2, in double precision.
void vk_add_weighted_squares(vk_level level, const float *x, size_t stride, size_t rows,
                             size_t count, const double *weights, double *sums);
/// sum of weights[i] * (after[i] - before[i])^2, added up in double precision.
double vk_weighted_error(vk_level level, const float *before, const float *after,
                         const float *weights, size_t count);

#endif
