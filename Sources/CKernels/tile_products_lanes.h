// Private: products of tiles for instructions that multiply four bytes of a lane with four others and add up the products.
//
// Each lane of a register belongs to a row, so that nothing is summed across lanes. A file that includes this has defined:
//
//   LANES          rows of a register; a tile takes PARTS of them
//   TARGET         the attribute of functions that use the instructions
//   look_up        codes of 4 bits replaced by what they stand for in a table of 16 bytes
//   OFFSET         what tile_groups.h needs
//   TOKENS_A_STEP  tokens that `multiply` takes at a time when many share the reading of codes
//   arrange        brings a unit's codes into the order in which `multiply` wants them for such steps
//   multiply       the sums of vectors [from, to) of a unit, one half or all, times the bytes of some tokens
//   LEVEL, EXPAND  what tile_units.h needs
#include "tile_groups.h"
#include "tile_units.h"
#include "vk_scratch.h"

// Where a block of tokens stands in a row.
typedef struct {
  const uint8_t *codes;
  const int8_t *high, *low;
  const float *steps, *sums;
} cursor;

// Vectors [from, to) times tokens [t, t + count), in units of their steps: added to their sums, or as these.
TARGET VK_INLINE void sum_products(const codes *vectors, size_t from, size_t to, const cursor *at,
                                   size_t t, size_t count, int is_wide, int is_exact, int adds,
                                   floats *sums) {
#pragma clang fp contract(fast)
  integers found[TOKENS_A_STEP], rest[TOKENS_A_STEP];
  multiply(vectors, from, to, at->high + t * VK_UNIT_COLUMNS, count, is_wide, found);
  if (is_exact) multiply(vectors, from, to, at->low + t * VK_UNIT_COLUMNS, count, is_wide, rest);
  for (size_t i = 0; i < count; i++) {
    const integers all = is_exact ? (found[i] << 8) + rest[i] : found[i];
    const floats product = __builtin_convertvector(all, floats) * at->steps[t + i];
    sums[t + i] = adds ? sums[t + i] + product : product;
  }
}

// Adds a group's part to the totals of a block of tokens.
TARGET VK_INLINE void add_group(const group_values *values, const floats *sums,
                                const float *input_sums, size_t width, int has_minimums,
                                floats *totals) {
#pragma clang fp contract(fast)
  for (size_t t = 0; t < width; t++) {
    const floats sum = sums[t] - values->zero * input_sums[t];
    totals[t] += sum * values->scale;
    if (has_minimums) totals[t] += values->minimum * input_sums[t];
  }
}

// How tiles hold their codes: all, those that are not zero, or all of a sparse one, a byte each.
typedef enum { DENSE, SPARSE, EXPANDED } form;

// How a matrix multiplies: constants where functions are called, but for the bits of some sparse tiles.
typedef struct {
  unsigned bits;
  size_t width;
  int is_exact;
  form form;
} way;

