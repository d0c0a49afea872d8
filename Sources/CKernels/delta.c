#include "vk_delta.h"

#include <string.h>

#include "levels.h"

// Values of the state's rows that stay in registers over all keys.
enum { LANES = 64 };

// One position of `width` value channels: the state's rows are read twice, first to see what they say of the key, then to
// take in what is new and to answer the query.
VK_INLINE void delta_step(const float *q, const float *k, const float *v, float retention, float rate,
                          size_t keys, size_t stride, size_t width, int corrects, float *state, float *y) {
#pragma clang fp reassociate(on) contract(fast)
  float said[LANES] = {0}, answer[LANES] = {0};
  for (size_t i = 0; i < keys; i++) {
    float *row = state + i * stride;
    for (size_t j = 0; j < width; j++) {
      row[j] *= retention;
      said[j] += k[i] * row[j];
    }
  }
  for (size_t j = 0; j < width; j++) said[j] = rate * (corrects ? v[j] - said[j] : v[j]);
  for (size_t i = 0; i < keys; i++) {
    float *row = state + i * stride;
    for (size_t j = 0; j < width; j++) {
      row[j] += k[i] * said[j];
      answer[j] += q[i] * row[j];
    }
  }
  for (size_t j = 0; j < width; j++) y[j] = answer[j];
}

VK_INLINE void vk_delta_body(vk_level level, const vk_delta_head *head, float *state, float *outputs,
                             size_t output_stride) {
  (void)level;
  const size_t size = head->value_size;
  for (size_t row = 0; row < head->rows; row++) {
    const float *q = head->queries + row * head->stride, *k = head->keys + row * head->stride;
    const float *v = head->values + row * head->stride;
    const float retention = head->retentions[row * head->rate_stride];
    const float rate = head->rates[row * head->rate_stride];
    float *y = outputs + row * output_stride;
    size_t start = 0;
    // A constant width lets the compiler keep the sums in registers.
    for (; start + LANES <= size; start += LANES) {
      delta_step(q, k, v + start, retention, rate, head->key_size, size, LANES, head->corrects,
                 state + start, y + start);
    }
    if (start < size) {
      delta_step(q, k, v + start, retention, rate, head->key_size, size, size - start,
                 head->corrects, state + start, y + start);
    }
  }
}

VK_VARIANTS(void, vk_delta,
            (vk_level level, const vk_delta_head *head, float *state, float *outputs,
             size_t output_stride),
            (level, head, state, outputs, output_stride))

// With S the state before a position, D = retention S, p = D^T k, e = rate (v - p), S' = D + k e^T and y = S'^T q, and G
// the gradient at S': G += q y'^T, then e' = G^T k, k' = G e + D p', p' = -rate e', D' = G + k p'^T. A head that does not
// correct has neither p nor p'.
VK_INLINE void vk_delta_gradient_body(vk_level level, const vk_delta_head *head, const float *states,
                                      const float *outputs, size_t output_stride, float *carried,
                                      const vk_delta_gradients *to) {
#pragma clang fp reassociate(on) contract(fast)
  (void)level;
  const size_t keys = head->key_size, size = head->value_size;
  float said[size], new_values[size], at_new[size], at_said[size];
  for (size_t row = head->rows; row-- > 0;) {
    const float *q = head->queries + row * head->stride, *k = head->keys + row * head->stride;
    const float *v = head->values + row * head->stride;
    const float retention = head->retentions[row * head->rate_stride];
    const float rate = head->rates[row * head->rate_stride];
    const float *state = states + row * keys * size, *at_y = outputs + row * output_stride;
    float *at_q = to->queries + row * to->stride, *at_k = to->keys + row * to->stride;
    float *at_v = to->values + row * to->stride;
    for (size_t j = 0; j < size; j++) said[j] = at_new[j] = 0;
    for (size_t i = 0; i < keys && head->corrects; i++) {
      for (size_t j = 0; j < size; j++) said[j] += k[i] * retention * state[i * size + j];
    }
    float along = 0, at_rate = 0;
    for (size_t j = 0; j < size; j++) {
      new_values[j] = rate * (v[j] - said[j]);
      along += new_values[j] * at_y[j];
    }
    for (size_t i = 0; i < keys; i++) {
      float *carry = carried + i * size;
      float answer = 0;
      for (size_t j = 0; j < size; j++) {
        answer += retention * state[i * size + j] * at_y[j];
        carry[j] += q[i] * at_y[j];
        at_new[j] += k[i] * carry[j];
      }
      at_q[i] += answer + k[i] * along;
    }
    for (size_t j = 0; j < size; j++) {
      at_rate += at_new[j] * (v[j] - said[j]);
      at_v[j] = rate * at_new[j];
      at_said[j] = head->corrects ? -rate * at_new[j] : 0;
    }
    float at_retention = 0;
    for (size_t i = 0; i < keys; i++) {
      float *carry = carried + i * size;
      float sum = 0;
      for (size_t j = 0; j < size; j++) {
        sum += carry[j] * new_values[j] + retention * state[i * size + j] * at_said[j];
        carry[j] += k[i] * at_said[j];
        at_retention += carry[j] * state[i * size + j];
        carry[j] *= retention;
      }
      at_k[i] += sum;
    }
    to->retentions[row * to->rate_stride] = at_retention;
    to->rates[row * to->rate_stride] = at_rate;
  }
}

