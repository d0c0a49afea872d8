#include "vk_repack.h"

#include "floats.h"

enum { BLOCK = 32 };

// The block's codes, a byte each, in the order of its weights: unsigned, as packed codes are.
VK_INLINE void block_codes(unsigned bits, const uint8_t *quants, uint8_t codes[BLOCK]) {
  if (bits == 8) {
    for (size_t i = 0; i < BLOCK; i++) codes[i] = quants[i] ^ 0x80u;
    return;
  }
  const uint32_t high = bits == 5 ? vk_load_u32(quants) : 0;
  const uint8_t *const low = bits == 5 ? quants + 4 : quants;
  for (size_t i = 0; i < BLOCK / 2; i++) {
    codes[i] = (uint8_t)((low[i] & 15) | (high >> i & 1) << 4);
    codes[i + BLOCK / 2] = (uint8_t)(low[i] >> 4 | (high >> (i + BLOCK / 2) & 1) << 4);
  }
}

// Eight codes fill `bits` whole bytes at every width.
VK_INLINE void pack_codes(unsigned bits, const uint8_t codes[BLOCK], uint8_t *packed) {
  for (size_t i = 0; i < BLOCK; i += 8, packed += bits) {
    uint64_t word = 0;
    for (size_t k = 0; k < 8; k++) word |= (uint64_t)codes[i + k] << (k * bits);
    for (size_t k = 0; k < bits; k++) packed[k] = (uint8_t)(word >> (8 * k));
  }
}

VK_INLINE void repack(unsigned bits, const vk_block_layout *layout, const uint8_t *blocks,
                      size_t count, uint8_t *packed, uint16_t *scales, uint16_t *minimums) {
  const size_t header = layout->has_minimum ? 4 : 2;
  for (size_t b = 0; b < count; b++, blocks += layout->bytes, packed += BLOCK / 8 * bits) {
    uint8_t codes[BLOCK];
    scales[b] = vk_load_u16(blocks);
    if (layout->has_minimum) minimums[b] = vk_load_u16(blocks + 2);
    block_codes(bits, blocks + header, codes);
    pack_codes(bits, codes, packed);
  }
}

void vk_repack(const vk_block_layout *layout, const uint8_t *blocks, size_t count, uint32_t *codes,
               uint16_t *scales, uint16_t *minimums) {
  uint8_t *const packed = (uint8_t *)codes;
  // A constant width lets the compiler unroll.
  switch (layout->bits) {
    case 4: repack(4, layout, blocks, count, packed, scales, minimums); break;
    case 5: repack(5, layout, blocks, count, packed, scales, minimums); break;
    default: repack(8, layout, blocks, count, packed, scales, minimums); break;
  }
}
