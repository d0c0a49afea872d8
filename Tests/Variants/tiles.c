// Products with tiles at every width, kind of zeros, size of groups and number of vectors; tiles written and read back.
#include "vk_conversions.h"
#include "vk_columns.h"
#include "vk_tiles.h"

#include "variants.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void *aligned(const void *bytes, size_t count) {
  void *memory = aligned_alloc(64, (count + 63) / 64 * 64);
  if (!memory) abort();
  if (bytes) memcpy(memory, bytes, count);
  return memory;
}

static float multiple(const uint8_t *multiples, size_t place, int are_signed) {
  return !multiples ? 1 : are_signed ? (float)(int8_t)multiples[place] : (float)multiples[place];
}

// What the products of `count` rows from `first` on add up, without signs: scales and minimums are in F16.
static float *sums_of_sizes(const vk_tiles *matrix, size_t first, size_t count, const float *x, size_t tokens) {
  const size_t columns = matrix->columns, groups = vk_tile_groups(columns, matrix->group);
  uint8_t *const scratch = room_for(vk_tile_scratch(columns)), *const codes = room_for(count * columns);
  float *const sums = room_for(tokens * count * sizeof(float));
  vk_tiles_codes(VK_PORTABLE, matrix, first, count, scratch, codes);
  for (size_t i = 0; i < tokens * count; i++) {
    const size_t row = first + i % count, token = i / count;
    double sum = 0;
    for (size_t column = 0; column < columns; column++) {
      const size_t tile = row / VK_TILE_ROWS, group = column / matrix->group;
      const size_t place = (tile * groups + group) * VK_TILE_ROWS + row % VK_TILE_ROWS;
      const size_t shared = (tile * (groups / matrix->groups_a_scale) + group / matrix->groups_a_scale) * VK_TILE_ROWS +
                            row % VK_TILE_ROWS;
      const uint8_t code = codes[i % count * columns + column];
      const float zero = matrix->points ? matrix->points[place] : matrix->zero;
      float scale, minimum = 0;
      vk_f16_to_f32(VK_PORTABLE, (const uint8_t *)(matrix->scales + shared), &scale, 1);
      if (matrix->minimums) vk_f16_to_f32(VK_PORTABLE, (const uint8_t *)(matrix->minimums + shared), &minimum, 1);
      scale *= multiple(matrix->scale_multiples, place, matrix->multiples_are_signed);
      minimum *= multiple(matrix->minimum_multiples, place, 0);
      // Codes and zero points are added up apart.
      const float value = (float)(matrix->table ? matrix->table[code] : code) + fabsf(zero);
      sum += fabs((double)x[token * columns + column]) * (fabs((double)scale * value) + fabs((double)minimum));
    }
    sums[i] = (float)sum;
  }
  free(codes);
  free(scratch);
  return sums;
}

// The same matrix may come in a second form, whose products are the same to the last bit.
static void try_times(vk_level level, const vk_tiles *matrix, const vk_tiles *second, size_t first, size_t count) {
  static const size_t tokens[] = {1, 3, 4, 11};
  for (size_t k = 0; k < sizeof tokens / sizeof tokens[0]; k++) {
    float *const x = random_floats(tokens[k] * matrix->columns, 1);
    float *const sizes = sums_of_sizes(matrix, first, count, x, tokens[k]);
    for (vk_planes planes = VK_FAST; planes <= VK_EXACT; planes++) {
      const size_t bytes = vk_tile_input_bytes(tokens[k], matrix->columns, matrix->group, planes);
      void *const memory = aligned(NULL, bytes);
      const vk_tile_inputs inputs =
          vk_tiles_lay_out(tokens[k], matrix->columns, matrix->group, planes, memory);
      for (size_t block = 0; block < vk_tile_input_blocks(&inputs); block++) {
        vk_tiles_prepare(level, &inputs, block, x, matrix->columns, matrix->group);
      }
      const size_t places = vk_tile_input_blocks(&inputs) * inputs.width;
      same("rounded inputs", inputs.high, places * vk_tile_units(matrix->columns) * VK_UNIT_COLUMNS);
      float *const y = room_for(tokens[k] * count * sizeof(float));
      vk_tiles_times(level, matrix, first, count, &inputs, y, count);
      near_sums("products of tiles", y, tokens[k] * count, sizes);
      if (second) {
        float *const z = room_for(tokens[k] * count * sizeof(float));
        vk_tiles_times(level, second, first, count, &inputs, z, count);
        if (memcmp(y, z, tokens[k] * count * sizeof(float)) != 0) fail("products of tiles", "another one of the second form", k);
        free(z);
      }
      free(y);
      free(memory);
    }
    free(sizes);
    free(x);
  }
}

