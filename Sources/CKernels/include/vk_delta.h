// The gated delta rule, a recurrence over positions with a matrix for a state, and the short convolution before it.
#ifndef VISE_VK_DELTA_H
#define VISE_VK_DELTA_H

#include <stddef.h>

#include "vk_levels.h"

/// One head's part of a sequence: rows of positions, each its own distance from the next.
typedef struct {
  size_t rows, key_size, value_size;
  const float *queries, *keys, *values;
  /// Values from one position to the next, of queries, keys and values alike.
  size_t stride;
  /// How much of the state stays at each position, and how much of what is new goes into it.
  const float *retentions, *rates;
  /// Values from one position to the next, of both.
  size_t rate_stride;
  /// Whether what the state says of a key is taken from its value, as the delta rule has it; Mamba-2 adds values as they are.
  int corrects;
} vk_delta_head;

/// For each position S = retention S, S += k (rate (v - S^T k))^T, and its output S^T q; without S^T k for a head that does not
/// correct.
/// `state` is key_size x value_size, read and written.
void vk_delta(vk_level level, const vk_delta_head *head, float *state, float *outputs,
              size_t output_stride);

/// The gradients of one head's positions, laid out like what they belong to.
typedef struct {
  float *queries, *keys, *values;
  size_t stride;
  float *retentions, *rates;
  size_t rate_stride;
} vk_delta_gradients;

/// The way back through vk_delta over the same positions.
/// `states` holds the state before each position, rows x key_size x value_size, and is written over by nobody;
/// `carried` is the gradient at the state after the last position, and becomes that at the state before the first.
void vk_delta_gradient(vk_level level, const vk_delta_head *head, const float *states,
                       const float *outputs, size_t output_stride, float *carried,
                       const vk_delta_gradients *gradients);

/// y[t][c] = sum over i < taps of weights[i][c] * x[t + i - taps + 1][c], where `before` holds the rows before the first.
/// `before` is (taps - 1) x channels, and becomes the last rows of x.
void vk_convolve(vk_level level, const float *x, size_t x_stride, size_t rows, size_t channels,
                 size_t taps, const float *weights, float *before, float *y);
/// The gradient at x, given that at vk_convolve's output, where nothing precedes the first row.
void vk_convolve_gradient(vk_level level, const float *outputs, size_t rows, size_t channels,
                          size_t taps, const float *weights, float *x, size_t x_stride);

#endif
