// GGUF's block types with scales of groups against a scale of the block, and how all block types are
// fitted, encoded and decoded. Layouts: ggml-common.h, and `gguf.quants` of the gguf package.
#ifndef VISE_VK_BLOCKS_H
#define VISE_VK_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

#include "vk_levels.h"

typedef enum {
  VK_Q4_0,
  VK_Q4_1,
  VK_Q5_0,
  VK_Q5_1,
  VK_Q8_0,
  VK_Q2_K,
  VK_Q3_K,
  VK_Q4_K,
  VK_Q5_K,
  VK_Q6_K,
  VK_IQ4_NL,
} vk_block_type;

enum { VK_MOST_GROUPS = 16 };

/// What a block stores beside its codes.
typedef struct {
  /// F16 bits: the scale and the minimum, or what those of groups are multiples of.
  uint16_t scale, minimum;
  /// Multiples of each group, as numbers; only of super-blocks.
  int8_t group_scales[VK_MOST_GROUPS];
  uint8_t group_minimums[VK_MOST_GROUPS];
} vk_block_header;

/// Finds headers for `blocks` blocks of a row.
///
/// With `searches` the squared error, weighted by `importance` (one a weight; may be null), is made
/// small; without, codes span the weights' range.
void vk_fit_blocks(vk_level level, vk_block_type type, int searches, const float *weights,
                   const float *importance, size_t blocks, vk_block_header *headers);

/// The sixteen levels, rising, that a type's codes stand for; NULL if levels are evenly spaced.
const float *vk_codebook(vk_block_type type);

/// The scale and the minimum of each group of a block, in single precision, as decoding computes them.
void vk_block_groups(vk_block_type type, const vk_block_header *header, float *scales,
                     float *minimums);

/// Writes blocks of headers and unsigned codes, one byte each, as GGUF stores them.
void vk_encode_blocks(vk_block_type type, const vk_block_header *headers, const uint8_t *codes,
                      size_t blocks, uint8_t *destination);

/// Decodes `blocks` blocks of one of the K types, or of IQ4_NL.
void vk_decode_blocks(vk_level level, vk_block_type type, const uint8_t *source, float *destination,
                      size_t blocks);

#endif