enum { ROWS = 35, TILES = 3, ALL_ROWS = TILES * VK_TILE_ROWS };

// Rows of two tiles, as codes and decoded.
static void try_reading(vk_level level, const vk_tiles *matrix) {
  enum { FIRST = 14, COUNT = 5 };
  uint8_t *const scratch = room_for(vk_tile_scratch(matrix->columns));
  uint8_t *const codes = room_for(COUNT * matrix->columns);
  vk_tiles_codes(level, matrix, FIRST, COUNT, scratch, codes);
  same("codes of tiles", codes, COUNT * matrix->columns);
  float *const decoded = room_for(COUNT * matrix->columns * sizeof(float));
  vk_tiles_decode(level, matrix, FIRST, COUNT, scratch, decoded);
  same("decoded tiles", decoded, COUNT * matrix->columns * sizeof(float));
  free(decoded);
  free(codes);
  free(scratch);
}

// A matrix whose codes are mostly those of zero, in tiles with and without these.
static void try_sparse(vk_level level, const vk_tiles *matrix) {
  const size_t columns = matrix->columns, tile_bytes = vk_tile_units(columns) * 64 * matrix->bits;
  const size_t groups = vk_tile_groups(columns, matrix->group);
  uint8_t *const rows = random_bytes(ROWS * columns), *const which = random_bytes(ROWS * columns);
  uint8_t *const codes = aligned(NULL, TILES * tile_bytes);
  for (size_t row = 0; row < ROWS; row++) {
    for (size_t column = 0; column < columns; column++) {
      const size_t group = column / matrix->group + row / VK_TILE_ROWS * groups;
      const uint8_t zero = matrix->points ? matrix->points[group * VK_TILE_ROWS + row % VK_TILE_ROWS]
                                          : (uint8_t)matrix->zero;
      uint8_t *const code = rows + row * columns + column;
      // Of some columns no code is left, and of others each.
      const unsigned most = column % 64 < 8 ? 0 : column % 64 > 55 ? 256 : 128;
      *code = which[row * columns + column] < most ? *code & (uint8_t)((1u << matrix->bits) - 1) : zero;
    }
  }
  uint64_t starts[TILES], end = 0;
  vk_tiles dense = *matrix;
  dense.codes = codes;
  for (size_t tile = 0; tile < TILES; tile++) {
    const size_t first = tile * VK_TILE_ROWS;
    const size_t count = ROWS - first < VK_TILE_ROWS ? ROWS - first : VK_TILE_ROWS;
    vk_tile_codes(level, rows + first * columns, count, columns, matrix->bits, codes + tile * tile_bytes);
    starts[tile] = end;
    end += vk_sparse_tile(level, &dense, tile, NULL);
  }
  uint8_t *const stored = room_for(end + VK_SPARSE_SLACK);
  for (size_t tile = 0; tile < TILES; tile++) vk_sparse_tile(level, &dense, tile, stored + starts[tile]);
  same("sparse tiles", stored, end);
  vk_tiles sparse = dense;
  sparse.codes = stored;
  sparse.starts = starts;
  try_reading(level, &dense);
  try_reading(level, &sparse);
  try_times(level, &sparse, &dense, 3, ROWS - 4);
  uint8_t *const scratch = room_for(vk_tile_scratch(columns)), *const found = room_for(ROWS * columns);
  vk_tiles_codes(level, &sparse, 0, ROWS, scratch, found);
  if (memcmp(found, rows, ROWS * columns) != 0) fail("codes of sparse tiles", "another code", 0);
  free(found);
  free(scratch);
  free(stored);
  free(codes);
  free(which);
  free(rows);
}

