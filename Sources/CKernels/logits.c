#include <math.h>

#include "exponential.h"
#include "vk_attention.h"

VK_INLINE double vk_log_sum_exp_body(vk_level level, const float *x, size_t count) {
#pragma clang fp reassociate(on) contract(fast)
  (void)level;
  const float most = vk_largest_of(x, count);
  double sum = 0;
  for (size_t i = 0; i < count; i++) sum += (double)vk_exp(x[i] - most);
  return (double)most + log(sum);
}

VK_VARIANTS(double, vk_log_sum_exp, (vk_level level, const float *x, size_t count),
            (level, x, count))

VK_INLINE double vk_divergence_body(vk_level level, const float *a, double a_log_sum,
                                    const float *b, double b_log_sum, size_t count) {
#pragma clang fp reassociate(on) contract(fast)
  (void)level;
  const double shift = b_log_sum - a_log_sum;
  const float log_sum = (float)a_log_sum;
  // What rounding the log-sum-exp to single precision changed in every exponential.
  const double correction = exp((double)log_sum - a_log_sum);
  double sum = 0;
  for (size_t i = 0; i < count; i++) {
    sum += (double)vk_exp(a[i] - log_sum) * ((double)a[i] - (double)b[i] + shift);
  }
  return sum * correction;
}

VK_VARIANTS(double, vk_divergence,
            (vk_level level, const float *a, double a_log_sum, const float *b, double b_log_sum,
             size_t count),
            (level, a, a_log_sum, b, b_log_sum, count))

VK_INLINE size_t vk_largest_body(vk_level level, const float *x, size_t count) {
  (void)level;
  const float most = vk_largest_of(x, count);
  for (size_t i = 0; i < count; i++) {
    if (x[i] == most) return i;
  }
  return 0;
}

VK_VARIANTS(size_t, vk_largest, (vk_level level, const float *x, size_t count), (level, x, count))
