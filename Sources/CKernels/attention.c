#include <math.h>

#include "exponential.h"
#include "vk_attention.h"

// Positions whose scores are held at once; the running maximum rescales what came before.
enum { TILE = 128 };

VK_INLINE float dot(const float *a, const float *b, size_t count) {
#pragma clang fp reassociate(on) contract(fast)
  float sum = 0;
  for (size_t i = 0; i < count; i++) sum += a[i] * b[i];
  return sum;
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

VK_INLINE void vk_attend_body(vk_level level, const float *query, const float *keys,
                              const float *values, size_t head_size, size_t stride,
                              size_t positions, float scale, float *y) {
#pragma clang fp contract(fast)
  (void)level;
  float scores[TILE];
  float most = -INFINITY, total = 0;
  for (size_t i = 0; i < head_size; i++) y[i] = 0;
  for (size_t start = 0; start < positions; start += TILE) {
    const size_t some = positions - start < TILE ? positions - start : TILE;
    for (size_t t = 0; t < some; t++) {
      scores[t] = dot(query, keys + (start + t) * stride, head_size) * scale;
    }
    const float here = vk_largest_of(scores, some);
    if (here > most) {
      const float kept = start == 0 ? 0.0f : vk_exp(most - here);
      for (size_t i = 0; i < head_size; i++) y[i] *= kept;
      total *= kept;
      most = here;
    }
    total += exponentials(scores, some, most);
    for (size_t t = 0; t < some; t++) {
      const float *const value = values + (start + t) * stride;
      for (size_t i = 0; i < head_size; i++) y[i] += scores[t] * value[i];
    }
  }
  for (size_t i = 0; i < head_size; i++) y[i] /= total;
}

VK_VARIANTS(void, vk_attend,
            (vk_level level, const float *query, const float *keys, const float *values,
             size_t head_size, size_t stride, size_t positions, float scale, float *y),
            (level, query, keys, values, head_size, stride, positions, scale, y))
