// What is written to disk, or decides on it: it must not depend on the processor.
#include "vk_quantize.h"
#include "vk_small_floats.h"
#include "vk_sweep.h"

#include "variants.h"

#include <stdlib.h>
#include <string.h>

static void try_rounding(vk_level level, size_t count) {
  float *const values = random_floats(count, 1e5f);
  uint16_t *const halves = room_for(count * sizeof(uint16_t));
  vk_f32_to_f16(level, values, halves, count);
  same("half precision", halves, count * sizeof(uint16_t));
  vk_f32_to_bf16(level, values, halves, count);
  same("bfloat16", halves, count * sizeof(uint16_t));
  free(halves);
  free(values);
}

enum { GROUPS = 5 };

static void try_grid(vk_level level, size_t size, unsigned bits, int is_symmetric, int searches) {
  const size_t count = GROUPS * size;
  float *const weights = random_floats(count, 0.1f), *const importance = random_importance(count);
  uint16_t *const scales = room_for(GROUPS * sizeof(uint16_t));
  uint8_t *const points = room_for(GROUPS), *const codes = room_for(count);
  const vk_quantizer quantizer = {bits, is_symmetric, searches > 0, size % 2 == 0};
  vk_fit_rows(level, &quantizer, weights, searches > 1 ? importance : NULL, GROUPS, GROUPS, size, scales, points);
  same("scales", scales, GROUPS * sizeof(uint16_t));
  if (!is_symmetric) same("zero points", points, GROUPS);
  static const float codebook[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
  float *const values = random_floats(3 * GROUPS, 0.05f);
  const float base = -(float)(1u << (bits - 1));
  const vk_row_grid grid = {values,     values + GROUPS, values + 2 * GROUPS, bits == 4 && size % 2 == 0 ? codebook : NULL,
                            GROUPS,     size,            base,                -base - 1,
                            base};
  vk_nearest_row(level, &grid, weights, codes);
  same("nearest codes", codes, count);
  float *const decoded = room_for(count * sizeof(float));
  vk_grid_row(level, &grid, codes, decoded);
  same("weights of codes", decoded, count * sizeof(float));
  vk_prune_blocks(level, weights, count / 8 * 8, 4, 8);
  same("pruned blocks", weights, count * sizeof(float));
  free(decoded);
  free(values);
  free(codes);
  free(points);
  free(scales);
  free(importance);
  free(weights);
}

static void try_small_floats(vk_level level, vk_float_format format, size_t length) {
  const size_t group = format == VK_FP8 ? 128 : format == VK_NVFP4 ? 16 : 32, groups = (length + group - 1) / group;
  // Only rows of bytes end within a group.
  const size_t columns = format == VK_FP8 ? length : groups * group;
  const size_t bytes = format == VK_FP8 ? columns : columns / 2;
  const vk_float_row row = {format, columns % 3 == 0, format == VK_NVFP4 ? 37 : 1, columns, group};
  float *const weights = random_floats(columns, 0.1f), *const decoded = room_for(columns * sizeof(float));
  float *const importance = random_importance(columns);
  uint16_t *const scales = room_for(groups * sizeof(uint16_t));
  uint8_t *const codes = calloc(bytes, 1);
  if (!codes) abort();
  for (int way = 0; way < 3; way++) {
    vk_fit_floats(level, &row, way > 0, weights, way > 1 ? importance : NULL, NULL, scales);
    same("scales of floats", scales, groups * sizeof(uint16_t));
    vk_nearest_floats(level, &row, scales, weights, codes);
    same("nearest floats", codes, bytes);
    vk_decode_floats(level, &row, codes, scales, decoded);
    same("decoded floats", decoded, columns * sizeof(float));
  }
  free(codes);
  free(scales);
  free(importance);
  free(decoded);
  free(weights);
}

// Numbers are multiples of a power of two and stay small, so that sums are exact: a weight between two codes would else move
// all that come after it.
static void try_sweep(vk_level level, size_t rows, size_t width, int has_pattern, int has_grid) {
  const size_t stride = width + 3, lanes = VK_SWEEP_LANES;
  float *const factor = room_for(width * width * sizeof(float)), *const weights = room_for(rows * stride * sizeof(float));
  float *const parts = room_for(3 * 2 * lanes * sizeof(float)), *const errors = room_for(rows * width * sizeof(float));
  uint32_t *const groups = room_for(width * sizeof *groups);
  uint8_t *const mask = random_bytes(rows * stride), *const codes = room_for(rows * stride);
  double losses[VK_SWEEP_LANES] = {0};
  for (size_t i = 0; i < width * width; i++) {
    const size_t kind = random_below(32);
    factor[i] = i % (width + 1) == 0 || kind == 0 ? 1 : kind == 1 ? -1 : 0;
  }
  for (size_t i = 0; i < rows * stride; i++) weights[i] = (float)random_below(511) / 256 - 1;
  for (size_t i = 0; i < 2 * lanes; i++) {
    parts[i] = 1.0f / (float)(4u << random_below(3));
    parts[2 * lanes + i] = (float)random_below(5) - 2;
    parts[4 * lanes + i] = (float)random_below(5) / 16;
  }
  for (size_t i = 0; i < width; i++) groups[i] = i >= width / 2;
  for (size_t i = 0; i < rows * stride; i++) mask[i] = mask[i] < 64;
  const vk_sweep_block block = {
      .factor = factor,
      .stride = width,
      .width = width,
      .kept = has_pattern ? 2 : 0,
      .of = has_pattern ? 4 : 0,
      .groups = has_grid ? groups : NULL,
      .lowest = -8,
      .highest = 7,
      .base = -8,
  };
  const vk_sweep_grid grid = {parts, parts + 2 * lanes, parts + 4 * lanes};
  vk_sweep_rows(level, &block, &grid, rows, weights, has_pattern ? NULL : mask, codes, stride, errors, losses);
  same("errors of a sweep", errors, rows * width * sizeof(float));
  same("losses of a sweep", losses, rows * sizeof(double));
  same("swept weights", weights, rows * stride * sizeof(float));
  if (has_grid) same("swept codes", codes, rows * stride);
  free(codes);
  free(mask);
  free(groups);
  free(errors);
  free(parts);
  free(weights);
  free(factor);
}

void try_formats(vk_level level) {
  for (size_t k = 0; k < length_count; k++) {
    try_rounding(level, lengths[k]);
    for (vk_float_format format = VK_FP8; format <= VK_MXFP4; format++) {
      try_small_floats(level, format, lengths[k]);
    }
  }
  static const size_t sizes[] = {13, 16, 64, 300};
  for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
    for (unsigned bits = 2; bits <= 8; bits++) {
      for (int way = 0; way < 6; way++) try_grid(level, sizes[k], bits, way % 2, way / 2);
    }
  }
  for (size_t rows = 1; rows <= VK_SWEEP_LANES; rows += 5) {
    for (int way = 0; way < 4; way++) try_sweep(level, rows, 64, way % 2, way / 2);
  }
}
