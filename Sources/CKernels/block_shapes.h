// Private: the rows of block types, where a constant type makes them constants, and the decoders that rows name.
#ifndef VISE_BLOCK_SHAPES_H
#define VISE_BLOCK_SHAPES_H

#include "levels.h"
#include "vk_blocks.h"

VK_INLINE vk_block_shape block_shape(vk_block_type type) {
  switch (type) {
#define SHAPE(name, decoder, ...) \
  case name: return (vk_block_shape){__VA_ARGS__};
    VK_BLOCK_TYPES(SHAPE)
#undef SHAPE
  }
  return (vk_block_shape){0};
}

#define DECODER(name, decoder, ...) \
  void vk_decode_##decoder(vk_level level, const uint8_t *source, float *destination, size_t blocks);
VK_BLOCK_TYPES(DECODER)
#undef DECODER

// Defines the decoder that is called so from its body, for every level.
#define VK_DECODER(name)                                                                       \
  VK_VARIANTS(void, vk_decode_##name,                                                          \
              (vk_level level, const uint8_t *source, float *destination, size_t blocks),      \
              (level, source, destination, blocks))

#endif
