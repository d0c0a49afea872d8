// Activations of a decoder's MLP, with and without a gate, and their gradients.
#ifndef VISE_VK_ACTIVATIONS_H
#define VISE_VK_ACTIVATIONS_H

#include <stddef.h>

#include "vk_levels.h"

typedef enum {
  /// x / (1 + exp(-x)).
  VK_SILU,
  /// x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))).
  VK_GELU_TANH,
  /// x / 2 * (1 + erf(x / sqrt(2))).
  VK_GELU,
  /// max(x, 0).
  VK_RELU,
  /// max(x, 0)^2.
  VK_RELU_SQUARED,
  /// z / (1 + exp(-1.702 z)) of z = min(x, 7); what it gates is bounded to [-7, 7] and grows by 1.
  VK_CLAMPED_SWIGLU,
  /// 1 / (1 + exp(-x)).
  VK_SIGMOID,
} vk_activation;

/// y = activation(x).
void vk_activate(vk_level level, vk_activation kind, const float *x, size_t count, float *y);
/// y = activation(gate) * up, but for what VK_CLAMPED_SWIGLU makes of up.
void vk_gate(vk_level level, vk_activation kind, const float *gate, const float *up, size_t count,
             float *y);
/// The gradient at x, given that at vk_activate's output.
void vk_activate_gradient(vk_level level, vk_activation kind, const float *x,
                          const float *gradient, size_t count, float *y);
/// The gradients at gate and up, given that at vk_gate's output.
void vk_gate_gradient(vk_level level, vk_activation kind, const float *gate, const float *up,
                      const float *gradient, size_t count, float *gate_gradient,
                      float *up_gradient);

#endif
