// Products of tiles with AVX-512 VNNI.
//
// Each lane of a register belongs to a row, so that nothing is summed across lanes. Four columns of 16 rows multiply with
// the same four bytes of a vector, which are broadcast from memory.
#include "tiles.h"

#ifdef VK_X86
#include <immintrin.h>

// Bytes ahead of which codes are fetched: processors stop at the end of a page.
enum { AHEAD = 8192 };

// Adds a plane of bits to the codes of a unit, above `taken` bits that they have; returns where the next plane begins.
VK_TARGET_AVX512 VK_INLINE const uint8_t *add_plane(const uint8_t *codes, unsigned plane,
                                                    unsigned taken, __m512i *vectors) {
  const __m512i mask = _mm512_set1_epi8((char)(((1u << plane) - 1) << taken));
#pragma clang loop unroll(full)
  for (unsigned k = 0; k < VK_VECTORS; k++) {
    const __m512i stored = _mm512_load_si512(codes + k % plane * VK_VECTOR);
    const unsigned from = k / plane * plane;
    const __m512i moved = from >= taken ? _mm512_srli_epi16(stored, from - taken)
                                        : _mm512_slli_epi16(stored, taken - from);
    const __m512i bits = _mm512_and_si512(moved, mask);
    vectors[k] = taken == 0 ? bits : _mm512_or_si512(vectors[k], bits);
  }
  return codes + plane * VK_VECTOR;
}

// The eight vectors of a unit, a code a byte.
VK_TARGET_AVX512 VK_INLINE void load_unit(const uint8_t *codes, unsigned bits, __m512i *vectors) {
  if (bits == 8) {
    for (size_t k = 0; k < VK_VECTORS; k++) vectors[k] = _mm512_load_si512(codes + k * VK_VECTOR);
    return;
  }
  if (bits & 4) codes = add_plane(codes, 4, 0, vectors);
  if (bits & 2) codes = add_plane(codes, 2, bits & 4, vectors);
  if (bits & 1) add_plane(codes, 1, bits & 6, vectors);
}

VK_TARGET_AVX512 VK_INLINE __m512i four_bytes(const int8_t *x) {
  int32_t word;
  memcpy(&word, x, sizeof word);
  return _mm512_set1_epi32(word);
}

// Vectors [from, to) times one token's unit: 16 sums.
VK_TARGET_AVX512 VK_INLINE __m512 unit_times(const __m512i *vectors, size_t from, size_t to,
                                             const int8_t *high, const int8_t *low,
                                             int is_exact) {
  __m512i sum = _mm512_setzero_si512();
  for (size_t k = from; k < to; k++) sum = _mm512_dpbusd_epi32(sum, vectors[k], four_bytes(high + 4 * k));
  if (is_exact) {
    __m512i rest = _mm512_setzero_si512();
    for (size_t k = from; k < to; k++) rest = _mm512_dpbusd_epi32(rest, vectors[k], four_bytes(low + 4 * k));
    sum = _mm512_add_epi32(_mm512_slli_epi32(sum, 8), rest);
  }
  return _mm512_cvtepi32_ps(sum);
}

VK_TARGET_AVX512 VK_INLINE __m512 load_halves(const uint16_t *halves, int are_bfloat) {
  const __m256i bits = _mm256_loadu_si256((const __m256i *)halves);
  if (!are_bfloat) return _mm512_cvtph_ps(bits);
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}

VK_TARGET_AVX512 VK_INLINE __m512 load_bytes(const uint8_t *bytes, int are_signed) {
  const __m128i some = _mm_loadu_si128((const __m128i *)bytes);
  return _mm512_cvtepi32_ps(are_signed ? _mm512_cvtepi8_epi32(some) : _mm512_cvtepu8_epi32(some));
}

// A group's scales, zeros and minimums, a lane a row.
typedef struct {
  __m512 scale, zero, minimum;
} group_values;

VK_TARGET_AVX512 VK_INLINE group_values load_group(const vk_tiles *matrix, const vk_tile *tile,
                                                   size_t group) {
  const size_t scale = group / matrix->groups_a_scale * VK_TILE_ROWS;
  const size_t place = group * VK_TILE_ROWS;
  group_values values = {
      .scale = load_halves(tile->scales + scale, matrix->scales_are_bfloat),
      .zero = tile->points ? load_bytes(tile->points + place, 0) : _mm512_set1_ps(matrix->zero),
      .minimum = _mm512_setzero_ps(),
  };
  if (tile->minimums) values.minimum = load_halves(tile->minimums + scale, 0);
  if (tile->scale_multiples) {
    const __m512 multiple = load_bytes(tile->scale_multiples + place, matrix->multiples_are_signed);
    values.scale = _mm512_mul_ps(values.scale, multiple);
  }
  if (tile->minimum_multiples) {
    const __m512 multiple = load_bytes(tile->minimum_multiples + place, 0);
    values.minimum = _mm512_mul_ps(values.minimum, multiple);
  }
  return values;
}

