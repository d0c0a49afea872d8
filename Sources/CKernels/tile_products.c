// Products of tiles in plain C, which compilers vectorise over the rows of a tile; with AVX2 for the sums of integers.
#include "tile_sparse.h"

enum { ROWS = VK_TILE_ROWS };

// Adds four columns of each row times four integers.
VK_INLINE void add_vector(const uint8_t *vector, const int8_t *high, const int8_t *low,
                          int32_t *sums) {
  int32_t x[4];
  for (size_t i = 0; i < 4; i++) x[i] = low ? high[i] * 256 + low[i] : high[i];
  for (size_t row = 0; row < ROWS; row++) {
    const uint8_t *const codes = vector + 4 * row;
    sums[row] += codes[0] * x[0] + codes[1] * x[1] + codes[2] * x[2] + codes[3] * x[3];
  }
}

// Adds vectors [from, end) of a unit times one token's unit: one half of them, or all.
VK_INLINE void add_unit(vk_level level, const uint8_t *codes, unsigned bits, size_t from, size_t end,
                        const uint8_t *table, const int8_t *high, const int8_t *low,
                        int32_t *sums) {
#ifdef VK_X86
  if (level != VK_PORTABLE) {
    vk_add_unit_avx2(codes, bits, from, end, table, high, low, sums);
    return;
  }
#endif
  (void)level;
  for (size_t k = from; k < end; k++) {
    uint8_t vector[VK_VECTOR];
    vk_load_vector(codes, bits, k, table, vector);
    add_vector(vector, high + 4 * k, low ? low + 4 * k : NULL, sums);
  }
}

// Adds a group's part to the totals of one token.
VK_INLINE void add_group(vk_level level, const vk_tiles *matrix, const vk_tile *tile, size_t group,
                         const float *sums, float input, float *totals) {
  for (size_t row = 0; row < ROWS; row++) {
    const vk_group_value value = vk_group_value_at(level, matrix, tile, group, row);
    totals[row] += (sums[row] - value.zero * input) * value.scale;
    if (tile->minimums) totals[row] += value.minimum * input;
  }
}

// One tile times token `t` of a block.
VK_INLINE void tile_times(vk_level level, const vk_tiles *matrix, const vk_tile *tile,
                          const vk_tile_inputs *inputs, size_t block, size_t t, float *totals) {
  const size_t units = vk_tile_units(matrix->columns), width = inputs->width;
  const size_t groups = vk_tile_groups(matrix->columns, matrix->group);
  const size_t vectors = matrix->group < VK_UNIT_COLUMNS ? VK_VECTORS / 2 : VK_VECTORS;
  const float *const input_sums = inputs->sums + block * width * groups;
  const uint8_t *codes = tile->codes;
  float sums[ROWS] = {0};
  for (size_t unit = 0; unit < units; unit++) {
    const size_t slot = (block * units + unit) * width + t;
    const int8_t *const high = inputs->high + slot * VK_UNIT_COLUMNS;
    const int8_t *const low = inputs->low ? inputs->low + slot * VK_UNIT_COLUMNS : NULL;
    uint8_t expanded[VK_VECTORS * VK_VECTOR];
    if (matrix->starts) {
      uint8_t zeros[2 * VK_VECTOR];
      vk_zero_codes(matrix, tile, unit, zeros);
      codes = vk_expand_unit(level, codes, matrix->bits, zeros, expanded);
    }
    for (size_t from = 0; from < VK_VECTORS; from += vectors) {
      int32_t integers[ROWS] = {0};
      if (matrix->starts) {
        add_unit(level, expanded, 8, from, from + vectors, NULL, high, low, integers);
      } else {
        add_unit(level, codes, matrix->bits, from, from + vectors, matrix->table, high, low,
                 integers);
      }
      const float step = inputs->steps[slot];
      for (size_t row = 0; row < ROWS; row++) sums[row] += (float)integers[row] * step;
      const size_t end = unit * VK_UNIT_COLUMNS + (from + vectors) * 4;
      if (end % matrix->group == 0) {
        const size_t group = end / matrix->group - 1;
        add_group(level, matrix, tile, group, sums, input_sums[group * width + t], totals);
        memset(sums, 0, sizeof sums);
      }
    }
    if (!matrix->starts) codes += matrix->bits * VK_VECTOR;
  }
}

VK_INLINE void vk_tiles_times_plain_body(vk_level level, const vk_tiles *matrix, size_t first,
                                         size_t count, const vk_tile_inputs *inputs, float *y,
                                         size_t y_stride) {
  for (size_t row = first; row < first + count;) {
    const size_t lane = row % ROWS, left = first + count - row;
    const size_t rows = left < ROWS - lane ? left : ROWS - lane;
    const vk_tile tile = vk_tile_at(matrix, row / ROWS);
    for (size_t token = 0; token < inputs->tokens; token++) {
      float totals[ROWS] = {0};
      tile_times(level, matrix, &tile, inputs, token / inputs->width, token % inputs->width, totals);
      memcpy(y + token * y_stride + (row - first), totals + lane, rows * sizeof(float));
    }
    row += rows;
  }
}

VK_VARIANTS(void, vk_tiles_times_plain,
            (vk_level level, const vk_tiles *matrix, size_t first, size_t count,
             const vk_tile_inputs *inputs, float *y, size_t y_stride),
            (level, matrix, first, count, inputs, y, y_stride))

void vk_tiles_times(vk_level level, const vk_tiles *matrix, size_t first, size_t count,
                    const vk_tile_inputs *inputs, float *y, size_t y_stride) {
  switch (level) {
#ifdef VK_X86
    case VK_AVX512: vk_tiles_times_avx512(matrix, first, count, inputs, y, y_stride); return;
    case VK_AVX2_VNNI: vk_tiles_times_avx2_vnni(matrix, first, count, inputs, y, y_stride); return;
#endif
#ifdef VK_ARM64
    case VK_NEON_I8MM: vk_tiles_times_i8mm(matrix, first, count, inputs, y, y_stride); return;
    case VK_NEON_DOT: vk_tiles_times_dot(matrix, first, count, inputs, y, y_stride); return;
#endif
    default: vk_tiles_times_plain(level, matrix, first, count, inputs, y, y_stride);
  }
}
