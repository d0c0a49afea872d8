// Gradients of the decoder's operations, and the sums of squares that Fisher information is made of.
#ifndef VISE_VK_GRADIENTS_H
#define VISE_VK_GRADIENTS_H

#include <stddef.h>

#include "vk_levels.h"

/// Turns products q . k into p as in vk_attend, and gradients at p into those at the products.
///
/// `slopes` has room for `count` floats; it may be NULL without a softcap.
void vk_softmax_gradient(vk_level level, float *scores, float *gradients, size_t count,
                         float scale, float softcap, float sink, float *slopes);
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
