// Private: where things lie in tiles.
#ifndef VISE_TILES_H
#define VISE_TILES_H

#include "floats.h"
#include "vk_tiles.h"

enum {
  /// Bytes of a vector, and vectors of a unit.
  VK_VECTOR = 64,
  VK_VECTORS = 8,
  /// Tokens of a block that share the reading of codes, and the least number of tokens to do so.
  VK_TOKENS = 8,
  VK_LEAST_SHARED = 4,
};

/// The bytes of vector k of a unit, row after row: codes, or what the table has for them.
VK_INLINE void vk_load_vector(const uint8_t *codes, unsigned bits, size_t k, const uint8_t *table,
                              uint8_t *vector) {
  memset(vector, 0, VK_VECTOR);
  unsigned taken = 0;
  for (unsigned plane = 8; plane > 0; plane /= 2) {
    if (!(bits & plane)) continue;
    const uint8_t *const stored = codes + k % plane * VK_VECTOR;
    const unsigned from = plane * (unsigned)(k / plane), mask = (1u << plane) - 1;
    for (size_t i = 0; i < VK_VECTOR; i++) {
      vector[i] = (uint8_t)(vector[i] | (stored[i] >> from & mask) << taken);
    }
    codes += plane * VK_VECTOR;
    taken += plane;
  }
  if (table) {
    for (size_t i = 0; i < VK_VECTOR; i++) vector[i] = table[vector[i]];
  }
}

/// One tile's parts; those that the matrix has not are NULL.
typedef struct {
  const uint8_t *codes;
  const uint16_t *scales, *minimums;
  const uint8_t *points, *scale_multiples, *minimum_multiples;
} vk_tile;

VK_INLINE size_t vk_tile_bytes(const vk_tiles *matrix) {
  return vk_tile_units(matrix->columns) * VK_VECTOR * matrix->bits;
}

VK_INLINE vk_tile vk_tile_at(const vk_tiles *matrix, size_t tile) {
  const size_t groups = vk_tile_groups(matrix->columns, matrix->group);
  const size_t group = tile * groups * VK_TILE_ROWS;
  const size_t scale = tile * (groups / matrix->groups_a_scale) * VK_TILE_ROWS;
  return (vk_tile){
      .codes = matrix->codes + (matrix->starts ? matrix->starts[tile] : tile * vk_tile_bytes(matrix)),
      .scales = matrix->scales + scale,
      .minimums = matrix->minimums ? matrix->minimums + scale : NULL,
      .points = matrix->points ? matrix->points + group : NULL,
      .scale_multiples = matrix->scale_multiples ? matrix->scale_multiples + group : NULL,
      .minimum_multiples = matrix->minimum_multiples ? matrix->minimum_multiples + group : NULL,
  };
}

VK_INLINE float vk_half_in(vk_level level, const uint16_t *halves, size_t place, int are_bfloat) {
  if (are_bfloat) return vk_bfloat_to_float(halves[place]);
  return vk_half_at(level, (const uint8_t *)(halves + place));
}

VK_INLINE float vk_multiple_in(const uint8_t *multiples, size_t place, int are_signed) {
  return are_signed ? (float)(int8_t)multiples[place] : (float)multiples[place];
}

/// What a group of one row has beside codes: weights are scale * (code - zero) + minimum.
typedef struct {
  float scale, zero, minimum;
} vk_group_value;

VK_INLINE vk_group_value vk_group_value_at(vk_level level, const vk_tiles *matrix,
                                           const vk_tile *tile, size_t group, size_t row) {
  const size_t place = group * VK_TILE_ROWS + row;
  const size_t shared = group / matrix->groups_a_scale * VK_TILE_ROWS + row;
  vk_group_value value = {
      .scale = vk_half_in(level, tile->scales, shared, matrix->scales_are_bfloat),
      .zero = tile->points ? (float)tile->points[place] : matrix->zero,
  };
  if (tile->scale_multiples) {
    value.scale *= vk_multiple_in(tile->scale_multiples, place, matrix->multiples_are_signed);
  }
  if (!tile->minimums) return value;
  value.minimum = vk_half_in(level, tile->minimums, shared, 0);
  if (tile->minimum_multiples) value.minimum *= vk_multiple_in(tile->minimum_multiples, place, 0);
  return value;
}

/// Products in plain C, and of AVX2.
void vk_tiles_times_plain(vk_level level, const vk_tiles *matrix, size_t first, size_t count,
                          const vk_tile_inputs *inputs, float *y, size_t y_stride);

#ifdef VK_X86
/// Adds vectors [from, end) of a unit times one token's unit to the sums of 16 rows: one half of them, or all.
void vk_add_unit_avx2(const uint8_t *codes, unsigned bits, size_t from, size_t end,
                      const uint8_t *table, const int8_t *high, const int8_t *low, int32_t *sums);
/// Products with AVX-512 and with AVX-VNNI.
void vk_tiles_times_avx512(const vk_tiles *matrix, size_t first, size_t count,
                           const vk_tile_inputs *inputs, float *y, size_t y_stride);
void vk_tiles_times_avx2_vnni(const vk_tiles *matrix, size_t first, size_t count,
                              const vk_tile_inputs *inputs, float *y, size_t y_stride);
#endif

#ifdef VK_ARM64
/// Products with dotprod and with i8mm.
void vk_tiles_times_dot(const vk_tiles *matrix, size_t first, size_t count,
                        const vk_tile_inputs *inputs, float *y, size_t y_stride);
void vk_tiles_times_i8mm(const vk_tiles *matrix, size_t first, size_t count,
                         const vk_tile_inputs *inputs, float *y, size_t y_stride);
#endif

#endif
