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
  const uint8_t *points;
  const uint16_t *minimums;
} packed_row;

typedef struct {
  __m512i spread, shifts, mask;
  /// Places of the steps that a block's lanes take, when a block holds several segments.
  __m512i pattern;
  size_t bytes, groups, segments;
} row_plan;

VK_TARGET_AVX512 static row_plan plan_rows(const vk_packed *matrix) {
  const unsigned bits = matrix->bits;
  const __m512i ladder = _mm512_set1_epi64(0x0706050403020100);
  const __m512i lanes = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
  const __m512i step = _mm512_set1_epi64((long long)(bits * 0x0101010101010101ull));
  int32_t pattern[16];
  for (int lane = 0; lane < 16; lane++) {
    pattern[lane] = (int32_t)((size_t)lane * 4 / vk_segment(matrix->group));
  }
  return (row_plan){
      .spread = _mm512_add_epi8(_mm512_mullo_epi64(lanes, step), ladder),
      .shifts = _mm512_set1_epi64((long long)(bits * 0x0706050403020100ull)),
      .mask = _mm512_set1_epi8((char)((1u << bits) - 1)),
      .pattern = _mm512_loadu_si512(pattern),
      .bytes = (matrix->columns * bits + 31) / 32 * 4,
      .groups = matrix->columns / matrix->group,
      .segments = matrix->columns / vk_segment(matrix->group),
  };
}

VK_TARGET_AVX512 static inline __m512 load_halves(const uint16_t *halves, __mmask16 lanes,
                                                  int are_bfloat) {
  const __m256i bits = _mm256_maskz_loadu_epi16(lanes, halves);
  if (!are_bfloat) return _mm512_cvtph_ps(bits);
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}

// What zero points or minimums contribute, in lanes; also writes scale * step for each segment.
VK_TARGET_AVX512 static inline __m512 prepare_row(const vk_packed *matrix, const row_plan *plan,
                                                  const packed_row *row,
                                                  const vk_packed_input *input, float *factors) {
  const float middle = (float)(1u << (matrix->bits - 1));
  const size_t segments_a_group = plan->segments / plan->groups;
  __m512 total = _mm512_setzero_ps();
  for (size_t g = 0; g < plan->groups; g += 16) {
    const __mmask16 lanes = first_lanes(plan->groups - g);
    const __m512 scales = load_halves(row->scales + g, lanes, matrix->scales_are_bfloat);
    const __m512 sums = _mm512_loadu_ps(input->sums + g);
    if (row->minimums) {
      total = _mm512_fmadd_ps(load_halves(row->minimums + g, lanes, 0), sums, total);
    } else {
      __m512 zeros = _mm512_set1_ps(middle);
      if (row->points) {
        const __m128i points = _mm_maskz_loadu_epi8(lanes, row->points + g);
        zeros = _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(points));
      }
      total = _mm512_fnmadd_ps(_mm512_mul_ps(scales, zeros), sums, total);
    }
    if (segments_a_group == 1) {
      _mm512_storeu_ps(factors + g, _mm512_mul_ps(scales, _mm512_loadu_ps(input->steps + g)));
    } else {
      float some[16];
      _mm512_storeu_ps(some, scales);
      const size_t end = plan->groups - g < 16 ? plan->groups - g : 16;
      for (size_t k = 0; k < end; k++) {
        const size_t at = (g + k) * segments_a_group;
        for (size_t s = at; s < at + segments_a_group; s++) factors[s] = some[k] * input->steps[s];
      }
    }
  }
  return total;
}

// 64 codes a step: spread their bytes so that each 64-bit lane holds its eight, pick those at
// multiples of `bits`, and multiply with the three planes.
VK_TARGET_AVX512 static inline __m512 block_times(const row_plan *plan, __m512i packed,
                                                  const int8_t *planes, size_t padded) {
  const __m512i words = _mm512_permutexvar_epi8(plan->spread, packed);
  const __m512i codes =
      _mm512_and_si512(_mm512_multishift_epi64_epi8(plan->shifts, words), plan->mask);
  const __m512i none = _mm512_setzero_si512();
  const __m512i high = _mm512_dpbusd_epi32(none, codes, _mm512_load_si512(planes));
  const __m512i middle = _mm512_dpbusd_epi32(_mm512_slli_epi32(high, 8), codes,
                                             _mm512_load_si512(planes + padded));
  const __m512i low = _mm512_dpbusd_epi32(none, codes, _mm512_load_si512(planes + 2 * padded));
  return _mm512_fmadd_ps(_mm512_cvtepi32_ps(middle), _mm512_set1_ps(256.0f),
                         _mm512_cvtepi32_ps(low));
}

VK_TARGET_AVX512 static inline float row_times(const vk_packed *matrix, const row_plan *plan,
                                               const packed_row *row,
                                               const vk_packed_input *input, float *factors) {
  const size_t padded = vk_padded(matrix->columns, VK_BLOCK), step = 8 * matrix->bits;
  const __mmask64 whole = ~0ull >> (64 - step);
  const size_t segments_a_block = VK_BLOCK / vk_segment(matrix->group);
  __m512 total = prepare_row(matrix, plan, row, input, factors);
  for (size_t block = 0, at = 0; at < plan->bytes; block++, at += step) {
    const size_t left = plan->bytes - at;
    const __mmask64 bytes = left >= step ? whole : ~0ull >> (64 - left);
    const __m512 sums = block_times(plan, _mm512_maskz_loadu_epi8(bytes, row->codes + at),
                                    input->planes + block * VK_BLOCK, padded);
    const __m512 factor =
        segments_a_block == 1
            ? _mm512_set1_ps(factors[block])
            : _mm512_permutexvar_ps(plan->pattern,
                                    _mm512_loadu_ps(factors + block * segments_a_block));
    total = _mm512_fmadd_ps(sums, factor, total);
  }
  return _mm512_reduce_add_ps(total);
}

VK_TARGET_AVX512 void vk_planes_times(const vk_packed *matrix, size_t first, size_t count,
                                      const vk_packed_input *inputs, size_t tokens,
                                      float *factors, float *y, size_t y_stride) {
  const row_plan plan = plan_rows(matrix);
  for (size_t i = 0; i < count; i++) {
    const size_t row = first + i, group = row * plan.groups;
    const packed_row parts = {
        .codes = (const uint8_t *)matrix->codes + row * plan.bytes,
        .scales = matrix->scales + group,
        .points = matrix->points ? matrix->points + group : NULL,
        .minimums = matrix->minimums ? matrix->minimums + group : NULL,
    };
    for (size_t t = 0; t < tokens; t++) {
      y[t * y_stride + i] = row_times(matrix, &plan, &parts, inputs + t, factors);
    }
  }
}
#endif
