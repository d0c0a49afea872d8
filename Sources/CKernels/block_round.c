#include "block_shapes.h"
#include "codebook.h"
#include "lanes.h"
#include "rounding.h"

// Codes must not depend on the processor: a fused multiply-add rounds once where two steps round twice.
#pragma clang fp contract(off)

// Weights that are rounded at a time, so that nothing leaves the first cache on the way: whole blocks of every type,
// and sixteen groups of those whose blocks are small.
enum { portion = 512 };

// Decodes plain floats; whether all are numbers.
VK_INLINE int decode_floats(vk_level level, vk_float_type type, const uint8_t *source,
                            size_t count, float *weights) {
  switch (type) {
    case VK_F32: memcpy(weights, source, count * sizeof *weights); break;
    case VK_F16:
      for (size_t i = 0; i < count; i++) weights[i] = vk_half_at(level, source + 2 * i);
      break;
    case VK_BF16:
      for (size_t i = 0; i < count; i++) {
        weights[i] = vk_bfloat_to_float(vk_load_u16(source + 2 * i));
      }
      break;
  }
  uint32_t largest = 0;
  for (size_t i = 0; i < count; i++) {
    const uint32_t size = vk_to_bits(weights[i]) & 0x7fffffffu;
    largest = size > largest ? size : largest;
  }
  return largest < 0x7f800000u;
}

// The unsigned codes nearest to a group's weights.
VK_INLINE void round_group(const vk_block_shape *shape, const float *codebook, float scale,
                           float minimum, const float *weights, uint8_t *codes) {
  const float lowest = (float)shape->lowest, highest = (float)shape->highest;
  const float base = shape->has_minimum ? 0 : -(float)(1 << (shape->bits - 1));
  for (size_t i = 0; i < shape->group; i += vk_lanes) {
    vk_floats x;
    memcpy(&x, weights + i, sizeof x);
    vk_ints found = 0;
    if (codebook) {
      const vk_floats place = scale == 0 ? (vk_floats)0 : x / scale;
      for (size_t c = 1; c < codebook_levels; c++) {
        found -= place > 0.5f * (codebook[c - 1] + codebook[c]);
      }
    } else {
      const vk_floats place = scale == 0 ? (vk_floats)0 : (x - minimum) / scale;
      const vk_floats clamped = VK_CLAMP_LANES(place, lowest, highest);
      const vk_floats code = VK_ROUND_LANES(clamped) - base;
      found = __builtin_convertvector(code, vk_ints);
    }
    typedef uint8_t bytes __attribute__((ext_vector_type(16)));
    const bytes narrow = __builtin_convertvector(found, bytes);
    memcpy(codes + i, &narrow, sizeof narrow);
  }
}

VK_INLINE void round_codes(const vk_block_type type, const vk_block_header *headers,
                           const float *weights, size_t blocks, uint8_t *codes) {
  const vk_block_shape shape = block_shape(type);
  const float *const codebook = type == VK_IQ4_NL ? vk_codebook(type) : 0;
  for (size_t b = 0; b < blocks; b++) {
    const float scale = vk_half_to_float(headers[b].scale);
    const float minimum = shape.has_minimum ? vk_half_to_float(headers[b].minimum) : 0;
    for (size_t g = 0; g < shape.groups; g++) {
      const int is_super = shape.groups > 1;
      // As decoding computes them.
      const float group_scale = is_super ? scale * (float)headers[b].group_scales[g] : scale;
      const float group_minimum =
          is_super && shape.has_minimum ? -(minimum * (float)headers[b].group_minimums[g]) : minimum;
      round_group(&shape, codebook, group_scale, group_minimum, weights, codes);
      weights += shape.group;
      codes += shape.group;
    }
  }
}

VK_INLINE int vk_round_blocks_body(vk_level level, vk_block_type type, int searches,
                                   vk_float_type source_type, const uint8_t *source, size_t blocks,
                                   uint8_t *destination) {
  const vk_block_shape shape = block_shape(type);
  const size_t size = (size_t)shape.group * shape.groups, at_once = portion / size;
  const size_t bytes = size * (source_type == VK_F32 ? 4 : 2);
  float weights[portion];
  uint8_t codes[portion];
  vk_block_header headers[portion / 32];
  for (size_t b = 0; b < blocks; b += at_once) {
    const size_t count = blocks - b < at_once ? blocks - b : at_once;
    if (!decode_floats(level, source_type, source + b * bytes, count * size, weights)) return 0;
    vk_fit_blocks(level, type, searches, weights, 0, count, count, headers);
    switch (type) {
#define ROUND(name) \
  case name: round_codes(name, headers, weights, count, codes); break;
      ROUND(VK_Q4_0)
      ROUND(VK_Q4_1)
      ROUND(VK_Q5_0)
      ROUND(VK_Q5_1)
      ROUND(VK_Q8_0)
      ROUND(VK_Q2_K)
      ROUND(VK_Q3_K)
      ROUND(VK_Q4_K)
      ROUND(VK_Q5_K)
      ROUND(VK_Q6_K)
      ROUND(VK_IQ4_NL)
#undef ROUND
      default: return 0;
    }
    vk_encode_blocks(level, type, headers, codes, count, destination + b * shape.bytes);
  }
  return 1;
}

VK_VARIANTS(int, vk_round_blocks,
            (vk_level level, vk_block_type type, int searches, vk_float_type source_type,
             const uint8_t *source, size_t blocks, uint8_t *destination),
            (level, type, searches, source_type, source, blocks, destination))
