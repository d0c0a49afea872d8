// GGUF's blocks in tiles. Layouts: ggml-common.h.
#include "block_shapes.h"
#include "tiles.h"

// What one block of one row is made of: a code a byte in the order of the weights.
typedef struct {
  uint16_t scale, minimum;
  uint8_t scale_multiples[VK_MOST_GROUPS], minimum_multiples[VK_MOST_GROUPS];
  /// Of the caller's memory.
  uint8_t *codes;
} block_parts;

// The levels of IQ4_NL and IQ4_XS (ggml's kvalues_iq4nl) above -128.
static const uint8_t levels_above[16] = {1,   24,  45,  63,  79,  93,  106, 118,
                                         129, 141, 153, 166, 181, 197, 217, 241};

// Bits of `count` weights, `shift` up in a byte each, which go to bit `to` of their codes.
VK_INLINE void add_plane(const uint8_t *bytes, unsigned shift, unsigned mask, unsigned to,
                         size_t count, uint8_t *codes) {
  for (size_t i = 0; i < count; i++) {
    codes[i] = (uint8_t)(codes[i] | (bytes[i] >> shift & mask) << to);
  }
}

// A minimum that is taken from weights becomes one that is added to them.
VK_INLINE uint16_t negated(uint16_t half) { return half ^ 0x8000u; }

// Codes of 4 bits: those of the first half of a block are the low ones.
VK_INLINE void take_nibbles(const uint8_t *bytes, uint8_t *codes) {
  add_plane(bytes, 0, 15, 0, 16, codes);
  add_plane(bytes, 4, 15, 0, 16, codes + 16);
}

VK_INLINE void take_fifth_bits(const uint8_t *bytes, uint8_t *codes) {
  const uint32_t high = vk_load_u32(bytes);
  for (size_t i = 0; i < 32; i++) codes[i] = (uint8_t)(codes[i] | (high >> i & 1) << 4);
}

VK_INLINE void take_q4_0(const uint8_t *block, block_parts *parts) {
  parts->scale = vk_load_u16(block);
  take_nibbles(block + 2, parts->codes);
}

VK_INLINE void take_q4_1(const uint8_t *block, block_parts *parts) {
  parts->scale = vk_load_u16(block);
  parts->minimum = vk_load_u16(block + 2);
  take_nibbles(block + 4, parts->codes);
}

VK_INLINE void take_q5_0(const uint8_t *block, block_parts *parts) {
  parts->scale = vk_load_u16(block);
  take_nibbles(block + 6, parts->codes);
  take_fifth_bits(block + 2, parts->codes);
}

VK_INLINE void take_q5_1(const uint8_t *block, block_parts *parts) {
  parts->scale = vk_load_u16(block);
  parts->minimum = vk_load_u16(block + 2);
  take_nibbles(block + 8, parts->codes);
  take_fifth_bits(block + 4, parts->codes);
}

VK_INLINE void take_q8_0(const uint8_t *block, block_parts *parts) {
  parts->scale = vk_load_u16(block);
  for (size_t i = 0; i < 32; i++) parts->codes[i] = block[2 + i] ^ 0x80u;
}

VK_INLINE void take_q2_k(const uint8_t *block, block_parts *parts) {
  parts->scale = vk_load_u16(block + 80);
  parts->minimum = negated(vk_load_u16(block + 82));
  for (unsigned g = 0; g < 16; g++) {
    parts->scale_multiples[g] = block[g] & 15;
    parts->minimum_multiples[g] = block[g] >> 4;
    const uint8_t *const codes = block + 16 + 32 * (g / 8) + 16 * (g % 2);
    add_plane(codes, g % 8 / 2 * 2, 3, 0, 16, parts->codes + 16 * g);
  }
}

VK_INLINE void take_q3_k(const uint8_t *block, block_parts *parts) {
  parts->scale = vk_load_u16(block + 108);
  for (unsigned g = 0; g < 16; g++) {
    const int low = block[96 + g % 8] >> (g / 8 * 4) & 15;
    const int high = block[104 + g % 4] >> (g / 4 * 2) & 3;
    parts->scale_multiples[g] = (uint8_t)((low | high << 4) - 32);
    const size_t half = 16 * (g % 2);
    uint8_t *const codes = parts->codes + 16 * g;
    add_plane(block + 32 + 32 * (g / 8) + half, g % 8 / 2 * 2, 3, 0, 16, codes);
    add_plane(block + half, g / 2, 1, 2, 16, codes);
  }
}

