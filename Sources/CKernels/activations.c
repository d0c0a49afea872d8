#include "vk_activations.h"

#include "exponential.h"

// gpt-oss' gates, as its published models have them.
#define GATE_ALPHA 1.702f
#define GATE_LIMIT 7.0f

// An activation and its derivative at one place; loops that want only one leave the other out.
typedef struct {
  float value, slope;
} activated;

VK_INLINE activated activation(vk_activation kind, float x) {
#pragma clang fp contract(fast)
  switch (kind) {
    case VK_SILU: {
      const float sigmoid = 1.0f / (1.0f + vk_exp(-x));
      return (activated){x * sigmoid, sigmoid * (1.0f + x * (1.0f - sigmoid))};
    }
    case VK_GELU_TANH: {
      // (1 + tanh(u)) / 2 is 1 / (1 + exp(-2u)), which does not cancel where u is negative.
      const float twice = 1.595769122f * x, square = x * x;
      const float sigmoid = 1.0f / (1.0f + vk_exp(-twice * (1.0f + 0.044715f * square)));
      const float along = twice * (1.0f + 0.134145f * square);
      return (activated){x * sigmoid, sigmoid * (1.0f + along * (1.0f - sigmoid))};
    }
    case VK_GELU: {
      const float exponential = vk_exp(-0.5f * x * x);
      const float tail = 0.5f * vk_erfc(0.7071067812f * fabsf(x), exponential);
      const float below = x < 0 ? tail : 1.0f - tail;
      return (activated){x * below, below + 0.3989422804f * x * exponential};
    }
    case VK_RELU: return (activated){x > 0 ? x : 0, x > 0 ? 1 : 0};
    case VK_CLAMPED_SWIGLU: {
      const float bounded = x > GATE_LIMIT ? GATE_LIMIT : x;
      const float sigmoid = 1.0f / (1.0f + vk_exp(-GATE_ALPHA * bounded));
      const float slope = sigmoid * (1.0f + GATE_ALPHA * bounded * (1.0f - sigmoid));
      return (activated){bounded * sigmoid, x > GATE_LIMIT ? 0 : slope};
    }
    case VK_SIGMOID: {
      const float sigmoid = 1.0f / (1.0f + vk_exp(-x));
      return (activated){sigmoid, sigmoid * (1.0f - sigmoid)};
    }
    case VK_RELU_SQUARED: break;
  }
  const float positive = x > 0 ? x : 0;
  return (activated){positive * positive, 2.0f * positive};
}

// What a gate multiplies, and its derivative.
VK_INLINE activated gated_value(vk_activation kind, float up) {
  if (kind != VK_CLAMPED_SWIGLU) return (activated){up, 1};
  const float low = up < -GATE_LIMIT ? -GATE_LIMIT : up;
  const float bounded = low > GATE_LIMIT ? GATE_LIMIT : low;
  return (activated){bounded + 1.0f, fabsf(up) > GATE_LIMIT ? 0 : 1};
}

// The statement for each i < count, in a loop for each kind, which is constant there.
#define FOR_EACH_KIND(chosen, statement)                                       \
  switch (chosen) {                                                          \
    case VK_SILU: FOR_ALL(VK_SILU, statement) break;                         \
    case VK_GELU_TANH: FOR_ALL(VK_GELU_TANH, statement) break;               \
    case VK_GELU: FOR_ALL(VK_GELU, statement) break;                         \
    case VK_RELU: FOR_ALL(VK_RELU, statement) break;                         \
    case VK_RELU_SQUARED: FOR_ALL(VK_RELU_SQUARED, statement) break;         \
    case VK_CLAMPED_SWIGLU: FOR_ALL(VK_CLAMPED_SWIGLU, statement) break;     \
    case VK_SIGMOID: FOR_ALL(VK_SIGMOID, statement) break;                   \
  }
#define FOR_ALL(constant, statement)      \
  for (size_t i = 0; i < count; i++) {    \
    const vk_activation kind = constant;  \
    statement                             \
  }

VK_INLINE void vk_activate_body(vk_level level, vk_activation chosen, const float *x, size_t count,
                                float *y) {
  (void)level;
  FOR_EACH_KIND(chosen, y[i] = activation(kind, x[i]).value;)
}

VK_VARIANTS(void, vk_activate,
            (vk_level level, vk_activation kind, const float *x, size_t count, float *y),
            (level, kind, x, count, y))

VK_INLINE void vk_gate_body(vk_level level, vk_activation chosen, const float *gate, const float *up,
                            size_t count, float *y) {
  (void)level;
  FOR_EACH_KIND(chosen, y[i] = activation(kind, gate[i]).value * gated_value(kind, up[i]).value;)
}

VK_VARIANTS(void, vk_gate,
            (vk_level level, vk_activation kind, const float *gate, const float *up, size_t count,
             float *y),
            (level, kind, gate, up, count, y))

VK_INLINE void vk_activate_gradient_body(vk_level level, vk_activation chosen, const float *x,
                                         const float *gradient, size_t count, float *y) {
  (void)level;
  FOR_EACH_KIND(chosen, y[i] = gradient[i] * activation(kind, x[i]).slope;)
}

VK_VARIANTS(void, vk_activate_gradient,
            (vk_level level, vk_activation kind, const float *x, const float *gradient,
             size_t count, float *y),
            (level, kind, x, gradient, count, y))

VK_INLINE void vk_gate_gradient_body(vk_level level, vk_activation chosen, const float *gate,
                                     const float *up, const float *gradient, size_t count,
                                     float *gate_gradient, float *up_gradient) {
  (void)level;
  FOR_EACH_KIND(chosen, {
    const activated here = activation(kind, gate[i]);
    const activated value = gated_value(kind, up[i]);
    up_gradient[i] = gradient[i] * here.value * value.slope;
    gate_gradient[i] = gradient[i] * value.value * here.slope;
  })
}

VK_VARIANTS(void, vk_gate_gradient,
            (vk_level level, vk_activation kind, const float *gate, const float *up,
             const float *gradient, size_t count, float *gate_gradient, float *up_gradient),
            (level, kind, gate, up, gradient, count, gate_gradient, up_gradient))
