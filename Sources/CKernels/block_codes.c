#include "block_shapes.h"
#include "floats.h"

// The order in which K types keep the codes of a super-block: in each run of `span` bytes, plane p
// holds the codes that follow p * span.
VK_INLINE size_t place_in(size_t index, size_t span, unsigned planes, unsigned *plane) {
  const size_t run = index / (span * planes), rest = index % (span * planes);
  *plane = (unsigned)(rest / span);
  return run * span + rest % span;
}

// The codes' low bits, `bits` wide, in runs of `span` bytes.
VK_INLINE void put_planes(const uint8_t *codes, size_t count, unsigned bits, unsigned shift,
                          size_t span, uint8_t *bytes) {
  const uint8_t mask = (uint8_t)((1u << bits) - 1u);
  for (size_t i = 0; i < count; i++) {
    unsigned plane;
    const size_t place = place_in(i, span, 8 / bits, &plane);
    bytes[place] |= (uint8_t)((codes[i] >> shift & mask) << (plane * bits));
  }
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
  for (size_t g = 0; g < 16; g++) {
    const uint8_t scale = (uint8_t)(header->group_scales[g] + 32);
    bytes[g % 8] |= (uint8_t)((scale & 15) << (g / 8 * 4));
    bytes[8 + g % 4] |= (uint8_t)((scale >> 4) << (g / 4 * 2));
  }
}

static void encode_plain(vk_block_type type, const vk_block_header *header, const uint8_t *codes,
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
    for (size_t i = 0; i < 32; i++) block[i / 8] |= (uint8_t)((codes[i] >> 4 & 1) << (i % 8));
    block += 4;
  }
  put_planes(codes, 32, 4, 0, 16, block);
}

static void encode_super(vk_block_type type, const vk_block_header *header, const uint8_t *codes,
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

void vk_encode_blocks(vk_block_type type, const vk_block_header *headers, const uint8_t *codes,
                      size_t blocks, uint8_t *destination) {
  const vk_block_shape shape = block_shape(type);
  const size_t size = (size_t)shape.group * shape.groups;
  memset(destination, 0, blocks * shape.bytes);
  for (size_t b = 0; b < blocks; b++) {
    uint8_t *block = destination + b * shape.bytes;
    if (shape.groups == 1) {
      encode_plain(type, headers + b, codes + b * size, block);
    } else {
      encode_super(type, headers + b, codes + b * size, block);
    }
  }
}

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
