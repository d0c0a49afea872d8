// Packed products in integers, for processors with AVX-512 VNNI and VBMI.
//
// A vector of 24-bit integers with a step for each 64 of them is as exact as single precision. Split
// into three planes of signed bytes it multiplies with unsigned codes 64 at a time, and no code is ever
// widened to a float.
#include "packed_products.h"

#ifdef VK_X86
#include <immintrin.h>

// Three signed bytes hold up to 127 * 65536 + 127 * 256 + 127; a little less leaves room for rounding.
static const float LARGEST = 8355000.0f;

VK_TARGET_AVX512 static inline __mmask16 first_lanes(size_t count) {
  return count >= 16 ? 0xffff : (__mmask16)((1u << count) - 1);
}

VK_TARGET_AVX512 static inline float largest_magnitude(const float *x, size_t count) {
  __m512 most = _mm512_setzero_ps();
  for (size_t i = 0; i < count; i += 16) {
    const __m512 some = _mm512_maskz_loadu_ps(first_lanes(count - i), x + i);
    most = _mm512_max_ps(most, _mm512_abs_ps(some));
  }
  return _mm512_reduce_max_ps(most);
}

VK_TARGET_AVX512 static inline float sum_of(const float *x, size_t count) {
#pragma clang fp reassociate(on)
  float sum = 0;
  for (size_t i = 0; i < count; i++) sum += x[i];
  return sum;
}

// The lowest byte of each integer with its sign.
VK_TARGET_AVX512 static inline __m512i signed_byte(__m512i value) {
  return _mm512_srai_epi32(_mm512_slli_epi32(value, 24), 24);
}

// A block of at most 64 values as integers of 24 bits. Bytes carry their sign, so what the lower ones
// take off is added above. Returns the step; writes what the integers stand for.
VK_TARGET_AVX512 static float quantize_block(const float *x, size_t count, size_t padded,
                                             int8_t *planes, float *rounded) {
  const float most = largest_magnitude(x, count);
  // Below this the inverse of the step would overflow; such a block counts as zeros.
  const int is_tiny = most < 1e-30f;
  const float step = is_tiny ? 0 : most / LARGEST;
  const __m512 inverse = _mm512_set1_ps(is_tiny ? 0 : LARGEST / most);
  for (size_t i = 0; i < count; i += 16) {
    const __m512 some = _mm512_maskz_loadu_ps(first_lanes(count - i), x + i);
    const __m512i value = _mm512_cvtps_epi32(_mm512_mul_ps(some, inverse));
    const __m512i rest = _mm512_srai_epi32(_mm512_sub_epi32(value, signed_byte(value)), 8);
    const __m512i high = _mm512_srai_epi32(_mm512_sub_epi32(rest, signed_byte(rest)), 8);
    _mm_storeu_si128((__m128i *)(planes + i), _mm512_cvtepi32_epi8(high));
    _mm_storeu_si128((__m128i *)(planes + i + padded), _mm512_cvtepi32_epi8(rest));
    _mm_storeu_si128((__m128i *)(planes + i + 2 * padded), _mm512_cvtepi32_epi8(value));
    _mm512_storeu_ps(rounded + i, _mm512_mul_ps(_mm512_cvtepi32_ps(value), _mm512_set1_ps(step)));
  }
  return step;
}

VK_TARGET_AVX512 void vk_planes_prepare(const float *x, size_t columns, size_t group,
                                        int8_t *planes, float *steps, float *sums) {
  const size_t padded = vk_padded(columns, VK_BLOCK), segment = vk_segment(group);
  for (size_t start = 0; start < columns; start += VK_BLOCK) {
    const size_t count = columns - start < VK_BLOCK ? columns - start : VK_BLOCK;
    float rounded[VK_BLOCK];
    const float step = quantize_block(x + start, count, padded, planes + start, rounded);
    // Zero points multiply what the integers stand for, not x, or rounding errors would not cancel.
    for (size_t i = 0; i < count; i += segment) {
      steps[(start + i) / segment] = step;
      sums[(start + i) / group] += sum_of(rounded + i, segment);
    }
  }
}

typedef struct {
  const uint8_t *codes;
  const uint16_t *scales;
  /// NULL unless the matrix has them.
  const uint8_t *points;
  const uint16_t *minimums;
} packed_row;

// What all rows of a matrix have in common.
typedef struct {
  __m512i spread, shifts, mask;
  /// Bytes of 64 codes, and the mask that loads them.
  size_t step;
  __mmask64 whole;
  size_t bytes, groups, padded;
  float middle;
  int scales_are_bfloat;
} row_plan;