// The same codes column by column, times what thresholds leave of a vector.
static void try_columns_of(vk_level level, const vk_tiles *matrix) {
  const size_t blocks = vk_column_blocks(matrix), bytes = vk_column_bytes(matrix);
  uint8_t *const columns = aligned(NULL, blocks * bytes);
  for (size_t block = 0; block < blocks; block++) {
    vk_columns_lay_out(level, matrix, block, columns + block * bytes);
  }
  same("columns", columns, blocks * bytes);
  float *const x = random_floats(matrix->columns, 1);
  float *const sizes = sums_of_sizes(matrix, 0, matrix->rows, x, 1);
  float *const y = room_for(matrix->rows * sizeof(float));
  for (vk_planes planes = VK_FAST; planes <= VK_EXACT; planes++) {
    void *const memory = aligned(NULL, vk_active_bytes(matrix->columns, matrix->group, planes));
    for (float threshold = 0; threshold < 1; threshold += 0.4f) {
      const vk_active_inputs inputs = vk_active_gather(level, x, matrix->columns, matrix->group,
                                                       threshold, planes, memory);
      vk_columns_times(level, matrix, columns, 0, blocks, &inputs, y);
      near_sums("products of columns", y, matrix->rows, sizes);
    }
    free(memory);
  }
  free(y);
  free(sizes);
  free(x);
  free(columns);
}

static void try_tiles_of(vk_level level, const vk_tiles *matrix) {
  try_reading(level, matrix);
  try_times(level, matrix, NULL, 3, ROWS - 4);
  if (vk_tiles_can_be_sparse(matrix)) try_sparse(level, matrix);
}

static void try_blocks_of(vk_level level, const vk_tiles *matrix) { try_times(level, matrix, NULL, 2, ROWS - 2); }

typedef void (*check)(vk_level, const vk_tiles *);

// A matrix whose tiles are written by the level's own functions.
static void try_integers(vk_level level, size_t columns, size_t group, unsigned bits, int zeros, check try) {
  const size_t units = vk_tile_units(columns), groups = vk_tile_groups(columns, group);
  const size_t tile_bytes = units * 64 * bits, words = (columns * bits + 31) / 32;
  uint8_t *const codes = aligned(NULL, TILES * tile_bytes);
  uint8_t *const scratch = room_for(vk_tile_scratch(columns));
  uint8_t *const rows = random_bytes(ROWS * words * 4);
  for (size_t tile = 0; tile < TILES; tile++) {
    const size_t first = tile * VK_TILE_ROWS;
    const size_t count = ROWS - first < VK_TILE_ROWS ? ROWS - first : VK_TILE_ROWS;
    vk_tile_words(level, (const uint32_t *)(const void *)rows + first * words, count, columns, bits,
                  scratch, codes + tile * tile_bytes);
  }
  same("tiles of words", codes, TILES * tile_bytes);
  uint16_t *const scales = random_halves(ALL_ROWS * groups);
  uint16_t *const minimums = random_halves(ALL_ROWS * groups);
  uint8_t *const points = random_bytes(ALL_ROWS * groups);
  for (size_t i = 0; i < ALL_ROWS * groups; i++) points[i] &= (uint8_t)((1u << bits) - 1);
  const vk_tiles matrix = {
      .codes = codes,
      .scales = scales,
      .minimums = zeros == 2 ? minimums : NULL,
      .points = zeros == 1 ? points : NULL,
      .rows = ROWS,
      .columns = columns,
      .group = group,
      .groups_a_scale = 1,
      .bits = bits,
      .zero = zeros == 0 ? (float)(1u << (bits - 1)) : 0,
  };
  try(level, &matrix);
  free(points);
  free(minimums);
  free(scales);
  free(rows);
  free(scratch);
  free(codes);
}

