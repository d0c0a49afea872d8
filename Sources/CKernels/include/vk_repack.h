// GGUF's quantized blocks turned into packed rows, code for code.
#ifndef VISE_VK_REPACK_H
#define VISE_VK_REPACK_H

#include <stddef.h>
#include <stdint.h>

/// How one of ggml's block types of 32 weights is laid out.
typedef struct {
  /// Bytes of a block.
  size_t bytes;
  /// Bits of a code: 4, 5 or 8.
  unsigned bits;
  /// Whether an F16 minimum follows the scale.
  int has_minimum;
} vk_block_layout;

/// Repacks one row: `bits` words of codes and a scale (and a minimum) for each block.
void vk_repack(const vk_block_layout *layout, const uint8_t *blocks, size_t count, uint32_t *codes,
               uint16_t *scales, uint16_t *minimums);

#endif