VK_TARGET_AVX512 static row_plan plan_rows(const vk_packed *matrix) {
  const unsigned bits = matrix->bits;
  const __m512i ladder = _mm512_set1_epi64(0x0706050403020100);
  const __m512i lanes = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
  const __m512i step = _mm512_set1_epi64((long long)(bits * 0x0101010101010101ull));
  return (row_plan){
      .spread = _mm512_add_epi8(_mm512_mullo_epi64(lanes, step), ladder),
      .shifts = _mm512_set1_epi64((long long)(bits * 0x0706050403020100ull)),
      .mask = _mm512_set1_epi8((char)((1u << bits) - 1)),
      .step = 8 * bits,
      .whole = ~0ull >> (64 - 8 * bits),
      .bytes = (matrix->columns * bits + 31) / 32 * 4,
      .groups = matrix->columns / matrix->group,
      .padded = vk_padded(matrix->columns, VK_BLOCK),
      .middle = (float)(1u << (bits - 1)),
      .scales_are_bfloat = matrix->scales_are_bfloat,
  };
}

VK_TARGET_AVX512 static inline __m512 load_halves(const uint16_t *halves, __mmask16 lanes,
                                                  int are_bfloat) {
  const __m256i bits = _mm256_maskz_loadu_epi16(lanes, halves);
  if (!are_bfloat) return _mm512_cvtph_ps(bits);
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}

// Adds what the zero points or minimums of sixteen groups contribute.
VK_TARGET_AVX512 static inline __m512 add_zeros(const row_plan *plan, const packed_row *row,
                                                const float *sums, size_t group, __mmask16 lanes,
                                                __m512 scales, __m512 total) {
  const __m512 inputs = _mm512_loadu_ps(sums + group);
  if (row->minimums) {
    return _mm512_fmadd_ps(load_halves(row->minimums + group, lanes, 0), inputs, total);
  }
  __m512 zeros = _mm512_set1_ps(plan->middle);
  if (row->points) {
    const __m128i points = _mm_maskz_loadu_epi8(lanes, row->points + group);
    zeros = _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(points));
  }
  return _mm512_fnmadd_ps(_mm512_mul_ps(scales, zeros), inputs, total);
}

// 64 codes times the three planes. The bytes are spread so that each 64-bit lane holds its eight codes,
// which are picked at multiples of `bits`. Four products of codes below 64 with each plane fit
// together in 32 bits; those of wider codes are put together as floats.
VK_TARGET_AVX512 static inline __m512 block_times(const row_plan *plan,
                                                  const vk_packed_input *input,
                                                  const packed_row *row, size_t block,
                                                  __mmask64 mask, int is_narrow) {
  const int8_t *const planes = input->planes + block * VK_BLOCK;
  const __m512i bytes = _mm512_maskz_loadu_epi8(mask, row->codes + block * plan->step);
  const __m512i words = _mm512_permutexvar_epi8(plan->spread, bytes);
  const __m512i codes =
      _mm512_and_si512(_mm512_multishift_epi64_epi8(plan->shifts, words), plan->mask);
  const __m512i none = _mm512_setzero_si512(), low = _mm512_load_si512(planes + 2 * plan->padded);
  __m512i sum = _mm512_dpbusd_epi32(none, codes, _mm512_load_si512(planes));
  sum = _mm512_dpbusd_epi32(_mm512_slli_epi32(sum, 8), codes,
                            _mm512_load_si512(planes + plan->padded));
  if (is_narrow) {
    return _mm512_cvtepi32_ps(_mm512_dpbusd_epi32(_mm512_slli_epi32(sum, 8), codes, low));
  }
  return _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), _mm512_set1_ps(256.0f),
                         _mm512_cvtepi32_ps(_mm512_dpbusd_epi32(none, codes, low)));
}