// The six-bit multiples of Q4_K and Q5_K: of the first four groups whole, of the rest in two parts each.
VK_INLINE void take_pairs(const uint8_t *bytes, block_parts *parts) {
  for (unsigned k = 0; k < 4; k++) {
    parts->scale_multiples[k] = bytes[k] & 63;
    parts->minimum_multiples[k] = bytes[4 + k] & 63;
    parts->scale_multiples[4 + k] = (uint8_t)((bytes[8 + k] & 15) | bytes[k] >> 6 << 4);
    parts->minimum_multiples[4 + k] = (uint8_t)(bytes[8 + k] >> 4 | bytes[4 + k] >> 6 << 4);
  }
}

VK_INLINE void take_q4_k(const uint8_t *block, block_parts *parts) {
  parts->scale = vk_load_u16(block);
  parts->minimum = negated(vk_load_u16(block + 2));
  take_pairs(block + 4, parts);
  for (unsigned g = 0; g < 8; g++) {
    add_plane(block + 16 + 32 * (g / 2), g % 2 * 4, 15, 0, 32, parts->codes + 32 * g);
  }
}

VK_INLINE void take_q5_k(const uint8_t *block, block_parts *parts) {
  parts->scale = vk_load_u16(block);
  parts->minimum = negated(vk_load_u16(block + 2));
  take_pairs(block + 4, parts);
  for (unsigned g = 0; g < 8; g++) {
    add_plane(block + 48 + 32 * (g / 2), g % 2 * 4, 15, 0, 32, parts->codes + 32 * g);
    add_plane(block + 16, g, 1, 4, 32, parts->codes + 32 * g);
  }
}

VK_INLINE void take_q6_k(const uint8_t *block, block_parts *parts) {
  parts->scale = vk_load_u16(block + 208);
  for (unsigned g = 0; g < 16; g++) {
    parts->scale_multiples[g] = block[192 + g];
    const unsigned run = g / 8, quarter = g % 8 / 2, half = g % 2;
    uint8_t *const codes = parts->codes + 16 * g;
    add_plane(block + 64 * run + 32 * (quarter % 2) + 16 * half, quarter / 2 * 4, 15, 0, 16, codes);
    add_plane(block + 128 + 32 * run + 16 * half, quarter * 2, 3, 4, 16, codes);
  }
}

VK_INLINE void take_iq4_nl(const uint8_t *block, block_parts *parts) {
  parts->scale = vk_load_u16(block);
  take_nibbles(block + 2, parts->codes);
}

VK_INLINE void take_iq4_xs(const uint8_t *block, block_parts *parts) {
  parts->scale = vk_load_u16(block);
  const unsigned high = vk_load_u16(block + 2);
  for (unsigned g = 0; g < 8; g++) {
    const unsigned low = block[4 + g / 2] >> (g % 2 * 4) & 15u;
    parts->scale_multiples[g] = (uint8_t)((int)(low | (high >> (2 * g) & 3u) << 4) - 32);
    take_nibbles(block + 8 + 16 * g, parts->codes + 32 * g);
  }
}

VK_INLINE void take_block(vk_block_type type, const uint8_t *block, block_parts *parts) {
  const vk_block_shape shape = block_shape(type);
  memset(parts->codes, 0, shape.group * shape.groups);
  switch (type) {
    case VK_Q4_0: take_q4_0(block, parts); break;
    case VK_Q4_1: take_q4_1(block, parts); break;
    case VK_Q5_0: take_q5_0(block, parts); break;
    case VK_Q5_1: take_q5_1(block, parts); break;
    case VK_Q8_0: take_q8_0(block, parts); break;
    case VK_Q2_K: take_q2_k(block, parts); break;
    case VK_Q3_K: take_q3_k(block, parts); break;
    case VK_Q4_K: take_q4_k(block, parts); break;
    case VK_Q5_K: take_q5_k(block, parts); break;
    case VK_Q6_K: take_q6_k(block, parts); break;
    case VK_IQ4_NL: take_iq4_nl(block, parts); break;
    case VK_IQ4_XS: take_iq4_xs(block, parts); break;
    default: break;
  }
}

