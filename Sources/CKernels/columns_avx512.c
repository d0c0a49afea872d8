// Products with codes that lie column by column, with AVX-512 VNNI.
#include "columns.h"

#ifdef VK_X86
#include <immintrin.h>

#define LANES 16
#define TARGET VK_TARGET_AVX512
#define OFFSET(is_wide) ((void)(is_wide), 0)
#include "tile_lanes.h"
#include "tile_groups.h"

enum {
  TILES = VK_COLUMN_TILES,
  /// Fours ahead of which columns are fetched: some 8 KB.
  FOURS_AHEAD = 32,
};

// How a matrix multiplies: constants where functions are called.
typedef struct {
  size_t parts;
  int is_exact, has_table;
} way;

// Where a block's columns begin, and those of the block that comes next; NULL for none.
typedef struct {
  const uint8_t *columns, *next;
} block_place;

// Fetches four columns.
TARGET VK_INLINE void fetch_four(const block_place *at, const vk_active_inputs *inputs, size_t four) {
  const uint8_t *columns = at->columns;
  if (four >= inputs->fours) {
    columns = at->next;
    four -= inputs->fours;
    if (!columns || four >= inputs->fours) return;
  }
  for (size_t i = 0; i < VK_FOUR; i++) {
    const size_t column = inputs->columns[four * VK_FOUR + i];
    _mm_prefetch((const char *)(columns + column * VK_COLUMN), _MM_HINT_T0);
  }
}

// Four codes of a row side by side.
TARGET VK_INLINE void interleave(const __m512i columns[VK_FOUR], __m512i rows[TILES]) {
  const __m512i pairs[4] = {_mm512_unpacklo_epi8(columns[0], columns[1]),
                            _mm512_unpacklo_epi8(columns[2], columns[3]),
                            _mm512_unpackhi_epi8(columns[0], columns[1]),
                            _mm512_unpackhi_epi8(columns[2], columns[3])};
  rows[0] = _mm512_unpacklo_epi16(pairs[0], pairs[1]);
  rows[1] = _mm512_unpackhi_epi16(pairs[0], pairs[1]);
  rows[2] = _mm512_unpacklo_epi16(pairs[2], pairs[3]);
  rows[3] = _mm512_unpackhi_epi16(pairs[2], pairs[3]);
}

// One half of the bytes of four columns, or all.
TARGET VK_INLINE void load_part(const __m512i columns[VK_FOUR], size_t part, __m512i levels,
                                const way how, __m512i codes[VK_FOUR]) {
#pragma clang loop unroll(full)
  for (size_t i = 0; i < VK_FOUR; i++) {
    codes[i] = columns[i];
    if (part > 0) codes[i] = _mm512_srli_epi16(codes[i], 4);
    if (how.parts > 1) codes[i] = _mm512_and_si512(codes[i], _mm512_set1_epi8(15));
    if (how.has_table) codes[i] = _mm512_shuffle_epi8(levels, codes[i]);
  }
}

// Adds a span: to `high` and `low` the products with the bytes of inputs.
TARGET VK_INLINE void add_fours(const block_place *at, const vk_active_inputs *inputs, size_t from,
                                size_t to, __m512i levels, const way how,
                                __m512i high[2][TILES], __m512i low[2][TILES]) {
  for (size_t four = from; four < to; four++) {
    const uint32_t *const places = inputs->columns + four * VK_FOUR;
    fetch_four(at, inputs, four + FOURS_AHEAD);
    __m512i columns[VK_FOUR];
#pragma clang loop unroll(full)
    for (size_t i = 0; i < VK_FOUR; i++) {
      columns[i] = _mm512_load_si512(at->columns + (size_t)places[i] * VK_COLUMN);
    }
    int32_t upper, lower = 0;
    memcpy(&upper, inputs->high + four * VK_FOUR, sizeof upper);
    if (how.is_exact) memcpy(&lower, inputs->low + four * VK_FOUR, sizeof lower);
#pragma clang loop unroll(full)
    for (size_t part = 0; part < how.parts; part++) {
      __m512i codes[VK_FOUR], rows[TILES];
      load_part(columns, part, levels, how, codes);
      interleave(codes, rows);
#pragma clang loop unroll(full)
      for (size_t i = 0; i < TILES; i++) {
        high[part][i] = _mm512_dpbusd_epi32(high[part][i], rows[i], _mm512_set1_epi32(upper));
        if (how.is_exact) {
          low[part][i] = _mm512_dpbusd_epi32(low[part][i], rows[i], _mm512_set1_epi32(lower));
        }
      }
    }
  }
}

