// Attention of queries over cached keys and values, and what is computed from logits.
#ifndef VISE_VK_ATTENTION_H
#define VISE_VK_ATTENTION_H

#include <stddef.h>
#include <stdint.h>

#include "vk_cache.h"
#include "vk_levels.h"

/// What all heads of an attention share.
typedef struct {
  /// Values of a query and a key, and of a value.
  size_t head_size, value_size;
  /// Bytes from one position's key or value to the next one's.
  size_t key_stride, value_stride;
  /// What keys and values are held as.
  vk_cache_type type;
  float scale;
  /// Scaled scores s become softcap * tanh(s / softcap); 0 leaves them.
  float softcap;
} vk_attention;

/// y = sum over positions of softmax(softcapped(scale * query . key)) * value, for one head.
///
/// The softmax's denominator has exp(sink) besides; minus infinity is no sink. Keys and values are read as they are held.
void vk_attend(vk_level level, const vk_attention *how, const float *query, const uint8_t *keys,
               const uint8_t *values, size_t positions, float sink, float *y);
/// One step of a running softmax: turns the scaled scores of `count` keys into their weights, exp(softcapped score -
/// most), adds these to `total`, and lets `most` grow to the largest score.
///
/// Before the first step `most` is the sink and `total` is 1. Returns the factor that sums with earlier weights are to be
/// multiplied by; `total` was.
float vk_softmax_step(vk_level level, float *scores, size_t count, float softcap, float *most,
                      float *total);
/// log(sum(exp(x))), added up in double precision.
double vk_log_sum_exp(vk_level level, const float *x, size_t count);
/// Kullback-Leibler divergence in nats of softmax(b) from softmax(a), given both log-sum-exps.
double vk_divergence(vk_level level, const float *a, double a_log_sum, const float *b,
                     double b_log_sum, size_t count);
/// Index of the largest value, the first of equals; 0 when nothing compares.
size_t vk_largest(vk_level level, const float *x, size_t count);

#endif
