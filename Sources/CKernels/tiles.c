#include "tile_sparse.h"

#include "decode_group.h"
#include "unpack.h"

size_t vk_tile_units(size_t columns) {
  return (columns + VK_UNIT_COLUMNS - 1) / VK_UNIT_COLUMNS;
}

size_t vk_tile_groups(size_t columns, size_t group) {
  return group < VK_UNIT_COLUMNS ? vk_tile_units(columns) * (VK_UNIT_COLUMNS / group)
                                 : columns / group;
}

int vk_tiles_fit(size_t columns, size_t group) {
  if (group == 0 || columns % group != 0) return 0;
  return group == VK_UNIT_COLUMNS / 2 || group % VK_UNIT_COLUMNS == 0;
}

typedef uint8_t vector64 __attribute__((vector_size(VK_VECTOR)));

// Four columns of each of 16 rows side by side; rows and columns beyond the matrix are zeros.
VK_INLINE void gather_vector(const uint8_t *codes, size_t rows, size_t columns, size_t start,
                             vector64 *vector) {
  uint32_t words[VK_TILE_ROWS] = {0};
  if (start + 4 <= columns && rows == VK_TILE_ROWS) {
    for (size_t row = 0; row < VK_TILE_ROWS; row++) {
      words[row] = vk_load_u32(codes + row * columns + start);
    }
  } else if (start < columns) {
    const size_t count = columns - start < 4 ? columns - start : 4;
    for (size_t row = 0; row < rows; row++) memcpy(words + row, codes + row * columns + start, count);
  }
  memcpy(vector, words, sizeof words);
}

VK_INLINE void tile_codes(const uint8_t *codes, size_t rows, size_t columns, unsigned bits,
                          uint8_t *tile) {
  const size_t units = vk_tile_units(columns);
  for (size_t unit = 0; unit < units; unit++) {
    vector64 vectors[VK_VECTORS];
    for (size_t k = 0; k < VK_VECTORS; k++) {
      gather_vector(codes, rows, columns, unit * VK_UNIT_COLUMNS + 4 * k, vectors + k);
    }
    unsigned taken = 0;
    for (unsigned plane = 8; plane > 0; plane /= 2) {
      if (!(bits & plane)) continue;
      for (size_t j = 0; j < plane; j++, tile += VK_VECTOR) {
        vector64 stored = {0};
        for (size_t k = j; k < VK_VECTORS; k += plane) {
          const uint8_t mask = (uint8_t)((1u << plane) - 1);
          stored |= (vectors[k] >> (uint8_t)taken & mask) << (uint8_t)(plane * (k / plane));
        }
        memcpy(tile, &stored, sizeof stored);
      }
      taken += plane;
    }
  }
}

VK_INLINE void vk_tile_codes_body(vk_level level, const uint8_t *codes, size_t rows, size_t columns,
                                  unsigned bits, uint8_t *tile) {
  (void)level;
  // A constant width lets the compiler unroll.
  switch (bits) {
    case 2: tile_codes(codes, rows, columns, 2, tile); break;
    case 3: tile_codes(codes, rows, columns, 3, tile); break;
    case 4: tile_codes(codes, rows, columns, 4, tile); break;
    case 8: tile_codes(codes, rows, columns, 8, tile); break;
    default: tile_codes(codes, rows, columns, bits, tile); break;
  }
}

VK_VARIANTS(void, vk_tile_codes,
            (vk_level level, const uint8_t *codes, size_t rows, size_t columns, unsigned bits,
             uint8_t *tile),
            (level, codes, rows, columns, bits, tile))

// Reads back the codes of one row of a tile; `codes` has room for whole units.
VK_INLINE void untile_codes(const uint8_t *tile, size_t row, size_t columns, unsigned bits,
                            uint8_t *codes) {
  const size_t units = vk_tile_units(columns);
  for (size_t unit = 0; unit < units; unit++, codes += VK_UNIT_COLUMNS) {
    uint32_t words[VK_VECTORS] = {0};
    unsigned taken = 0;
    for (unsigned plane = 8; plane > 0; plane /= 2) {
      if (!(bits & plane)) continue;
      const uint32_t mask = ((1u << plane) - 1) * 0x01010101u;
      for (size_t k = 0; k < VK_VECTORS; k++) {
        const uint32_t stored = vk_load_u32(tile + k % plane * VK_VECTOR + 4 * row);
        words[k] |= (stored >> (plane * (k / plane)) & mask) << taken;
      }
      tile += plane * VK_VECTOR;
      taken += plane;
    }
    memcpy(codes, words, sizeof words);
  }
}

