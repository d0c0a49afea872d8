// Integer sums of a unit's rows with AVX2.
//
// Codes widened to 16 bits multiply with inputs of 16 bits in pairs. Codes of at most 4 bits with inputs of 8 bits need no
// widening: eight such pairs fit together in 16 bits.
#include "tiles.h"

#ifdef VK_X86
#include <immintrin.h>

// The bits of a plane in vector k of a unit, above `taken` bits that its codes have besides.
VK_TARGET_AVX2 VK_INLINE __m256i load_plane(const uint8_t *codes, int plane, int taken, size_t k) {
  const uint8_t *const stored = codes + k % (size_t)plane * VK_VECTOR;
  const __m256i vector = _mm256_loadu_si256((const __m256i *)stored);
  const int from = (int)k / plane * plane;
  const __m256i moved = from >= taken ? _mm256_srli_epi16(vector, from - taken)
                                      : _mm256_slli_epi16(vector, taken - from);
  return _mm256_and_si256(moved, _mm256_set1_epi8((char)(((1u << plane) - 1) << taken)));
}

// Half of vector k of a unit, 8 rows of 4 columns, a code a byte.
VK_TARGET_AVX2 VK_INLINE __m256i load_half(const uint8_t *codes, unsigned bits, size_t k,
                                           size_t half) {
  codes += half * (VK_VECTOR / 2);
  if (bits == 8) return _mm256_loadu_si256((const __m256i *)(codes + k * VK_VECTOR));
  __m256i vector = _mm256_setzero_si256();
  if (bits & 4) vector = load_plane(codes, 4, 0, k);
  if (bits & 2) {
    const __m256i some = load_plane(codes + (bits & 4) * VK_VECTOR, 2, bits & 4, k);
    vector = _mm256_or_si256(vector, some);
  }
  if (bits & 1) {
    const __m256i some = load_plane(codes + (bits & 6) * VK_VECTOR, 1, bits & 6, k);
    vector = _mm256_or_si256(vector, some);
  }
  return vector;
}

// Sums of 8 rows for codes of at most 4 bits and inputs of 8.
VK_TARGET_AVX2 VK_INLINE __m256i narrow_sums(const uint8_t *codes, unsigned bits, size_t from,
                                             size_t end, size_t half, const int8_t *high) {
  __m256i pairs = _mm256_setzero_si256();
#pragma clang loop unroll(full)
  for (size_t k = from; k < end; k++) {
    int32_t four;
    memcpy(&four, high + 4 * k, sizeof four);
    const __m256i vector = load_half(codes, bits, k, half);
    pairs = _mm256_add_epi16(pairs, _mm256_maddubs_epi16(vector, _mm256_set1_epi32(four)));
  }
  return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}

// The same of any codes and inputs of 16 bits.
VK_TARGET_AVX2 VK_INLINE __m256i wide_sums(const uint8_t *codes, unsigned bits, size_t from,
                                           size_t end, size_t half, int has_table, __m256i table,
                                           const int16_t *x) {
  const __m256i zero = _mm256_setzero_si256();
  __m256i first = zero, second = zero;
#pragma clang loop unroll(full)
  for (size_t k = from; k < end; k++) {
    int64_t four;
    memcpy(&four, x + 4 * k, sizeof four);
    const __m256i inputs = _mm256_set1_epi64x(four);
    __m256i vector = load_half(codes, bits, k, half);
    if (has_table) vector = _mm256_shuffle_epi8(table, vector);
    first = _mm256_add_epi32(first, _mm256_madd_epi16(_mm256_unpacklo_epi8(vector, zero), inputs));
    second =
        _mm256_add_epi32(second, _mm256_madd_epi16(_mm256_unpackhi_epi8(vector, zero), inputs));
  }
  return _mm256_hadd_epi32(first, second);
}

VK_TARGET_AVX2 VK_INLINE void add_sums(const uint8_t *codes, unsigned bits, size_t from, size_t end,
                                       const uint8_t *table, const int8_t *high, const int8_t *low,
                                       int32_t *sums) {
  int16_t x[VK_UNIT_COLUMNS];
  const int is_narrow = bits <= 4 && !table && !low;
  if (low) {
    for (size_t i = 0; i < VK_UNIT_COLUMNS; i++) x[i] = (int16_t)(high[i] * 256 + low[i]);
  } else if (!is_narrow) {
    for (size_t i = 0; i < VK_UNIT_COLUMNS; i++) x[i] = high[i];
  }
  const __m256i levels =
      table ? _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)table))
            : _mm256_setzero_si256();
  for (size_t half = 0; half < 2; half++) {
    __m256i some;
    if (is_narrow) {
      some = narrow_sums(codes, bits, from, end, half, high);
    } else if (table) {
      some = wide_sums(codes, bits, from, end, half, 1, levels, x);
    } else {
      some = wide_sums(codes, bits, from, end, half, 0, levels, x);
    }
    __m256i *const place = (__m256i *)(sums + 8 * half);
    _mm256_storeu_si256(place, _mm256_add_epi32(_mm256_loadu_si256(place), some));
  }
}

// Whole units and halves of them, with constant bounds.
VK_TARGET_AVX2 VK_INLINE void add_range(const uint8_t *codes, unsigned bits, size_t from, size_t end,
                                        const uint8_t *table, const int8_t *high, const int8_t *low,
                                        int32_t *sums) {
  if (from > 0) {
    add_sums(codes, bits, VK_VECTORS / 2, VK_VECTORS, table, high, low, sums);
  } else if (end < VK_VECTORS) {
    add_sums(codes, bits, 0, VK_VECTORS / 2, table, high, low, sums);
  } else {
    add_sums(codes, bits, 0, VK_VECTORS, table, high, low, sums);
  }
}

VK_TARGET_AVX2 void vk_add_unit_avx2(const uint8_t *codes, unsigned bits, size_t from, size_t end,
                                     const uint8_t *table, const int8_t *high, const int8_t *low,
                                     int32_t *sums) {
  // A constant width lets the compiler unroll.
  switch (bits) {
    case 1: add_range(codes, 1, from, end, NULL, high, low, sums); break;
    case 2: add_range(codes, 2, from, end, NULL, high, low, sums); break;
    case 3: add_range(codes, 3, from, end, NULL, high, low, sums); break;
    case 4: add_range(codes, 4, from, end, table, high, low, sums); break;
    case 5: add_range(codes, 5, from, end, NULL, high, low, sums); break;
    case 6: add_range(codes, 6, from, end, NULL, high, low, sums); break;
    case 7: add_range(codes, 7, from, end, NULL, high, low, sums); break;
    default: add_range(codes, 8, from, end, NULL, high, low, sums); break;
  }
}
#endif