int vk_tile_block_kind(vk_block_type type, vk_tile_kind *kind) {
  const vk_block_shape shape = block_shape(type);
  *kind = (vk_tile_kind){
      .bits = shape.bits,
      .group = shape.group,
      .groups_a_scale = shape.groups,
      .has_minimums = shape.has_minimum,
      .has_multiples = shape.groups > 1,
  };
  switch (type) {
    case VK_Q4_0:
    case VK_Q5_0:
    case VK_Q8_0: kind->zero = (float)(1u << (shape.bits - 1)); return 1;
    case VK_Q4_1:
    case VK_Q5_1:
    case VK_Q2_K:
    case VK_Q4_K:
    case VK_Q5_K: return 1;
    case VK_Q3_K:
    case VK_Q6_K:
      kind->zero = type == VK_Q3_K ? 4 : 32;
      kind->multiples_are_signed = 1;
      return 1;
    case VK_IQ4_NL:
    case VK_IQ4_XS:
      kind->zero = 128;
      kind->table = levels_above;
      kind->multiples_are_signed = type == VK_IQ4_XS;
      return 1;
    default: return 0;
  }
}

VK_INLINE void put_lane(const uint8_t *values, size_t count, size_t lane, uint8_t *destination) {
  for (size_t i = 0; i < count; i++) destination[i * VK_TILE_ROWS + lane] = values[i];
}

VK_INLINE void tile_blocks(vk_block_type type, const uint8_t *const *rows, size_t count,
                           size_t columns, uint8_t *scratch, const vk_tile_destination *to) {
  const vk_block_shape shape = block_shape(type);
  const size_t width = shape.group * shape.groups, blocks = columns / width;
  for (size_t lane = 0; lane < count; lane++) {
    for (size_t b = 0; b < blocks; b++) {
      block_parts parts = {.codes = scratch + lane * columns + b * width};
      take_block(type, rows[lane] + b * shape.bytes, &parts);
      const size_t shared = b * VK_TILE_ROWS + lane, groups = b * shape.groups * VK_TILE_ROWS;
      to->scales[shared] = parts.scale;
      if (to->minimums) to->minimums[shared] = parts.minimum;
      if (to->scale_multiples) {
        put_lane(parts.scale_multiples, shape.groups, lane, to->scale_multiples + groups);
      }
      if (to->minimum_multiples) {
        put_lane(parts.minimum_multiples, shape.groups, lane, to->minimum_multiples + groups);
      }
    }
  }
}

VK_INLINE void vk_tile_blocks_body(vk_level level, vk_block_type type, const uint8_t *const *rows,
                                   size_t count, size_t columns, uint8_t *scratch,
                                   const vk_tile_destination *to) {
  // A constant type lets the compiler unroll.
  switch (type) {
    case VK_Q4_0: tile_blocks(VK_Q4_0, rows, count, columns, scratch, to); break;
    case VK_Q4_1: tile_blocks(VK_Q4_1, rows, count, columns, scratch, to); break;
    case VK_Q5_0: tile_blocks(VK_Q5_0, rows, count, columns, scratch, to); break;
    case VK_Q5_1: tile_blocks(VK_Q5_1, rows, count, columns, scratch, to); break;
    case VK_Q8_0: tile_blocks(VK_Q8_0, rows, count, columns, scratch, to); break;
    case VK_Q2_K: tile_blocks(VK_Q2_K, rows, count, columns, scratch, to); break;
    case VK_Q3_K: tile_blocks(VK_Q3_K, rows, count, columns, scratch, to); break;
    case VK_Q4_K: tile_blocks(VK_Q4_K, rows, count, columns, scratch, to); break;
    case VK_Q5_K: tile_blocks(VK_Q5_K, rows, count, columns, scratch, to); break;
    case VK_Q6_K: tile_blocks(VK_Q6_K, rows, count, columns, scratch, to); break;
    case VK_IQ4_NL: tile_blocks(VK_IQ4_NL, rows, count, columns, scratch, to); break;
    case VK_IQ4_XS: tile_blocks(VK_IQ4_XS, rows, count, columns, scratch, to); break;
    default: return;
  }
  vk_tile_codes(level, scratch, count, columns, block_shape(type).bits, to->codes);
}

VK_VARIANTS(void, vk_tile_blocks,
            (vk_level level, vk_block_type type, const uint8_t *const *rows, size_t count,
             size_t columns, uint8_t *scratch, const vk_tile_destination *to),
            (level, type, rows, count, columns, scratch, to))
