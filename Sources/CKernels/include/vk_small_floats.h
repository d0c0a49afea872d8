// Floats of 8 and 4 bits with scales: E4M3 and E2M1 (OCP Microscaling Formats 1.0), as compressed-tensors stores
// them.
#ifndef VISE_VK_SMALL_FLOATS_H
#define VISE_VK_SMALL_FLOATS_H

#include <stddef.h>
#include <stdint.h>

#include "vk_levels.h"

/// What codes and scales are.
typedef enum {
  /// E4M3, a byte each, with scales of 16 bits.
  VK_FP8,
  /// E2M1, two in a byte, the even column's in its lower half; scales are E4M3, and one divides them all.
  VK_NVFP4,
  /// E2M1 with scales that are powers of two (E8M0).
  VK_MXFP4,
} vk_float_format;

/// A row of such weights: weight = code * scale.
typedef struct {
  vk_float_format format;
  /// Whether scales of 16 bits are bfloat16, not half precision.
  int is_bfloat;
  /// What E4M3 scales are divided by; 1 for other formats.
  float divisor;
  size_t columns;
  /// Weights that share a scale; the last group of a row may have fewer.
  size_t group;
} vk_float_row;

/// The weights of a row; scales are one a group, in the lower bits.
void vk_decode_floats(vk_level level, const vk_float_row *row, const uint8_t *codes,
                      const uint16_t *scales, float *weights);

/// The scales at which the largest magnitude of each group is the largest code.
///
/// `ranges` are those magnitudes, one a group; null takes them from the weights. A search goes on to the scales nearby
/// and takes the one of least squared error, weighted by `importance` unless that is null; 16-bit scales are never
/// searched, as codes of 8 bits are about as fine at any.
void vk_fit_floats(vk_level level, const vk_float_row *row, int searches, const float *weights,
                   const float *importance, const float *ranges, uint16_t *scales);

/// What a scale of such a row stands for.
float vk_float_scale(const vk_float_row *row, uint16_t scale);

/// The sixteen levels of E2M1, rising; the two in the middle are both zero.
const float *vk_e2m1_levels(void);

/// The codes nearest to a row's weights, half to even.
void vk_nearest_floats(vk_level level, const vk_float_row *row, const uint16_t *scales,
                       const float *weights, uint8_t *codes);

#endif