// One tile times one block of tokens.
TARGET VK_INLINE void tile_times(const vk_tiles *matrix, const vk_tile *tile, cursor at,
                                 const way how, floats totals[PARTS][VK_TOKENS]) {
  const unsigned bits = how.bits;
  const size_t width = how.width;
  const int is_exact = how.is_exact;
  const size_t units = vk_tile_units(matrix->columns), step = width == 1 ? 1 : TOKENS_A_STEP;
  const int is_half = matrix->group < VK_UNIT_COLUMNS;
  const int is_sparse = how.form == SPARSE;
  const int has_table = how.form == DENSE && bits == 4 && matrix->table;
  // Narrow codes that lie in bytes are as narrow as before.
  const int is_wide = how.form == EXPANDED ? matrix->bits == 8 : bits == 8 || has_table;
  const int has_minimums = tile->minimums != NULL;
  const size_t units_a_group = is_half ? 1 : matrix->group / VK_UNIT_COLUMNS;
  for (size_t p = 0; p < PARTS; p++) {
    for (size_t t = 0; t < width; t++) totals[p][t] = (floats){0};
  }
  for (size_t unit = 0, group = 0; unit < units; group++) {
    floats sums[PARTS][VK_TOKENS], second[PARTS][VK_TOKENS];
    for (size_t p = 0; p < PARTS; p++) {
      for (size_t t = 0; t < width; t++) sums[p][t] = (floats){0};
    }
    codes zeros[2][PARTS];
    if (is_sparse) load_zeros(matrix, tile, group, zeros);
    for (const size_t end = unit + units_a_group; unit < end; unit++) {
      codes expanded[PARTS][VK_VECTORS];
      const uint8_t *const next = is_sparse ? expand_unit(at.codes, bits, zeros, expanded)
                                            : at.codes + bits * VK_VECTOR;
      if (width == 1) fetch_ahead(at.codes, next);
#pragma clang loop unroll(full)
      for (size_t p = 0; p < PARTS; p++) {
        codes vectors[VK_VECTORS];
        if (is_sparse) {
          memcpy(vectors, expanded[p], sizeof vectors);
        } else {
          load_unit(at.codes + p * sizeof(codes), dense_starts, bits, vectors);
        }
        if (has_table) look_up(matrix->table, vectors);
        if (width > 1) arrange(vectors);
#pragma clang loop unroll(full)
        for (size_t t = 0; t < width; t += step) {
          if (is_half) {
            sum_products(vectors, 0, HALF, &at, t, step, is_wide, is_exact, 0, sums[p]);
            sum_products(vectors, HALF, VK_VECTORS, &at, t, step, is_wide, is_exact, 0, second[p]);
          } else {
            sum_products(vectors, 0, VK_VECTORS, &at, t, step, is_wide, is_exact, 1, sums[p]);
          }
        }
      }
      at.codes = next;
      at.high += width * VK_UNIT_COLUMNS;
      if (is_exact) at.low += width * VK_UNIT_COLUMNS;
      at.steps += width;
    }
    for (size_t p = 0; p < PARTS; p++) {
      group_values values;
      load_group(matrix, tile, group, p, is_wide, &values);
      add_group(&values, sums[p], at.sums, width, has_minimums, totals[p]);
      if (is_half) {
        load_group(matrix, tile, group + 1, p, is_wide, &values);
        add_group(&values, second[p], at.sums + width, width, has_minimums, totals[p]);
      }
    }
    at.sums += is_half ? 2 * width : width;
    if (is_half) group++;
  }
}

// Writes what lies in the wanted rows: lanes [first, end), of which lane `first` goes to y.
TARGET VK_INLINE void store_lanes(floats totals[PARTS][VK_TOKENS], size_t t, size_t first,
                                  size_t end, float *y) {
  float lanes[VK_TILE_ROWS];
  for (size_t p = 0; p < PARTS; p++) memcpy(lanes + p * LANES, &totals[p][t], sizeof(floats));
  if (first == 0 && end == VK_TILE_ROWS) {
    memcpy(y, lanes, sizeof lanes);
  } else {
    memcpy(y, lanes + first, (end - first) * sizeof(float));
  }
}

// Some tiles times blocks [from, to) of tokens.
TARGET VK_INLINE void blocks_times(const vk_tiles *matrix, size_t first, size_t count,
                                   const vk_tile_inputs *inputs, size_t from, size_t to, float *y,
                                   size_t y_stride, const way how) {
  const size_t units = vk_tile_units(matrix->columns), width = how.width;
  const size_t groups = vk_tile_groups(matrix->columns, matrix->group);
  for (size_t row = first; row < first + count;) {
    const size_t lane = row % VK_TILE_ROWS, left = first + count - row;
    const size_t end = lane + left < VK_TILE_ROWS ? lane + left : VK_TILE_ROWS;
    vk_tile tile = vk_tile_at(matrix, row / VK_TILE_ROWS);
    // Codes that multiply with several blocks are spread out once.
    uint8_t *const expanded =
        how.form == SPARSE && to - from > 1
            ? (uint8_t *)vk_scratch(VK_TILE_SCRATCH, units * VK_VECTORS * VK_VECTOR / sizeof(float))
            : NULL;
    if (expanded) {
      expand_tile(matrix, &tile, how.bits, expanded);
      tile.codes = expanded;
    }
    for (size_t block = from; block < to; block++) {
      const size_t start = block * width * units;
      const cursor at = {
          .codes = tile.codes,
          .high = inputs->high + start * VK_UNIT_COLUMNS,
          .low = how.is_exact ? inputs->low + start * VK_UNIT_COLUMNS : NULL,
          .steps = inputs->steps + start,
          .sums = inputs->sums + block * width * groups,
      };
      floats totals[PARTS][VK_TOKENS];
      if (expanded) {
        tile_times(matrix, &tile, at, (way){8, width, how.is_exact, EXPANDED}, totals);
      } else {
        tile_times(matrix, &tile, at, how, totals);
      }
      for (size_t t = 0; t < width; t++) {
        const size_t token = block * width + t;
        if (token >= inputs->tokens) break;
        store_lanes(totals, t, lane, end, y + token * y_stride + (row - first));
      }
    }
    row += end - lane;
  }
}