static void try_block_type(vk_level level, vk_block_type type, check try) {
  vk_tile_kind kind;
  if (!vk_tile_block_kind(type, &kind)) return;
  const vk_block_shape shape = vk_shape_of(type);
  const size_t width = (size_t)shape.group * shape.groups, columns = 3 * width;
  const size_t bytes = 3 * shape.bytes, groups = columns / kind.group, scales = groups / kind.groups_a_scale;
  const size_t tile_bytes = vk_tile_units(columns) * 64 * kind.bits;
  uint8_t *const codes = aligned(NULL, TILES * tile_bytes);
  uint8_t *const scratch = room_for(vk_tile_scratch(columns));
  uint8_t *const rows = random_bytes(ROWS * bytes);
  uint16_t *const all = calloc(2 * ALL_ROWS * scales, sizeof(uint16_t));
  uint8_t *const multiples = calloc(2 * ALL_ROWS, groups);
  if (!all || !multiples) abort();
  for (size_t tile = 0; tile < TILES; tile++) {
    const uint8_t *pointers[VK_TILE_ROWS];
    const size_t first = tile * VK_TILE_ROWS;
    const size_t count = ROWS - first < VK_TILE_ROWS ? ROWS - first : VK_TILE_ROWS;
    for (size_t i = 0; i < count; i++) pointers[i] = rows + (first + i) * bytes;
    const vk_tile_destination to = {
        .codes = codes + tile * tile_bytes,
        .scales = all + first * scales,
        .minimums = kind.has_minimums ? all + (ALL_ROWS + first) * scales : NULL,
        .scale_multiples = kind.has_multiples ? multiples + first * groups : NULL,
        .minimum_multiples =
            kind.has_multiples && kind.has_minimums ? multiples + (ALL_ROWS + first) * groups : NULL,
    };
    vk_tile_blocks(level, type, pointers, count, columns, scratch, &to);
  }
  same("tiles of blocks", codes, TILES * tile_bytes);
  same("scales of blocks", all, 2 * ALL_ROWS * scales * sizeof(uint16_t));
  same("multiples of blocks", multiples, 2 * ALL_ROWS * groups);
  uint16_t *const halves = random_halves(2 * ALL_ROWS * scales);
  const vk_tiles matrix = {
      .codes = codes,
      .scales = halves,
      .minimums = kind.has_minimums ? halves + ALL_ROWS * scales : NULL,
      .scale_multiples = kind.has_multiples ? multiples : NULL,
      .minimum_multiples =
          kind.has_multiples && kind.has_minimums ? multiples + ALL_ROWS * groups : NULL,
      .table = kind.table,
      .rows = ROWS,
      .columns = columns,
      .group = kind.group,
      .groups_a_scale = kind.groups_a_scale,
      .bits = kind.bits,
      .zero = kind.zero,
      .multiples_are_signed = kind.multiples_are_signed,
  };
  try(level, &matrix);
  free(halves);
  free(multiples);
  free(all);
  free(rows);
  free(scratch);
  free(codes);
}

static void try_all(vk_level level, check integers, check blocks) {
  // Halves of units, units, several, whole rows; last units that are half empty.
  static const size_t shapes[][2] = {{64, 64},  {576, 64}, {160, 32}, {48, 16},  {16, 16},
                                     {256, 16}, {192, 96}, {256, 128}, {288, 288}};
  for (size_t shape = 0; shape < sizeof shapes / sizeof shapes[0]; shape++) {
    for (unsigned bits = 1; bits <= 8; bits++) {
      for (int zeros = 0; zeros < 3; zeros++) {
        try_integers(level, shapes[shape][0], shapes[shape][1], bits, zeros, integers);
      }
    }
  }
#define TRY(name, ...) try_block_type(level, name, blocks);
  VK_BLOCK_TYPES(TRY)
#undef TRY
}

void try_tiles(vk_level level) { try_all(level, try_tiles_of, try_blocks_of); }

void try_columns(vk_level level) { try_all(level, try_columns_of, try_columns_of); }
