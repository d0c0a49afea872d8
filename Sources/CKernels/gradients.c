#include "vk_gradients.h"

#include <math.h>

#include "exponential.h"

VK_INLINE void vk_softmax_gradient_body(vk_level level, float *scores, float *gradients,
                                        size_t count, float scale, float softcap, float sink,
                                        float *slopes) {
#pragma clang fp reassociate(on) contract(fast)
  (void)level;
  for (size_t i = 0; i < count; i++) scores[i] *= scale;
  if (softcap > 0) {
    vk_cap(scores, count, softcap);
    // The derivative of c * tanh(s / c) is 1 - tanh^2.
    const float inverse = 1.0f / softcap;
    for (size_t i = 0; i < count; i++) {
      const float tangent = scores[i] * inverse;
      slopes[i] = 1.0f - tangent * tangent;
    }
  }
  float most = vk_largest_of(scores, count);
  most = sink > most ? sink : most;
  float total = vk_exp(sink - most);
  for (size_t i = 0; i < count; i++) {
    scores[i] = vk_exp(scores[i] - most);
    total += scores[i];
  }
  const float factor = 1.0f / total;
  float mean = 0;
  for (size_t i = 0; i < count; i++) {
    scores[i] *= factor;
    mean += scores[i] * gradients[i];
  }
  for (size_t i = 0; i < count; i++) gradients[i] = scale * scores[i] * (gradients[i] - mean);
  if (softcap > 0) {
    for (size_t i = 0; i < count; i++) gradients[i] *= slopes[i];
  }
}

VK_VARIANTS(void, vk_softmax_gradient,
            (vk_level level, float *scores, float *gradients, size_t count, float scale,
             float softcap, float sink, float *slopes),
            (level, scores, gradients, count, scale, softcap, sink, slopes))

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
