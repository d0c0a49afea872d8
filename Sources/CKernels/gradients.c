#include "vk_gradients.h"

#include <math.h>

#include "exponential.h"

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

VK_INLINE void vk_gated_silu_gradient_body(vk_level level, const float *gate, const float *up,
                                           const float *gradient, size_t count,
                                           float *gate_gradient, float *up_gradient) {
#pragma clang fp contract(fast)
  (void)level;
  for (size_t i = 0; i < count; i++) {
    const float sigmoid = 1.0f / (1.0f + vk_exp(-gate[i]));
    up_gradient[i] = gradient[i] * gate[i] * sigmoid;
    gate_gradient[i] = gradient[i] * up[i] * sigmoid * (1.0f + gate[i] * (1.0f - sigmoid));
  }
}

VK_VARIANTS(void, vk_gated_silu_gradient,
            (vk_level level, const float *gate, const float *up, const float *gradient,
             size_t count, float *gate_gradient, float *up_gradient),
            (level, gate, up, gradient, count, gate_gradient, up_gradient))

VK_INLINE void vk_softmax_gradient_body(vk_level level, float *scores, float *gradients,
                                        size_t count, float scale) {
#pragma clang fp reassociate(on) contract(fast)
  (void)level;
  const float most = vk_largest_of(scores, count);
  float total = 0;
  for (size_t i = 0; i < count; i++) {
    scores[i] = vk_exp((scores[i] - most) * scale);
    total += scores[i];
  }
  const float factor = 1.0f / total;
  float mean = 0;
  for (size_t i = 0; i < count; i++) {
    scores[i] *= factor;
    mean += scores[i] * gradients[i];
  }
  for (size_t i = 0; i < count; i++) gradients[i] = scale * scores[i] * (gradients[i] - mean);
}

VK_VARIANTS(void, vk_softmax_gradient,
            (vk_level level, float *scores, float *gradients, size_t count, float scale),
            (level, scores, gradients, count, scale))

VK_INLINE void vk_probabilities_body(vk_level level, const float *x, size_t count, float log_sum,
                                     float *y) {
  (void)level;
  for (size_t i = 0; i < count; i++) y[i] = vk_exp(x[i] - log_sum);
}

VK_VARIANTS(void, vk_probabilities,
            (vk_level level, const float *x, size_t count, float log_sum, float *y),
            (level, x, count, log_sum, y))

VK_INLINE double vk_energy_body(vk_level level, const float *x, size_t count) {
#pragma clang fp reassociate(on) contract(fast)
  (void)level;
  double sum = 0;
  for (size_t i = 0; i < count; i++) sum += (double)x[i] * (double)x[i];
  return sum;
}

VK_VARIANTS(double, vk_energy, (vk_level level, const float *x, size_t count), (level, x, count))

VK_INLINE void vk_add_weighted_squares_body(vk_level level, const float *x, size_t stride,
                                            size_t rows, size_t count, const double *weights,
                                            double *sums) {
#pragma clang fp contract(fast)
  (void)level;
  for (size_t t = 0; t < rows; t++) {
    const float *const row = x + t * stride;
    for (size_t i = 0; i < count; i++) {
      sums[i] += weights[t] * ((double)row[i] * (double)row[i]);
    }
  }
}

VK_VARIANTS(void, vk_add_weighted_squares,
            (vk_level level, const float *x, size_t stride, size_t rows, size_t count,
             const double *weights, double *sums),
            (level, x, stride, rows, count, weights, sums))

VK_INLINE double vk_weighted_error_body(vk_level level, const float *before, const float *after,
                                        const float *weights, size_t count) {
#pragma clang fp reassociate(on) contract(fast)
  (void)level;
  double sum = 0;
  for (size_t i = 0; i < count; i++) {
    const double error = (double)after[i] - (double)before[i];
    sum += (double)weights[i] * error * error;
  }
  return sum;
}

VK_VARIANTS(double, vk_weighted_error,
            (vk_level level, const float *before, const float *after, const float *weights,
             size_t count),
            (level, before, after, weights, count))
