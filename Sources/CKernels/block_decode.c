#include "block_shapes.h"

vk_block_shape vk_shape_of(vk_block_type type) { return block_shape(type); }

void vk_decode_blocks(vk_level level, vk_block_type type, const uint8_t *source, float *destination,
                      size_t blocks) {
  switch (type) {
#define DECODE(name, decoder, ...) \
  case name: vk_decode_##decoder(level, source, destination, blocks); break;
    VK_BLOCK_TYPES(DECODE)
#undef DECODE
  }
}