// Groups of at most a block: sixteen groups' scales stay in a register, from which each block's lanes
// take theirs.
VK_TARGET_AVX512 VK_INLINE float small_groups_times(const row_plan *plan, const packed_row *row,
                                                    const vk_packed_input *input,
                                                    __m512i pattern, size_t groups_a_block,
                                                    int is_narrow) {
  const __m512i advance = _mm512_set1_epi32((int)groups_a_block);
  const size_t whole_blocks = plan->bytes / plan->step;
  __m512 total = _mm512_setzero_ps(), factors = total;
  __m512i places = pattern;
  size_t block = 0;
  for (size_t g = 0; g < plan->groups; g += 16) {
    const __mmask16 lanes = first_lanes(plan->groups - g);
    const __m512 scales = load_halves(row->scales + g, lanes, plan->scales_are_bfloat);
    total = add_zeros(plan, row, input->sums, g, lanes, scales, total);
    factors = _mm512_mul_ps(scales, _mm512_loadu_ps(input->steps + g));
    places = pattern;
    const size_t end = (g + 16) / groups_a_block;
    for (; block < end && block < whole_blocks; block++) {
      const __m512 sums = block_times(plan, input, row, block, plan->whole, is_narrow);
      total = _mm512_fmadd_ps(sums, _mm512_permutexvar_ps(places, factors), total);
      places = _mm512_add_epi32(places, advance);
    }
  }
  const size_t left = plan->bytes - whole_blocks * plan->step;
  if (left > 0) {
    const __m512 sums = block_times(plan, input, row, block, ~0ull >> (64 - left), is_narrow);
    total = _mm512_fmadd_ps(sums, _mm512_permutexvar_ps(places, factors), total);
  }
  return _mm512_reduce_add_ps(total);
}

// Groups of whole blocks: each block has a step of its own, and its group's sum is scaled once.
VK_TARGET_AVX512 VK_INLINE float large_groups_times(const row_plan *plan, const packed_row *row,
                                                    const vk_packed_input *input,
                                                    size_t blocks_a_group, int is_narrow) {
  __m512 total = _mm512_setzero_ps();
  size_t block = 0;
  for (size_t g = 0; g < plan->groups; g++) {
    const __m512 scale = load_halves(row->scales + g, 1, plan->scales_are_bfloat);
    total = add_zeros(plan, row, input->sums, g, 1, scale, total);
    __m512 sum = _mm512_setzero_ps();
    for (size_t end = block + blocks_a_group; block < end; block++) {
      const __m512 sums = block_times(plan, input, row, block, plan->whole, is_narrow);
      sum = _mm512_fmadd_ps(sums, _mm512_set1_ps(input->steps[block]), sum);
    }
    total = _mm512_fmadd_ps(sum, _mm512_broadcastss_ps(_mm512_castps512_ps128(scale)), total);
  }
  return _mm512_reduce_add_ps(total);
}

// The rows of a matrix of one kind; the kind is constant where this is called.
VK_TARGET_AVX512 VK_INLINE void rows_times(const vk_packed *matrix, size_t first, size_t count,
                                           const vk_packed_input *inputs, size_t tokens, float *y,
                                           size_t y_stride, int is_narrow, int is_small) {
  const row_plan plan = plan_rows(matrix);
  const size_t groups_a_block = VK_BLOCK / vk_segment(matrix->group);
  int32_t lanes[16];
  for (size_t i = 0; i < 16; i++) lanes[i] = (int32_t)(i * groups_a_block / 16);
  const __m512i pattern = _mm512_loadu_si512(lanes);
  for (size_t i = 0; i < count; i++) {
    const size_t row = first + i, group = row * plan.groups;
    const packed_row parts = {
        .codes = (const uint8_t *)matrix->codes + row * plan.bytes,
        .scales = matrix->scales + group,
        .points = matrix->points ? matrix->points + group : NULL,
        .minimums = matrix->minimums ? matrix->minimums + group : NULL,
    };
    for (size_t t = 0; t < tokens; t++) {
      y[t * y_stride + i] =
          is_small ? small_groups_times(&plan, &parts, inputs + t, pattern, groups_a_block,
                                        is_narrow)
                   : large_groups_times(&plan, &parts, inputs + t, matrix->group / VK_BLOCK,
                                        is_narrow);
    }
  }
}

VK_TARGET_AVX512 void vk_planes_times(const vk_packed *matrix, size_t first, size_t count,
                                      const vk_packed_input *inputs, size_t tokens, float *y,
                                      size_t y_stride) {
  const int is_narrow = matrix->bits <= 6, is_small = matrix->group <= VK_BLOCK;
  if (is_narrow && is_small) {
    rows_times(matrix, first, count, inputs, tokens, y, y_stride, 1, 1);
  } else if (is_narrow) {
    rows_times(matrix, first, count, inputs, tokens, y, y_stride, 1, 0);
  } else if (is_small) {
    rows_times(matrix, first, count, inputs, tokens, y, y_stride, 0, 1);
  } else {
    rows_times(matrix, first, count, inputs, tokens, y, y_stride, 0, 0);
  }
}
#endif