// Where a block of tokens stands in a row.
typedef struct {
  const uint8_t *codes;
  const int8_t *high, *low;
  const float *steps, *sums;
} cursor;

// Adds a group's part to the totals of a block of tokens: `units` whole units, or the half of one.
VK_TARGET_AVX512 VK_INLINE void add_group(const group_values *values, const __m512 *sums,
                                          const float *input_sums, size_t width, int has_minimums,
                                          __m512 *totals) {
  for (size_t t = 0; t < width; t++) {
    const __m512 input = _mm512_set1_ps(input_sums[t]);
    const __m512 sum = _mm512_fnmadd_ps(values->zero, input, sums[t]);
    totals[t] = _mm512_fmadd_ps(sum, values->scale, totals[t]);
    if (has_minimums) totals[t] = _mm512_fmadd_ps(values->minimum, input, totals[t]);
  }
}

// One tile times one block of tokens. All but pointers are constant where this is called.
VK_TARGET_AVX512 VK_INLINE void tile_times(const vk_tiles *matrix, const vk_tile *tile, cursor at,
                                           unsigned bits, size_t width, int is_exact,
                                           __m512 *totals) {
  const size_t units = vk_tile_units(matrix->columns);
  const int is_half = matrix->group < VK_UNIT_COLUMNS, has_table = matrix->table != NULL;
  const int has_minimums = tile->minimums != NULL;
  const size_t units_a_group = is_half ? 1 : matrix->group / VK_UNIT_COLUMNS;
  const __m512i table =
      has_table ? _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)matrix->table))
                : _mm512_setzero_si512();
  for (size_t t = 0; t < width; t++) totals[t] = _mm512_setzero_ps();
  for (size_t unit = 0, group = 0; unit < units; group++) {
    __m512 sums[VK_TOKENS], second[VK_TOKENS];
    for (size_t t = 0; t < width; t++) sums[t] = second[t] = _mm512_setzero_ps();
    for (const size_t end = unit + units_a_group; unit < end; unit++) {
      __m512i vectors[VK_VECTORS];
      load_unit(at.codes, bits, vectors);
      if (width == 1) {
        for (size_t k = 0; k < bits; k++) {
          _mm_prefetch((const char *)at.codes + AHEAD + k * VK_VECTOR, _MM_HINT_T0);
        }
      }
      if (bits == 4 && has_table) {
        for (size_t k = 0; k < VK_VECTORS; k++) vectors[k] = _mm512_shuffle_epi8(table, vectors[k]);
      }
      for (size_t t = 0; t < width; t++) {
        const int8_t *const high = at.high + t * VK_UNIT_COLUMNS;
        const int8_t *const low = at.low + (is_exact ? t * VK_UNIT_COLUMNS : 0);
        const __m512 step = _mm512_set1_ps(at.steps[t]);
        if (is_half) {
          sums[t] = _mm512_mul_ps(unit_times(vectors, 0, 4, high, low, is_exact), step);
          second[t] = _mm512_mul_ps(unit_times(vectors, 4, 8, high, low, is_exact), step);
        } else {
          sums[t] = _mm512_fmadd_ps(unit_times(vectors, 0, 8, high, low, is_exact), step, sums[t]);
        }
      }
      at.codes += bits * VK_VECTOR;
      at.high += width * VK_UNIT_COLUMNS;
      if (is_exact) at.low += width * VK_UNIT_COLUMNS;
      at.steps += width;
    }
    group_values values = load_group(matrix, tile, group);
    add_group(&values, sums, at.sums, width, has_minimums, totals);
    at.sums += width;
    if (is_half) {
      group++;
      values = load_group(matrix, tile, group);
      add_group(&values, second, at.sums, width, has_minimums, totals);
      at.sums += width;
    }
  }
}

