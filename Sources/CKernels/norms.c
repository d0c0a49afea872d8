#include "vk_norms.h"

#include <math.h>

#include "levels.h"

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

// With r = 1 / sqrt(mean(x^2) + epsilon): r * weight * gradient - r^3 * mean(weight * gradient * x) * x.
VK_INLINE void vk_rms_norm_gradient_body(vk_level level, const float *x, const float *weight,
                                         const float *gradient, size_t count, float epsilon,
                                         float *y) {
#pragma clang fp reassociate(on) contract(fast)
  (void)level;
  float squares = 0, product = 0;
  for (size_t i = 0; i < count; i++) {
    squares += x[i] * x[i];
    product += x[i] * weight[i] * gradient[i];
  }
  const float factor = 1.0f / sqrtf(squares / (float)count + epsilon);
  const float along = factor * factor * factor * product / (float)count;
  for (size_t i = 0; i < count; i++) y[i] += factor * weight[i] * gradient[i] - along * x[i];
}

VK_VARIANTS(void, vk_rms_norm_gradient,
            (vk_level level, const float *x, const float *weight, const float *gradient,
             size_t count, float epsilon, float *y),
            (level, x, weight, gradient, count, epsilon, y))

// Whether there is a weight is asked outside the loops, so that each of them vectorises.
VK_INLINE void vk_rms_norm_parts_body(vk_level level, const float *weight, size_t parts,
                                      size_t size, float epsilon, float *x) {
#pragma clang fp reassociate(on) contract(fast)
  (void)level;
  for (size_t part = 0; part < parts; part++, x += size) {
    float squares = 0;
    for (size_t i = 0; i < size; i++) squares += x[i] * x[i];
    const float factor = 1.0f / sqrtf(squares / (float)size + epsilon);
    if (weight) {
      for (size_t i = 0; i < size; i++) x[i] = x[i] * factor * weight[i];
    } else {
      for (size_t i = 0; i < size; i++) x[i] *= factor;
    }
  }
}

VK_VARIANTS(void, vk_rms_norm_parts,
            (vk_level level, const float *weight, size_t parts, size_t size, float epsilon,
             float *x),
            (level, weight, parts, size, epsilon, x))

VK_INLINE void vk_rms_norm_parts_gradient_body(vk_level level, const float *x, const float *weight,
                                               size_t parts, size_t size, float epsilon,
                                               float *y) {
#pragma clang fp reassociate(on) contract(fast)
  (void)level;
  for (size_t part = 0; part < parts; part++, x += size, y += size) {
    if (weight) {
      for (size_t i = 0; i < size; i++) y[i] *= weight[i];
    }
    float squares = 0, product = 0;
    for (size_t i = 0; i < size; i++) {
      squares += x[i] * x[i];
      product += x[i] * y[i];
    }
    const float factor = 1.0f / sqrtf(squares / (float)size + epsilon);
    const float along = factor * factor * factor * product / (float)size;
    for (size_t i = 0; i < size; i++) y[i] = factor * y[i] - along * x[i];
  }
}

VK_VARIANTS(void, vk_rms_norm_parts_gradient,
            (vk_level level, const float *x, const float *weight, size_t parts, size_t size,
             float epsilon, float *y),
            (level, x, weight, parts, size, epsilon, y))

typedef struct {
  float mean, factor;
} moments;

// The variance is that of differences from the mean: a difference of large squares would cancel.
VK_INLINE moments moments_of(const float *x, size_t count, float epsilon) {
#pragma clang fp reassociate(on) contract(fast)
  float sum = 0, squares = 0;
  for (size_t i = 0; i < count; i++) sum += x[i];
  const float mean = sum / (float)count;
  for (size_t i = 0; i < count; i++) squares += (x[i] - mean) * (x[i] - mean);
  return (moments){mean, 1.0f / sqrtf(squares / (float)count + epsilon)};
}

VK_INLINE void vk_layer_norm_body(vk_level level, const float *x, const float *weight,
                                  const float *bias, size_t count, float epsilon, float *y) {
#pragma clang fp contract(fast)
  (void)level;
  const moments m = moments_of(x, count, epsilon);
  for (size_t i = 0; i < count; i++) y[i] = (x[i] - m.mean) * m.factor * weight[i];
  if (bias) {
    for (size_t i = 0; i < count; i++) y[i] += bias[i];
  }
}

VK_VARIANTS(void, vk_layer_norm,
            (vk_level level, const float *x, const float *weight, const float *bias, size_t count,
             float epsilon, float *y),
            (level, x, weight, bias, count, epsilon, y))

// With n = (x - mean) * r and g = weight * gradient: r * (g - mean(g) - n * mean(g * n)).
VK_INLINE void vk_layer_norm_gradient_body(vk_level level, const float *x, const float *weight,
                                           const float *gradient, size_t count, float epsilon,
                                           float *y) {
#pragma clang fp reassociate(on) contract(fast)
  (void)level;
  const moments m = moments_of(x, count, epsilon);
  float sum = 0, product = 0;
  for (size_t i = 0; i < count; i++) {
    sum += weight[i] * gradient[i];
    product += weight[i] * gradient[i] * (x[i] - m.mean);
  }
  const float even = sum / (float)count;
  const float along = m.factor * m.factor * product / (float)count;
  for (size_t i = 0; i < count; i++) {
    y[i] += m.factor * (weight[i] * gradient[i] - even - (x[i] - m.mean) * along);
  }
}

VK_VARIANTS(void, vk_layer_norm_gradient,
            (vk_level level, const float *x, const float *weight, const float *gradient,
             size_t count, float epsilon, float *y),
            (level, x, weight, gradient, count, epsilon, y))
