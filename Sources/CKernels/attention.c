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

VK_INLINE void attend(const float *query, const float *keys, const float *values,
                      size_t head_size, size_t stride, size_t positions, float scale,
                      float *restrict y) {
#pragma clang fp contract(fast)
  float scores[TILE];
  float most = -INFINITY, total = 0;
  for (size_t i = 0; i < head_size; i++) y[i] = 0;
  for (size_t start = 0; start < positions; start += TILE) {
    const size_t some = positions - start < TILE ? positions - start : TILE;
    const size_t fours = some / 4 * 4;
    const float *const key = keys + start * stride, *const value = values + start * stride;
    for (size_t t = 0; t < fours; t += 4) {
      four_scores(query, key + t * stride, stride, head_size, scale, scores + t);
    }
    for (size_t t = fours; t < some; t++) {
      scores[t] = one_score(query, key + t * stride, head_size, scale);
    }
    const float here = vk_largest_of(scores, some);
    if (here > most) {
      const float kept = start == 0 ? 0.0f : vk_exp(most - here);
      for (size_t i = 0; i < head_size; i++) y[i] *= kept;
      total *= kept;
      most = here;
    }
    total += exponentials(scores, some, most);
    for (size_t t = 0; t < fours; t += 4) {
      add_four(scores + t, value + t * stride, stride, head_size, y);
    }
    for (size_t t = fours; t < some; t++) {
      for (size_t i = 0; i < head_size; i++) y[i] += scores[t] * value[t * stride + i];
    }
  }
  for (size_t i = 0; i < head_size; i++) y[i] /= total;
}

// A constant head size lets the compiler keep a whole head in registers.
VK_INLINE void vk_attend_body(vk_level level, const float *query, const float *keys,
                              const float *values, size_t head_size, size_t stride,
                              size_t positions, float scale, float *y) {
  (void)level;
  switch (head_size) {
    case 32: attend(query, keys, values, 32, stride, positions, scale, y); break;
    case 64: attend(query, keys, values, 64, stride, positions, scale, y); break;
    case 128: attend(query, keys, values, 128, stride, positions, scale, y); break;
    default: attend(query, keys, values, head_size, stride, positions, scale, y); break;
  }
}

VK_VARIANTS(void, vk_attend,
            (vk_level level, const float *query, const float *keys, const float *values,
             size_t head_size, size_t stride, size_t positions, float scale, float *y),
            (level, query, keys, values, head_size, stride, positions, scale, y))
