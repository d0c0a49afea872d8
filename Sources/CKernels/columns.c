// Codes column by column: how they are laid out, and products in plain C.
#include "columns.h"

#include "tile_sparse.h"

size_t vk_column_rows(const vk_tiles *matrix) { return vk_column_parts(matrix) * VK_COLUMN; }

size_t vk_column_blocks(const vk_tiles *matrix) {
  const size_t rows = vk_column_rows(matrix);
  return (matrix->rows + rows - 1) / rows;
}

size_t vk_column_bytes(const vk_tiles *matrix) { return matrix->columns * VK_COLUMN; }

// Writes four columns of one tile's rows, of which `end` there are; `shift` is 4 for the upper half of bytes.
VK_INLINE void lay_vector_out(const uint8_t *vector, size_t tile, size_t end, unsigned shift,
                              uint8_t *columns) {
  for (size_t column = 0; column < end; column++, columns += VK_COLUMN) {
    for (size_t row = 0; row < VK_TILE_ROWS; row++) {
      uint8_t *const to = columns + vk_column_place(tile, row);
      const uint8_t code = vector[row * 4 + column];
      *to = shift ? (uint8_t)(*to | code << shift) : code;
    }
  }
}

VK_INLINE void vk_columns_lay_out_body(vk_level level, const vk_tiles *matrix, size_t block,
                                       uint8_t *columns) {
  const size_t parts = vk_column_parts(matrix), units = vk_tile_units(matrix->columns);
  const size_t tiles = (matrix->rows + VK_TILE_ROWS - 1) / VK_TILE_ROWS;
  memset(columns, 0, vk_column_bytes(matrix));
  for (size_t place = 0; place < parts * VK_COLUMN_TILES; place++) {
    const size_t index = block * parts * VK_COLUMN_TILES + place;
    if (index >= tiles) return;
    const vk_tile tile = vk_tile_at(matrix, index);
    const unsigned shift = place < VK_COLUMN_TILES ? 0 : 4;
    const uint8_t *codes = tile.codes;
    for (size_t unit = 0; unit < units; unit++) {
      uint8_t expanded[VK_VECTORS * VK_VECTOR];
      if (matrix->starts) {
        uint8_t zeros[2 * VK_VECTOR];
        vk_zero_codes(matrix, &tile, unit, zeros);
        codes = vk_expand_unit(level, codes, matrix->bits, zeros, expanded);
      }
      for (size_t k = 0; k < VK_VECTORS; k++) {
        const size_t column = unit * VK_UNIT_COLUMNS + 4 * k;
        if (column >= matrix->columns) break;
        const size_t left = matrix->columns - column;
        uint8_t vector[VK_VECTOR];
        if (!matrix->starts) vk_load_vector(codes, matrix->bits, k, NULL, vector);
        lay_vector_out(matrix->starts ? expanded + k * VK_VECTOR : vector, place,
                       left < 4 ? left : 4, shift, columns + column * VK_COLUMN);
      }
      if (!matrix->starts) codes += matrix->bits * VK_VECTOR;
    }
  }
}

VK_VARIANTS(void, vk_columns_lay_out,
            (vk_level level, const vk_tiles *matrix, size_t block, uint8_t *columns),
            (level, matrix, block, columns))

// The sums of one row's codes times the integers of a span, in units of its step.
static int32_t span_sum(const vk_tiles *matrix, const uint8_t *columns, size_t byte, unsigned shift,
                        const vk_active_inputs *inputs, size_t from, size_t to) {
  int32_t sum = 0;
  for (size_t i = from * VK_FOUR; i < to * VK_FOUR; i++) {
    unsigned code = columns[(size_t)inputs->columns[i] * VK_COLUMN + byte];
    if (matrix->bits <= 4) code = code >> shift & 15;
    if (matrix->table) code = matrix->table[code];
    sum += (int32_t)code * (inputs->low ? inputs->high[i] * 256 + inputs->low[i] : inputs->high[i]);
  }
  return sum;
}

static float row_times(const vk_tiles *matrix, const uint8_t *columns, size_t row,
                       const vk_active_inputs *inputs) {
  const size_t span = vk_active_span(matrix->group), lane = row % VK_TILE_ROWS;
  const vk_tile tile = vk_tile_at(matrix, row / VK_TILE_ROWS);
  const size_t place = row % vk_column_rows(matrix) / VK_TILE_ROWS;
  const unsigned shift = place < VK_COLUMN_TILES ? 0 : 4;
  float total = 0, sum = 0;
  for (size_t s = 0; s < inputs->spans; s++) {
    const size_t from = s > 0 ? inputs->ends[s - 1] : 0;
    sum += (float)span_sum(matrix, columns, vk_column_place(place, lane), shift, inputs, from,
                           inputs->ends[s]) *
           inputs->steps[s];
    const size_t end = (s + 1) * span;
    if (end % matrix->group != 0 && s + 1 < inputs->spans) continue;
    const size_t group = s * span / matrix->group;
    const vk_group_value value = vk_group_value_at(VK_PORTABLE, matrix, &tile, group, lane);
    total += (sum - value.zero * inputs->sums[group]) * value.scale;
    if (tile.minimums) total += value.minimum * inputs->sums[group];
    sum = 0;
  }
  return total;
}

void vk_columns_times(vk_level level, const vk_tiles *matrix, const uint8_t *columns, size_t first,
                      size_t count, const vk_active_inputs *inputs, float *y) {
#ifdef VK_X86
  if (level == VK_AVX512) {
    vk_columns_times_avx512(matrix, columns, first, count, inputs, y);
    return;
  }
#endif
  (void)level;
  const size_t rows = vk_column_rows(matrix), start = first * rows;
  for (size_t row = start; row < start + count * rows && row < matrix->rows; row++) {
    y[row - start] = row_times(matrix, columns + row / rows * vk_column_bytes(matrix), row, inputs);
  }
}