// So many rows at a time that their codes stay in a processor's cache, and so many tokens that theirs do.
enum { ROWS_A_RUN = 8 * VK_TILE_ROWS, BYTES_A_RUN = 256 * 1024 };

TARGET VK_INLINE void rows_times(const vk_tiles *matrix, size_t first, size_t count,
                                 const vk_tile_inputs *inputs, float *y, size_t y_stride,
                                 const way how) {
  const size_t blocks = vk_tile_input_blocks(inputs);
  const size_t block_bytes = how.width * vk_tile_units(matrix->columns) * VK_UNIT_COLUMNS;
  const size_t run = BYTES_A_RUN / (block_bytes * (how.is_exact ? 2 : 1)) + 1;
  if (run >= blocks) {
    blocks_times(matrix, first, count, inputs, 0, blocks, y, y_stride, how);
    return;
  }
  for (size_t done = 0; done < count; done += ROWS_A_RUN) {
    const size_t rows = count - done < ROWS_A_RUN ? count - done : ROWS_A_RUN;
    for (size_t block = 0; block < blocks; block += run) {
      const size_t end = block + run < blocks ? block + run : blocks;
      blocks_times(matrix, first + done, rows, inputs, block, end, y + done, y_stride, how);
    }
  }
}

#define ROWS_TIMES(bits, width, form)                                                     \
  if (inputs->low) {                                                                      \
    rows_times(matrix, first, count, inputs, y, y_stride, (way){bits, width, 1, form});   \
  } else {                                                                                \
    rows_times(matrix, first, count, inputs, y, y_stride, (way){bits, width, 0, form});   \
  }

#define TIMES(name, bits, form)                                                           \
  TARGET static void name(const vk_tiles *matrix, size_t first, size_t count,             \
                          const vk_tile_inputs *inputs, float *y, size_t y_stride) {      \
    if (inputs->width == 1) {                                                             \
      ROWS_TIMES(bits, 1, form)                                                           \
    } else {                                                                              \
      ROWS_TIMES(bits, VK_TOKENS, form)                                                   \
    }                                                                                     \
  }

// A function for each width of codes.
TIMES(times_1, 1, DENSE)
TIMES(times_2, 2, DENSE)
TIMES(times_3, 3, DENSE)
TIMES(times_4, 4, DENSE)
TIMES(times_5, 5, DENSE)
TIMES(times_6, 6, DENSE)
TIMES(times_7, 7, DENSE)
TIMES(times_8, 8, DENSE)

#ifdef EXPAND
TIMES(sparse_4, 4, SPARSE)
TIMES(sparse_5, 5, SPARSE)
TIMES(sparse_6, 6, SPARSE)
TIMES(sparse_8, 8, SPARSE)
#endif
TIMES(sparse_any, matrix->bits, SPARSE)

TARGET static void sparse_times(const vk_tiles *matrix, size_t first, size_t count,
                                const vk_tile_inputs *inputs, float *y, size_t y_stride) {
  switch (matrix->bits) {
#ifdef EXPAND
    case 4: sparse_4(matrix, first, count, inputs, y, y_stride); break;
    case 5: sparse_5(matrix, first, count, inputs, y, y_stride); break;
    case 6: sparse_6(matrix, first, count, inputs, y, y_stride); break;
    case 8: sparse_8(matrix, first, count, inputs, y, y_stride); break;
#endif
    default: sparse_any(matrix, first, count, inputs, y, y_stride); break;
  }
}

TARGET static void times(const vk_tiles *matrix, size_t first, size_t count,
                         const vk_tile_inputs *inputs, float *y, size_t y_stride) {
  if (matrix->starts) {
    sparse_times(matrix, first, count, inputs, y, y_stride);
    return;
  }
  switch (matrix->bits) {
    case 1: times_1(matrix, first, count, inputs, y, y_stride); break;
    case 2: times_2(matrix, first, count, inputs, y, y_stride); break;
    case 3: times_3(matrix, first, count, inputs, y, y_stride); break;
    case 4: times_4(matrix, first, count, inputs, y, y_stride); break;
    case 5: times_5(matrix, first, count, inputs, y, y_stride); break;
    case 6: times_6(matrix, first, count, inputs, y, y_stride); break;
    case 7: times_7(matrix, first, count, inputs, y, y_stride); break;
    default: times_8(matrix, first, count, inputs, y, y_stride); break;
  }
}