VK_VARIANTS(void, vk_delta_gradient,
            (vk_level level, const vk_delta_head *head, const float *states, const float *outputs,
             size_t output_stride, float *carried, const vk_delta_gradients *gradients),
            (level, head, states, outputs, output_stride, carried, gradients))

VK_INLINE void vk_convolve_body(vk_level level, const float *x, size_t x_stride, size_t rows,
                                size_t channels, size_t taps, const float *weights, float *before,
                                float *y) {
#pragma clang fp contract(fast)
  (void)level;
  for (size_t row = 0; row < rows; row++) {
    float *sum = y + row * channels;
    memset(sum, 0, channels * sizeof(float));
    for (size_t tap = 0; tap < taps; tap++) {
      // Rows before the first are counted in `before`.
      const size_t place = row + tap;
      const float *from =
          place < taps - 1 ? before + place * channels : x + (place - (taps - 1)) * x_stride;
      const float *weight = weights + tap * channels;
      for (size_t i = 0; i < channels; i++) sum[i] += weight[i] * from[i];
    }
  }
  const size_t kept = taps - 1;
  for (size_t place = 0; place < kept; place++) {
    const size_t row = place + rows;
    const float *from = row < kept ? before + row * channels : x + (row - kept) * x_stride;
    memmove(before + place * channels, from, channels * sizeof(float));
  }
}

VK_VARIANTS(void, vk_convolve,
            (vk_level level, const float *x, size_t x_stride, size_t rows, size_t channels,
             size_t taps, const float *weights, float *before, float *y),
            (level, x, x_stride, rows, channels, taps, weights, before, y))

VK_INLINE void vk_convolve_gradient_body(vk_level level, const float *outputs, size_t rows,
                                         size_t channels, size_t taps, const float *weights,
                                         float *x, size_t x_stride) {
#pragma clang fp contract(fast)
  (void)level;
  for (size_t row = 0; row < rows; row++) {
    float *sum = x + row * x_stride;
    memset(sum, 0, channels * sizeof(float));
    for (size_t tap = 0; tap < taps; tap++) {
      const size_t later = row + taps - 1 - tap;
      if (later >= rows) continue;
      const float *from = outputs + later * channels, *weight = weights + tap * channels;
      for (size_t i = 0; i < channels; i++) sum[i] += weight[i] * from[i];
    }
  }
}

VK_VARIANTS(void, vk_convolve_gradient,
            (vk_level level, const float *outputs, size_t rows, size_t channels, size_t taps,
             const float *weights, float *x, size_t x_stride),
            (level, outputs, rows, channels, taps, weights, x, x_stride))
