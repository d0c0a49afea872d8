#include <math.h>

#include "rounding.h"
#include "vk_quantize.h"

// Half-quadratic quantization (Badri and Shaji, 2023): scales stay, and zeros move to where the error is
// least in the norm with p = 0.7, by splitting it from the part of the weights that codes cannot follow.
enum { most_rounds = 20 };

VK_INLINE float shrunk(float error, float beta) {
  const float size = fabsf(error);
  // |error|^(p - 1) grows without bound towards zero, where nothing is left anyway.
  if (size < 1e-8f) return 0;
  const float rest = size - powf(size, -0.3f) / beta;
  return rest > 0 ? copysignf(rest, error) : 0;
}

static float zero_of_group(const float *weights, size_t count, float scale, float zero,
                           float lowest, float highest) {
  float beta = 10, least = INFINITY;
  for (int round = 0; round < most_rounds; round++) {
    double sum = 0, error = 0;
    for (size_t i = 0; i < count; i++) {
      const float code = weights[i] / scale + zero;
      const float level =
          vk_round_even(code < lowest ? lowest : code > highest ? highest : code);
      const float difference = weights[i] - (level - zero) * scale;
      error += (double)fabsf(difference);
      sum += (double)(level - (weights[i] - shrunk(difference, beta)) / scale);
    }
    // As long as the error falls, the zero moves on.
    if ((float)error >= least) break;
    least = (float)error;
    zero = (float)(sum / (double)count);
    beta *= 1.01f;
  }
  return zero;
}

void vk_hqq_row(const vk_row_grid *row, const float *weights, float *zeros) {
  for (size_t g = 0; g < row->groups; g++, weights += row->group_size) {
    const float scale = row->scales[g];
    // A minimum is a zero that lies between levels.
    const float zero = scale == 0 ? row->zeros[g] : row->zeros[g] - row->minimums[g] / scale;
    zeros[g] = scale == 0 ? zero
                          : zero_of_group(weights, row->group_size, scale, zero, row->lowest,
                                          row->highest);
  }
}
