#include "vk_elementwise.h"

#include <math.h>

#include "exponential.h"

VK_INLINE void vk_rms_norm_body(vk_level level, const float *x, const float *weight, size_t count,
                                float epsilon, float *y) {
#pragma clang fp reassociate(on) contract(fast)
  (void)level;
  float squares = 0;
  for (size_t i = 0; i < count; i++) squares += x[i] * x[i];
  const float factor = 1.0f / sqrtf(squares / (float)count + epsilon);
  for (size_t i = 0; i < count; i++) y[i] = x[i] * factor * weight[i];
}

VK_VARIANTS(void, vk_rms_norm,
            (vk_level level, const float *x, const float *weight, size_t count, float epsilon,
             float *y),
            (level, x, weight, count, epsilon, y))

VK_INLINE void vk_rotate_body(vk_level level, float *x, size_t heads, size_t head_size,
                              const float *cosines, const float *sines) {
  (void)level;
  const size_t half = head_size / 2;
  for (size_t h = 0; h < heads; h++, x += head_size) {
    for (size_t i = 0; i < half; i++) {
      const float a = x[i], b = x[i + half];
      x[i] = a * cosines[i] - b * sines[i];
      x[i + half] = b * cosines[i] + a * sines[i];
    }
  }
}

VK_VARIANTS(void, vk_rotate,
            (vk_level level, float *x, size_t heads, size_t head_size, const float *cosines,
             const float *sines),
            (level, x, heads, head_size, cosines, sines))

VK_INLINE void vk_gated_silu_body(vk_level level, const float *gate, const float *up, size_t count,
                                  float *y) {
  (void)level;
  for (size_t i = 0; i < count; i++) y[i] = gate[i] / (1.0f + vk_exp(-gate[i])) * up[i];
}

VK_VARIANTS(void, vk_gated_silu,
            (vk_level level, const float *gate, const float *up, size_t count, float *y),
            (level, gate, up, count, y))

VK_INLINE void vk_add_body(vk_level level, const float *x, size_t count, float *y) {
  (void)level;
  for (size_t i = 0; i < count; i++) y[i] += x[i];
}

VK_VARIANTS(void, vk_add, (vk_level level, const float *x, size_t count, float *y),
            (level, x, count, y))

VK_INLINE void vk_group_sums_body(vk_level level, const float *x, size_t count, size_t group,
                                  float *sums) {
#pragma clang fp reassociate(on)
  (void)level;
  for (size_t g = 0; g < count / group; g++, x += group) {
    float sum = 0;
    for (size_t i = 0; i < group; i++) sum += x[i];
    sums[g] = sum;
  }
}

VK_VARIANTS(void, vk_group_sums,
            (vk_level level, const float *x, size_t count, size_t group, float *sums),
            (level, x, count, group, sums))
