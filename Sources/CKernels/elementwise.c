#include "vk_elementwise.h"

#include "exponential.h"

// Turns pairs `step` apart, of which the next starts `next` values on.
VK_INLINE void rotate(float *x, size_t pairs, size_t next, size_t step, const float *cosines,
                      const float *sines) {
  for (size_t i = 0; i < pairs; i++) {
    const float a = x[i * next], b = x[i * next + step];
    x[i * next] = a * cosines[i] - b * sines[i];
    x[i * next + step] = b * cosines[i] + a * sines[i];
  }
}

VK_INLINE void vk_rotate_body(vk_level level, float *x, size_t heads, size_t head_size,
                              size_t pairs, int neighbours, const float *cosines,
                              const float *sines) {
  (void)level;
  for (size_t h = 0; h < heads; h++, x += head_size) {
    if (neighbours) {
      rotate(x, pairs, 2, 1, cosines, sines);
    } else {
      rotate(x, pairs, 1, pairs, cosines, sines);
    }
  }
}

VK_VARIANTS(void, vk_rotate,
            (vk_level level, float *x, size_t heads, size_t head_size, size_t pairs,
             int neighbours, const float *cosines, const float *sines),
            (level, x, heads, head_size, pairs, neighbours, cosines, sines))

VK_INLINE void vk_add_body(vk_level level, const float *x, size_t count, float *y) {
  (void)level;
  for (size_t i = 0; i < count; i++) y[i] += x[i];
}

VK_VARIANTS(void, vk_add, (vk_level level, const float *x, size_t count, float *y),
            (level, x, count, y))

VK_INLINE void vk_multiply_body(vk_level level, const float *x, size_t count, float *y) {
  (void)level;
  for (size_t i = 0; i < count; i++) y[i] *= x[i];
}

VK_VARIANTS(void, vk_multiply, (vk_level level, const float *x, size_t count, float *y),
            (level, x, count, y))

VK_INLINE void vk_scale_body(vk_level level, float factor, size_t count, float *y) {
  (void)level;
  for (size_t i = 0; i < count; i++) y[i] *= factor;
}

VK_VARIANTS(void, vk_scale, (vk_level level, float factor, size_t count, float *y),
            (level, factor, count, y))

VK_INLINE void vk_softcap_body(vk_level level, float cap, size_t count, float *y) {
  (void)level;
  vk_cap(y, count, cap);
}

VK_VARIANTS(void, vk_softcap, (vk_level level, float cap, size_t count, float *y),
            (level, cap, count, y))

VK_INLINE void vk_softcap_gradient_body(vk_level level, const float *capped, float cap,
                                        size_t count, float *y) {
#pragma clang fp contract(fast)
  (void)level;
  const float inverse = 1.0f / cap;
  for (size_t i = 0; i < count; i++) {
    const float tangent = capped[i] * inverse;
    y[i] *= 1.0f - tangent * tangent;
  }
}

VK_VARIANTS(void, vk_softcap_gradient,
            (vk_level level, const float *capped, float cap, size_t count, float *y),
            (level, capped, cap, count, y))

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
