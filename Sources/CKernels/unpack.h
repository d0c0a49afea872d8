// Private: codes of 1 to 8 bits from a little-endian bitstream to a byte each.
#ifndef VISE_UNPACK_H
#define VISE_UNPACK_H

#include "floats.h"

#ifdef VK_X86
#include <immintrin.h>
#endif

// The destination has room for this many codes beyond the last.
enum { VK_UNPACK_SLACK = 64 };

// Eight codes take `bits` bytes: a 64-bit word holds them at every width. Bytes past the end read as 0.
VK_INLINE uint64_t vk_eight_codes(const uint8_t *bytes, size_t available) {
  uint64_t word = 0;
  if (available >= 8) {
    memcpy(&word, bytes, 8);
  } else {
    for (size_t i = 0; i < available; i++) word |= (uint64_t)bytes[i] << (8 * i);
  }
  return word;
}

static inline void vk_unpack_portable(const uint8_t *bytes, size_t size, unsigned bits,
                                      size_t count, uint8_t *codes) {
  const uint64_t mask = (1u << bits) - 1;
  for (size_t i = 0, at = 0; i < count; i += 8, at += bits) {
    uint64_t word = vk_eight_codes(bytes + at, size - at);
    for (size_t k = 0; k < 8; k++, word >>= bits) codes[i + k] = (uint8_t)(word & mask);
  }
}

#ifdef VK_X86
VK_TARGET_AVX2 static inline void vk_unpack_avx2(const uint8_t *bytes, size_t size, unsigned bits,
                                                 size_t count, uint8_t *codes) {
  const uint64_t places = ((1ull << bits) - 1) * 0x0101010101010101ull;
  for (size_t i = 0, at = 0; i < count; i += 8, at += bits) {
    const uint64_t eight = _pdep_u64(vk_eight_codes(bytes + at, size - at), places);
    memcpy(codes + i, &eight, 8);
  }
}

// 64 codes a step: spread the bytes so that each 64-bit lane holds its eight codes, then pick eight
// bytes at multiples of `bits` from each lane.
VK_TARGET_AVX512 static inline void vk_unpack_avx512(const uint8_t *bytes, size_t size,
                                                     unsigned bits, size_t count,
                                                     uint8_t *codes) {
  const __m512i ladder = _mm512_set1_epi64(0x0706050403020100);
  const __m512i lanes = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
  const __m512i step = _mm512_set1_epi64((long long)(bits * 0x0101010101010101ull));
  const __m512i spread = _mm512_add_epi8(_mm512_mullo_epi64(lanes, step), ladder);
  const __m512i shifts = _mm512_set1_epi64((long long)(bits * 0x0706050403020100ull));
  const __m512i mask = _mm512_set1_epi8((char)((1u << bits) - 1));
  for (size_t i = 0, at = 0; i < count; i += 64, at += 8 * bits) {
    const size_t here = size - at < 8 * bits ? size - at : 8 * bits;
    const __m512i packed = _mm512_maskz_loadu_epi8(_cvtu64_mask64(~0ull >> (64 - here)), bytes + at);
    const __m512i word = _mm512_permutexvar_epi8(spread, packed);
    const __m512i code = _mm512_and_si512(_mm512_multishift_epi64_epi8(shifts, word), mask);
    _mm512_storeu_si512(codes + i, code);
  }
}
#endif

// Unpacks `count` codes of the `size` bytes; writes up to VK_UNPACK_SLACK - 1 bytes more.
VK_INLINE void vk_unpack(vk_level level, const uint8_t *bytes, size_t size, unsigned bits,
                         size_t count, uint8_t *codes) {
#ifdef VK_X86
  if (level == VK_AVX512) {
    vk_unpack_avx512(bytes, size, bits, count, codes);
    return;
  }
  if (vk_has_avx2(level)) {
    vk_unpack_avx2(bytes, size, bits, count, codes);
    return;
  }
#endif
  (void)level;
  vk_unpack_portable(bytes, size, bits, count, codes);
}

#endif