// Adds a group's part to the totals of 16 rows.
TARGET VK_INLINE floats group_total(const vk_tiles *matrix, const vk_tile *tile, size_t group,
                                    floats sums, float input_sum) {
#pragma clang fp contract(fast)
  group_values values;
  load_group(matrix, tile, group, 0, 0, &values);
  floats total = (sums - values.zero * input_sum) * values.scale;
  if (tile->minimums) total += values.minimum * input_sum;
  return total;
}

TARGET VK_INLINE void block_times(const vk_tiles *matrix, size_t block, block_place at,
                                  const vk_active_inputs *inputs, const way how, float *y) {
  const size_t tiles = (matrix->rows + VK_TILE_ROWS - 1) / VK_TILE_ROWS;
  const size_t most = how.parts * TILES, first = block * most;
  const size_t count = tiles - first < most ? tiles - first : most;
  const size_t span = vk_active_span(matrix->group);
  const __m512i levels =
      how.has_table ? _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)matrix->table))
                    : _mm512_setzero_si512();
  floats totals[2 * TILES] = {{0}}, sums[2 * TILES] = {{0}};
  for (size_t s = 0; s < inputs->spans; s++) {
    const size_t from = s > 0 ? inputs->ends[s - 1] : 0, to = inputs->ends[s];
    __m512i high[2][TILES] = {{{0}}}, low[2][TILES] = {{{0}}};
    add_fours(&at, inputs, from, to, levels, how, high, low);
#pragma clang loop unroll(full)
    for (size_t i = 0; i < how.parts * TILES; i++) {
      const __m512i found = high[i / TILES][i % TILES], rest = low[i / TILES][i % TILES];
      const __m512i all = how.is_exact ? _mm512_add_epi32(_mm512_slli_epi32(found, 8), rest) : found;
      sums[i] += (floats)_mm512_cvtepi32_ps(all) * inputs->steps[s];
    }
    if ((s + 1) * span % matrix->group != 0 && s + 1 < inputs->spans) continue;
    const size_t group = s * span / matrix->group;
    for (size_t i = 0; i < count; i++) {
      const vk_tile tile = vk_tile_at(matrix, first + i);
      totals[i] += group_total(matrix, &tile, group, sums[i], inputs->sums[group]);
    }
    memset(sums, 0, sizeof sums);
  }
  const size_t rows = matrix->rows - first * VK_TILE_ROWS;
  memcpy(y, totals, (rows < count * VK_TILE_ROWS ? rows : count * VK_TILE_ROWS) * sizeof(float));
}

#define BLOCKS(name, parts, is_exact, has_table)                                            \
  TARGET static void name(const vk_tiles *matrix, size_t block, block_place at,             \
                          const vk_active_inputs *inputs, float *y) {                       \
    block_times(matrix, block, at, inputs, (way){parts, is_exact, has_table}, y);           \
  }

BLOCKS(bytes_fast, 1, 0, 0)
BLOCKS(bytes_exact, 1, 1, 0)
BLOCKS(nibbles_fast, 2, 0, 0)
BLOCKS(nibbles_exact, 2, 1, 0)
BLOCKS(table_fast, 2, 0, 1)
BLOCKS(table_exact, 2, 1, 1)

void vk_columns_times_avx512(const vk_tiles *matrix, const uint8_t *columns, size_t first,
                             size_t count, const vk_active_inputs *inputs, float *y) {
  const size_t bytes = vk_column_bytes(matrix), rows = vk_column_rows(matrix);
  const int is_exact = inputs->low != NULL;
  for (size_t block = first; block < first + count; block++, y += rows) {
    const block_place at = {columns + block * bytes,
                            block + 1 < first + count ? columns + (block + 1) * bytes : NULL};
    if (matrix->bits > 4) {
      (is_exact ? bytes_exact : bytes_fast)(matrix, block, at, inputs, y);
    } else if (matrix->table) {
      (is_exact ? table_exact : table_fast)(matrix, block, at, inputs, y);
    } else {
      (is_exact ? nibbles_exact : nibbles_fast)(matrix, block, at, inputs, y);
    }
  }
}
#endif
