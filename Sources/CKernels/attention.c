#include <math.h>

#include "cached.h"
#include "exponential.h"
#include "vk_attention.h"

// Positions whose scores are held at once; the running maximum rescales what came before.
enum { TILE = 128 };

// Sums in an order of the compiler's.
VK_INLINE float sum_of_lanes(const vk_floats *lanes) {
#pragma clang fp reassociate(on)
  float sum = 0;
  for (size_t i = 0; i < vk_lanes; i++) sum += (*lanes)[i];
  return sum;
}

// Scores of `keys` keys, four or one: the query is read once.
VK_INLINE void score(vk_level level, vk_cache_type type, const float *query, const uint8_t *key,
                     size_t stride, size_t keys, size_t count, float scale, float *scores) {
#pragma clang fp contract(fast)
  vk_floats sums[4] = {0, 0, 0, 0};
  const size_t whole = count / vk_lanes * vk_lanes;
  for (size_t i = 0; i < whole; i += vk_lanes) {
    vk_floats q;
    memcpy(&q, query + i, sizeof q);
    for (size_t t = 0; t < keys; t++) {
      vk_floats k;
      vk_cached_lanes(level, type, key + t * stride, i, &k);
      sums[t] += q * k;
    }
  }
  for (size_t t = 0; t < keys; t++) {
    float sum = sum_of_lanes(sums + t);
    for (size_t i = whole; i < count; i++) {
      sum += query[i] * vk_cached_value(level, type, key + t * stride, i);
    }
    scores[t] = sum * scale;
  }
}

// Adds `some` weighted values, four or one: the sums are written once.
VK_INLINE void add_values(vk_level level, vk_cache_type type, const float *weights,
                          const uint8_t *value, size_t stride, size_t some, size_t count, float *y) {
#pragma clang fp contract(fast)
  const size_t whole = count / vk_lanes * vk_lanes;
  for (size_t i = 0; i < whole; i += vk_lanes) {
    vk_floats sum;
    memcpy(&sum, y + i, sizeof sum);
    for (size_t t = 0; t < some; t++) {
      vk_floats v;
      vk_cached_lanes(level, type, value + t * stride, i, &v);
      sum += v * weights[t];
    }
    memcpy(y + i, &sum, sizeof sum);
  }
  for (size_t i = whole; i < count; i++) {
    for (size_t t = 0; t < some; t++) {
      y[i] += weights[t] * vk_cached_value(level, type, value + t * stride, i);
    }
  }
}

VK_INLINE float exponentials(float *x, size_t count, float most) {
#pragma clang fp reassociate(on) contract(fast)
  float sum = 0;
  for (size_t i = 0; i < count; i++) {
    x[i] = vk_exp(x[i] - most);
    sum += x[i];
  }
  return sum;
}

// Turns scores of some keys into weights of their values, relative to the largest score so far. Returns
// what the sums over earlier keys are to be multiplied by.
VK_INLINE float softmax_step(float *scores, size_t count, float softcap, float *most, float *total) {
#pragma clang fp contract(fast)
  if (softcap > 0) vk_cap(scores, count, softcap);
  const float here = vk_largest_of(scores, count);
  float kept = 1;
  if (here > *most) {
    // From no sink, at minus infinity, nothing is kept but the smallest number.
    kept = vk_exp(*most - here);
    *total *= kept;
    *most = here;
  }
  *total += exponentials(scores, count, *most);
  return kept;
}

// A sink is a position of weight exp(sink) without a value: the running maximum and sum start with it.
VK_INLINE void attend(vk_level level, vk_cache_type type, const vk_attention *how, size_t head_size,
                      size_t value_size, const float *query, const uint8_t *keys,
                      const uint8_t *values, size_t positions, float sink, float *restrict y) {
#pragma clang fp contract(fast)
  const size_t key_stride = how->key_stride, value_stride = how->value_stride;
  const float scale = how->scale, softcap = how->softcap;
  float scores[TILE];
  float most = sink, total = 1;
  for (size_t i = 0; i < value_size; i++) y[i] = 0;
  for (size_t start = 0; start < positions; start += TILE) {
    const size_t some = positions - start < TILE ? positions - start : TILE;
    const size_t fours = some / 4 * 4;
    const uint8_t *const key = keys + start * key_stride;
    const uint8_t *const value = values + start * value_stride;
    for (size_t t = 0; t < fours; t += 4) {
      score(level, type, query, key + t * key_stride, key_stride, 4, head_size, scale, scores + t);
    }
    for (size_t t = fours; t < some; t++) {
      score(level, type, query, key + t * key_stride, key_stride, 1, head_size, scale, scores + t);
    }
    const float kept = softmax_step(scores, some, softcap, &most, &total);
    if (kept != 1) {
      for (size_t i = 0; i < value_size; i++) y[i] *= kept;
    }
    for (size_t t = 0; t < fours; t += 4) {
      add_values(level, type, scores + t, value + t * value_stride, value_stride, 4, value_size, y);
    }
    for (size_t t = fours; t < some; t++) {
      add_values(level, type, scores + t, value + t * value_stride, value_stride, 1, value_size, y);
    }
  }
  for (size_t i = 0; i < value_size; i++) y[i] /= total;
}

// A constant head size lets the compiler keep a whole head in registers.
VK_INLINE void attend_held_as(vk_level level, vk_cache_type type, const vk_attention *how,
                              const float *query, const uint8_t *keys, const uint8_t *values,
                              size_t positions, float sink, float *y) {
  const size_t size = how->head_size;
  switch (size == how->value_size ? size : 0) {
    case 64: attend(level, type, how, 64, 64, query, keys, values, positions, sink, y); break;
    case 128: attend(level, type, how, 128, 128, query, keys, values, positions, sink, y); break;
    default:
      attend(level, type, how, size, how->value_size, query, keys, values, positions, sink, y);
      break;
  }
}

VK_INLINE void vk_attend_body(vk_level level, const vk_attention *how, const float *query,
                              const uint8_t *keys, const uint8_t *values, size_t positions,
                              float sink, float *y) {
  switch (how->type) {
    case VK_CACHE_F32:
      attend_held_as(level, VK_CACHE_F32, how, query, keys, values, positions, sink, y);
      break;
    case VK_CACHE_F16:
      attend_held_as(level, VK_CACHE_F16, how, query, keys, values, positions, sink, y);
      break;
    case VK_CACHE_INT8:
      attend_held_as(level, VK_CACHE_INT8, how, query, keys, values, positions, sink, y);
      break;
  }
}

VK_VARIANTS(void, vk_attend,
            (vk_level level, const vk_attention *how, const float *query, const uint8_t *keys,
             const uint8_t *values, size_t positions, float sink, float *y),
            (level, how, query, keys, values, positions, sink, y))

VK_INLINE float vk_softmax_step_body(vk_level level, float *scores, size_t count, float softcap,
                                     float *most, float *total) {
  (void)level;
  return softmax_step(scores, count, softcap, most, total);
}

VK_VARIANTS(float, vk_softmax_step,
            (vk_level level, float *scores, size_t count, float softcap, float *most, float *total),
            (level, scores, count, softcap, most, total))
