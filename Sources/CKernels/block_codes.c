#include "block_shapes.h"
#include "floats.h"

// Low bits of codes, `bits` wide from bit `shift` on, as K types keep them: in each run of `span` bytes, plane p has the
// codes that follow p * span. Bytes are written whole.
VK_INLINE void put_planes(const uint8_t *codes, size_t count, unsigned bits, unsigned shift,
                          size_t span, uint8_t *bytes) {
  const unsigned planes = 8 / bits;
  const uint8_t mask = (uint8_t)((1u << bits) - 1u);
  for (; count > 0; count -= span * planes, codes += span * planes, bytes += span) {
    for (size_t i = 0; i < span; i++) {
      uint8_t byte = 0;
      for (unsigned p = 0; p < planes; p++) {
        byte |= (uint8_t)((codes[p * span + i] >> shift & mask) << (p * bits));
      }
      bytes[i] = byte;
    }
  }
}

// The fifth bits of eight codes, the first one's lowest: each is one bit of a byte, moved to the top byte.
VK_INLINE uint8_t fifth_bits(const uint8_t *codes) {
  uint64_t eight;
  memcpy(&eight, codes, sizeof eight);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  eight = __builtin_bswap64(eight);
#endif
  return (uint8_t)(((eight >> 4 & 0x0101010101010101u) * 0x0102040810204080u) >> 56);
}

VK_INLINE void put_u16(uint8_t *bytes, uint16_t value) { memcpy(bytes, &value, sizeof value); }

// Eight scales and eight minimums of six bits: the first four whole, the rest in two parts each.
VK_INLINE void put_six_bit_pairs(const vk_block_header *header, uint8_t *bytes) {
  for (size_t g = 0; g < 4; g++) {
    const uint8_t scale = (uint8_t)header->group_scales[g + 4];
    const uint8_t minimum = header->group_minimums[g + 4];
    bytes[g] = (uint8_t)(header->group_scales[g] | (scale >> 4) << 6);
    bytes[g + 4] = (uint8_t)(header->group_minimums[g] | (minimum >> 4) << 6);
    bytes[g + 8] = (uint8_t)((scale & 15) | (minimum & 15) << 4);
  }
}

// Sixteen scales of six bits, 32 added: low nibbles first, then the two high bits of four at a time.
VK_INLINE void put_six_bit_scales(const vk_block_header *header, uint8_t *bytes) {
  memset(bytes, 0, 12);
  for (size_t g = 0; g < 16; g++) {
    const uint8_t scale = (uint8_t)(header->group_scales[g] + 32);
    bytes[g % 8] |= (uint8_t)((scale & 15) << (g / 8 * 4));
    bytes[8 + g % 4] |= (uint8_t)((scale >> 4) << (g / 4 * 2));
  }
}

VK_INLINE void encode_plain(vk_block_type type, const vk_block_header *header, const uint8_t *codes,
                         uint8_t *block) {
  const vk_block_shape shape = block_shape(type);
  put_u16(block, header->scale);
  block += 2;
  if (shape.has_minimum) {
    put_u16(block, header->minimum);
    block += 2;
  }
  if (type == VK_Q8_0) {
    for (size_t i = 0; i < 32; i++) block[i] = (uint8_t)(codes[i] ^ 0x80);
    return;
  }
  if (shape.bits == 5) {
    for (size_t i = 0; i < 4; i++) block[i] = fifth_bits(codes + 8 * i);
    block += 4;
  }
  put_planes(codes, 32, 4, 0, 16, block);
}

VK_INLINE void encode_super(vk_block_type type, const vk_block_header *header, const uint8_t *codes,
                         uint8_t *block) {
  switch (type) {
    case VK_Q2_K:
      for (size_t g = 0; g < 16; g++) {
        block[g] = (uint8_t)(header->group_scales[g] | header->group_minimums[g] << 4);
      }
      put_planes(codes, 256, 2, 0, 32, block + 16);
      put_u16(block + 80, header->scale);
      put_u16(block + 82, header->minimum);
      break;
    case VK_Q3_K:
      put_planes(codes, 256, 1, 2, 32, block);
      put_planes(codes, 256, 2, 0, 32, block + 32);
      put_six_bit_scales(header, block + 96);
      put_u16(block + 108, header->scale);
      break;
    case VK_Q4_K:
    case VK_Q5_K:
      put_u16(block, header->scale);
      put_u16(block + 2, header->minimum);
      put_six_bit_pairs(header, block + 4);
      if (type == VK_Q5_K) put_planes(codes, 256, 1, 4, 32, block + 16);
      put_planes(codes, 256, 4, 0, 32, block + (type == VK_Q5_K ? 48 : 16));
      break;
    case VK_Q6_K:
      put_planes(codes, 256, 4, 0, 64, block);
      put_planes(codes, 256, 2, 4, 32, block + 128);
      for (size_t g = 0; g < 16; g++) block[192 + g] = (uint8_t)header->group_scales[g];
      put_u16(block + 208, header->scale);
      break;
    default: break;
  }
}

VK_INLINE void encode_all(const vk_block_type type, const vk_block_header *headers,
                          const uint8_t *codes, size_t blocks, uint8_t *destination) {
  const vk_block_shape shape = block_shape(type);
  const size_t size = (size_t)shape.group * shape.groups;
  for (size_t b = 0; b < blocks; b++) {
    uint8_t *block = destination + b * shape.bytes;
    if (shape.groups == 1) {
      encode_plain(type, headers + b, codes + b * size, block);
    } else {
      encode_super(type, headers + b, codes + b * size, block);
    }
  }
}

VK_INLINE void vk_encode_blocks_body(vk_level level, vk_block_type type,
                                     const vk_block_header *headers, const uint8_t *codes,
                                     size_t blocks, uint8_t *destination) {
  (void)level;
  // With the type a constant, loops over a block are unrolled.
  switch (type) {
#define ENCODE(name, ...) \
  case name: encode_all(name, headers, codes, blocks, destination); break;
    ENCODE(VK_Q4_0)
    ENCODE(VK_Q4_1)
    ENCODE(VK_Q5_0)
    ENCODE(VK_Q5_1)
    ENCODE(VK_Q8_0)
    ENCODE(VK_Q2_K)
    ENCODE(VK_Q3_K)
    ENCODE(VK_Q4_K)
    ENCODE(VK_Q5_K)
    ENCODE(VK_Q6_K)
    ENCODE(VK_IQ4_NL)
#undef ENCODE
    default: break;
  }
}

VK_VARIANTS(void, vk_encode_blocks,
            (vk_level level, vk_block_type type, const vk_block_header *headers,
             const uint8_t *codes, size_t blocks, uint8_t *destination),
            (level, type, headers, codes, blocks, destination))

void vk_block_groups(vk_block_type type, const vk_block_header *header, float *scales,
                     float *minimums) {
  const vk_block_shape shape = block_shape(type);
  const float scale = vk_half_to_float(header->scale);
  const float minimum = shape.has_minimum ? vk_half_to_float(header->minimum) : 0;
  if (shape.groups == 1) {
    scales[0] = scale;
    minimums[0] = minimum;
    return;
  }
  for (size_t g = 0; g < shape.groups; g++) {
    scales[g] = scale * (float)header->group_scales[g];
    minimums[g] = shape.has_minimum ? -(minimum * (float)header->group_minimums[g]) : 0;
  }
}
