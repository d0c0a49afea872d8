#include "levels.h"
#include "vk_quantize.h"

// 32 codes of `bits` bits fill `bits` words exactly; with `bits` a constant the loops unroll.
VK_INLINE void pack(const uint8_t *codes, size_t count, uint32_t *words, const unsigned bits) {
  uint64_t pending = 0;
  unsigned filled = 0;
  for (size_t i = 0; i < count; i++) {
    pending |= (uint64_t)codes[i] << filled;
    filled += bits;
    if (filled >= 32) {
      *words++ = (uint32_t)pending;
      pending >>= 32;
      filled -= 32;
    }
  }
  if (filled > 0) *words = (uint32_t)pending;
}

VK_INLINE void unpack(const uint32_t *words, uint8_t *codes, size_t count, const unsigned bits) {
  const uint32_t mask = (1u << bits) - 1u;
  uint64_t pending = 0;
  unsigned left = 0;
  for (size_t i = 0; i < count; i++) {
    if (left < bits) {
      pending |= (uint64_t)*words++ << left;
      left += 32;
    }
    codes[i] = (uint8_t)(pending & mask);
    pending >>= bits;
    left -= bits;
  }
}

void vk_pack_codes(const uint8_t *codes, size_t count, unsigned bits, uint32_t *words) {
  switch (bits) {
    case 1: pack(codes, count, words, 1); break;
    case 2: pack(codes, count, words, 2); break;
    case 3: pack(codes, count, words, 3); break;
    case 4: pack(codes, count, words, 4); break;
    case 5: pack(codes, count, words, 5); break;
    case 6: pack(codes, count, words, 6); break;
    case 7: pack(codes, count, words, 7); break;
    default: pack(codes, count, words, 8); break;
  }
}

void vk_unpack_codes(const uint32_t *words, size_t count, unsigned bits, uint8_t *codes) {
  switch (bits) {
    case 1: unpack(words, codes, count, 1); break;
    case 2: unpack(words, codes, count, 2); break;
    case 3: unpack(words, codes, count, 3); break;
    case 4: unpack(words, codes, count, 4); break;
    case 5: unpack(words, codes, count, 5); break;
    case 6: unpack(words, codes, count, 6); break;
    case 7: unpack(words, codes, count, 7); break;
    default: unpack(words, codes, count, 8); break;
  }
}