size_t vk_tile_scratch(size_t columns) {
  return (VK_TILE_ROWS + 1) * vk_tile_units(columns) * VK_UNIT_COLUMNS + VK_UNPACK_SLACK;
}

void vk_tile_words(vk_level level, const uint32_t *words, size_t rows, size_t columns, unsigned bits,
                   uint8_t *scratch, uint8_t *tile) {
  const size_t words_a_row = (columns * bits + 31) / 32;
  for (size_t row = 0; row < rows; row++) {
    vk_unpack(level, (const uint8_t *)(words + row * words_a_row), 4 * words_a_row, bits, columns,
              scratch + row * columns);
  }
  vk_tile_codes(level, scratch, rows, columns, bits, tile);
}

// Writes all codes of a sparse tile as one of 8 bits.
VK_INLINE void expand_tile(vk_level level, const vk_tiles *matrix, const vk_tile *tile,
                           uint8_t *expanded) {
  const uint8_t *codes = tile->codes;
  for (size_t unit = 0; unit < vk_tile_units(matrix->columns); unit++) {
    uint8_t zeros[2 * VK_VECTOR];
    vk_zero_codes(matrix, tile, unit, zeros);
    codes = vk_expand_unit(level, codes, matrix->bits, zeros,
                           expanded + unit * VK_VECTORS * VK_VECTOR);
  }
}

// The codes of one row, in scratch memory, with what whole units have besides. Rows of a sparse tile that are read one
// after the other share its expansion.
VK_INLINE const uint8_t *row_codes(vk_level level, const vk_tiles *matrix, size_t row, int is_first,
                                   uint8_t *scratch) {
  const vk_tile tile = vk_tile_at(matrix, row / VK_TILE_ROWS);
  const size_t lane = row % VK_TILE_ROWS, columns = matrix->columns;
  if (!matrix->starts) {
    untile_codes(tile.codes, lane, columns, matrix->bits, scratch);
    return scratch;
  }
  if (is_first || lane == 0) expand_tile(level, matrix, &tile, scratch);
  uint8_t *const codes = scratch + VK_TILE_ROWS * vk_tile_units(columns) * VK_UNIT_COLUMNS;
  untile_codes(scratch, lane, columns, 8, codes);
  return codes;
}

VK_INLINE void vk_tiles_codes_body(vk_level level, const vk_tiles *matrix, size_t first,
                                   size_t count, uint8_t *scratch, uint8_t *codes) {
  for (size_t row = first; row < first + count; row++, codes += matrix->columns) {
    memcpy(codes, row_codes(level, matrix, row, row == first, scratch), matrix->columns);
  }
}

VK_VARIANTS(void, vk_tiles_codes,
            (vk_level level, const vk_tiles *matrix, size_t first, size_t count, uint8_t *scratch,
             uint8_t *codes),
            (level, matrix, first, count, scratch, codes))

VK_INLINE void vk_tiles_decode_body(vk_level level, const vk_tiles *matrix, size_t first,
                                    size_t count, uint8_t *scratch, float *rows) {
  const size_t group = matrix->group, groups = matrix->columns / group;
  for (size_t row = first; row < first + count; row++) {
    const vk_tile tile = vk_tile_at(matrix, row / VK_TILE_ROWS);
    const size_t lane = row % VK_TILE_ROWS;
    const uint8_t *codes = row_codes(level, matrix, row, row == first, scratch);
    for (size_t g = 0; g < groups; g++, rows += group, codes += group) {
      const size_t place = g * VK_TILE_ROWS + lane;
      const float scale = vk_half_of(level, tile.scales + place, matrix->scales_are_bfloat);
      if (tile.minimums) {
        const float minimum = vk_half_of(level, tile.minimums + place, 0);
        vk_decode_group(codes, group, scale, 0.0f, minimum, rows);
      } else {
        const float zero = tile.points ? (float)tile.points[place] : matrix->zero;
        vk_decode_group(codes, group, scale, zero, -0.0f, rows);
      }
    }
  }
}

VK_VARIANTS(void, vk_tiles_decode,
            (vk_level level, const vk_tiles *matrix, size_t first, size_t count, uint8_t *scratch,
             float *rows),
            (level, matrix, first, count, scratch, rows))
