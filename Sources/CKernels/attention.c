#include <math.h>

#include "exponential.h"
#include "vk_attention.h"

// Positions whose scores are held at once; the running maximum rescales what came before.
enum { TILE = 128 };

// Scores of four keys: the query is read once.
VK_INLINE void four_scores(const float *query, const float *keys, size_t stride, size_t count,
                           float scale, float scores[4]) {
#pragma clang fp reassociate(on) contract(fast)
  float a = 0, b = 0, c = 0, d = 0;
  for (size_t i = 0; i < count; i++) {
    a += query[i] * keys[i];
    b += query[i] * keys[i + stride];
    c += query[i] * keys[i + 2 * stride];
    d += query[i] * keys[i + 3 * stride];
  }
  scores[0] = a * scale, scores[1] = b * scale, scores[2] = c * scale, scores[3] = d * scale;
}

VK_INLINE float one_score(const float *query, const float *key, size_t count, float scale) {
#pragma clang fp reassociate(on) contract(fast)
  float sum = 0;
  for (size_t i = 0; i < count; i++) sum += query[i] * key[i];
  return sum * scale;
}

// Adds four weighted values: the sums are written once.
VK_INLINE void add_four(const float weights[4], const float *values, size_t stride, size_t count,
                        float *y) {
#pragma clang fp reassociate(on) contract(fast)
  const float a = weights[0], b = weights[1], c = weights[2], d = weights[3];
  for (size_t i = 0; i < count; i++) {
    y[i] += a * values[i] + b * values[i + stride] + c * values[i + 2 * stride] +
            d * values[i + 3 * stride];
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
VK_INLINE void attend(const vk_attention *how, size_t head_size, size_t value_size,
                      const float *query, const float *keys, const float *values, size_t positions,
                      float sink, float *restrict y) {
#pragma clang fp contract(fast)
  const size_t key_stride = how->key_stride, value_stride = how->value_stride;
  const float scale = how->scale, softcap = how->softcap;
  float scores[TILE];
  float most = sink, total = 1;
  for (size_t i = 0; i < value_size; i++) y[i] = 0;
  for (size_t start = 0; start < positions; start += TILE) {
    const size_t some = positions - start < TILE ? positions - start : TILE;
    const size_t fours = some / 4 * 4;
    const float *const key = keys + start * key_stride, *const value = values + start * value_stride;
    for (size_t t = 0; t < fours; t += 4) {
      four_scores(query, key + t * key_stride, key_stride, head_size, scale, scores + t);
    }
    for (size_t t = fours; t < some; t++) {
      scores[t] = one_score(query, key + t * key_stride, head_size, scale);
    }
    const float kept = softmax_step(scores, some, softcap, &most, &total);
    if (kept != 1) {
      for (size_t i = 0; i < value_size; i++) y[i] *= kept;
    }
    for (size_t t = 0; t < fours; t += 4) {
      add_four(scores + t, value + t * value_stride, value_stride, value_size, y);
    }
    for (size_t t = fours; t < some; t++) {
      for (size_t i = 0; i < value_size; i++) y[i] += scores[t] * value[t * value_stride + i];
    }
  }
  for (size_t i = 0; i < value_size; i++) y[i] /= total;
}

// A constant head size lets the compiler keep a whole head in registers.
VK_INLINE void vk_attend_body(vk_level level, const vk_attention *how, const float *query,
                              const float *keys, const float *values, size_t positions, float sink,
                              float *y) {
  (void)level;
  const size_t size = how->head_size;
  switch (size == how->value_size ? size : 0) {
    case 32: attend(how, 32, 32, query, keys, values, positions, sink, y); break;
    case 64: attend(how, 64, 64, query, keys, values, positions, sink, y); break;
    case 128: attend(how, 128, 128, query, keys, values, positions, sink, y); break;
    case 256: attend(how, 256, 256, query, keys, values, positions, sink, y); break;
    default: attend(how, size, how->value_size, query, keys, values, positions, sink, y); break;
  }
}

VK_VARIANTS(void, vk_attend,
            (vk_level level, const vk_attention *how, const float *query, const float *keys,
             const float *values, size_t positions, float sink, float *y),
            (level, how, query, keys, values, positions, sink, y))

VK_INLINE float vk_softmax_step_body(vk_level level, float *scores, size_t count, float softcap,
                                     float *most, float *total) {
  (void)level;
  return softmax_step(scores, count, softcap, most, total);
}

VK_VARIANTS(float, vk_softmax_step,
            (vk_level level, float *scores, size_t count, float softcap, float *most, float *total),
            (level, scores, count, softcap, most, total))
