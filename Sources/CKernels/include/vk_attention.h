// Attention of one query over cached keys and values, and what is computed from logits.
#ifndef VISE_VK_ATTENTION_H
#define VISE_VK_ATTENTION_H

#include <stddef.h>

#include "vk_levels.h"

/// y = sum over positions of softmax(scale * query . key) * value, for one head.
///
/// Keys and values of consecutive positions lie `stride` floats apart.
void vk_attend(vk_level level, const float *query, const float *keys, const float *values,
               size_t head_size, size_t stride, size_t positions, float scale, float *y);
/// log(sum(exp(x))), added up in double precision.
double vk_log_sum_exp(vk_level level, const float *x, size_t count);
/// Kullback-Leibler divergence in nats of softmax(b) from softmax(a), given both log-sum-exps.
double vk_divergence(vk_level level, const float *a, double a_log_sum, const float *b,
                     double b_log_sum, size_t count);
/// Index of the largest value, the first of equals; 0 when nothing compares.
size_t vk_largest(vk_level level, const float *x, size_t count);

#endif
