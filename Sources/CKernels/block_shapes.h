// Private: what the fitting, encoding and decoding of block types need to know of each.
#ifndef VISE_BLOCK_SHAPES_H
#define VISE_BLOCK_SHAPES_H

#include "levels.h"
#include "vk_blocks.h"

typedef struct {
  unsigned bits, group, groups, bytes;
  int has_minimum;
  /// Codes lie between these when zero is code 0.
  int lowest, highest;
  /// What multiples of a super-block's scales lie between; 0 and 0 for plain blocks.
  int least_multiple, most_multiple;
} vk_block_shape;

VK_INLINE vk_block_shape vk_shape_of(vk_block_type type) {
  switch (type) {
    case VK_Q4_0: return (vk_block_shape){4, 32, 1, 18, 0, -8, 7, 0, 0};
    case VK_Q4_1: return (vk_block_shape){4, 32, 1, 20, 1, 0, 15, 0, 0};
    case VK_Q5_0: return (vk_block_shape){5, 32, 1, 22, 0, -16, 15, 0, 0};
    case VK_Q5_1: return (vk_block_shape){5, 32, 1, 24, 1, 0, 31, 0, 0};
    // ggml never stores -128, and some of its kernels rely on that.
    case VK_Q8_0: return (vk_block_shape){8, 32, 1, 34, 0, -127, 127, 0, 0};
    case VK_Q2_K: return (vk_block_shape){2, 16, 16, 84, 1, 0, 3, 0, 15};
    case VK_Q3_K: return (vk_block_shape){3, 16, 16, 110, 0, -4, 3, -32, 31};
    case VK_Q4_K: return (vk_block_shape){4, 32, 8, 144, 1, 0, 15, 0, 63};
    case VK_Q5_K: return (vk_block_shape){5, 32, 8, 176, 1, 0, 31, 0, 63};
    case VK_Q6_K: return (vk_block_shape){6, 16, 16, 210, 0, -32, 31, -128, 127};
    // The ends of the codebook.
    case VK_IQ4_NL: break;
  }
  return (vk_block_shape){4, 32, 1, 18, 0, -127, 113, 0, 0};
}

#endif