// Writes what lies in the wanted rows: lanes [first, end), of which lane `first` goes to y.
VK_TARGET_AVX512 VK_INLINE void store_lanes(__m512 values, size_t first, size_t end, float *y) {
  if (first == 0 && end == VK_TILE_ROWS) {
    _mm512_storeu_ps(y, values);
    return;
  }
  float lanes[VK_TILE_ROWS];
  _mm512_storeu_ps(lanes, values);
  memcpy(y, lanes + first, (end - first) * sizeof(float));
}

// Some tiles times blocks [from, to) of tokens.
VK_TARGET_AVX512 VK_INLINE void blocks_times(const vk_tiles *matrix, size_t first, size_t count,
                                             const vk_tile_inputs *inputs, size_t from, size_t to,
                                             float *y, size_t y_stride, unsigned bits, size_t width,
                                             int is_exact) {
  const size_t units = vk_tile_units(matrix->columns);
  const size_t groups = vk_tile_groups(matrix->columns, matrix->group);
  for (size_t row = first; row < first + count;) {
    const size_t lane = row % VK_TILE_ROWS, left = first + count - row;
    const size_t end = lane + left < VK_TILE_ROWS ? lane + left : VK_TILE_ROWS;
    const vk_tile tile = vk_tile_at(matrix, row / VK_TILE_ROWS);
    for (size_t block = from; block < to; block++) {
      const size_t start = block * width * units;
      const cursor at = {
          .codes = tile.codes,
          .high = inputs->high + start * VK_UNIT_COLUMNS,
          .low = is_exact ? inputs->low + start * VK_UNIT_COLUMNS : NULL,
          .steps = inputs->steps + start,
          .sums = inputs->sums + block * width * groups,
      };
      __m512 totals[VK_TOKENS];
      tile_times(matrix, &tile, at, bits, width, is_exact, totals);
      for (size_t t = 0; t < width; t++) {
        const size_t token = block * width + t;
        if (token >= inputs->tokens) break;
        store_lanes(totals[t], lane, end, y + token * y_stride + (row - first));
      }
    }
    row += end - lane;
  }
}

// So many rows at a time that their codes stay in a processor's cache, and so many tokens that theirs do.
enum { ROWS_A_RUN = 8 * VK_TILE_ROWS, BYTES_A_RUN = 256 * 1024 };

VK_TARGET_AVX512 VK_INLINE void rows_times(const vk_tiles *matrix, size_t first, size_t count,
                                           const vk_tile_inputs *inputs, float *y, size_t y_stride,
                                           unsigned bits, size_t width, int is_exact) {
  const size_t blocks = vk_tile_input_blocks(inputs);
  const size_t block_bytes = width * vk_tile_units(matrix->columns) * VK_UNIT_COLUMNS;
  const size_t run = BYTES_A_RUN / (block_bytes * (is_exact ? 2 : 1)) + 1;
  if (run >= blocks) {
    blocks_times(matrix, first, count, inputs, 0, blocks, y, y_stride, bits, width, is_exact);
    return;
  }
  for (size_t done = 0; done < count; done += ROWS_A_RUN) {
    const size_t rows = count - done < ROWS_A_RUN ? count - done : ROWS_A_RUN;
    for (size_t block = 0; block < blocks; block += run) {
      const size_t end = block + run < blocks ? block + run : blocks;
      blocks_times(matrix, first + done, rows, inputs, block, end, y + done, y_stride, bits, width,
                   is_exact);
    }
  }
}

#define ROWS_TIMES(bits, width)                                                           \
  if (inputs->low) {                                                                      \
    rows_times(matrix, first, count, inputs, y, y_stride, bits, width, 1);                \
  } else {                                                                                \
    rows_times(matrix, first, count, inputs, y, y_stride, bits, width, 0);                \
  }

// A function for each width of codes.
#define WIDTH(bits)                                                                           \
  VK_TARGET_AVX512 static void times_##bits(const vk_tiles *matrix, size_t first, size_t count, \
                                            const vk_tile_inputs *inputs, float *y,           \
                                            size_t y_stride) {                                \
    if (inputs->width == 1) {                                                                 \
      ROWS_TIMES(bits, 1)                                                                     \
    } else {                                                                                  \
      ROWS_TIMES(bits, VK_TOKENS)                                                             \
    }                                                                                         \
  }

WIDTH(1)
WIDTH(2)
WIDTH(3)
WIDTH(4)
WIDTH(5)
WIDTH(6)
WIDTH(7)
WIDTH(8)

void vk_tiles_times_avx512(const vk_tiles *matrix, size_t first, size_t count,
                           const vk_tile_inputs *inputs, float *y, size_t y_stride) {
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
#endif
