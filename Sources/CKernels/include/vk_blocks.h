// GGUF's block types: a row for each, and how blocks are fitted, encoded and decoded. Layouts: ggml-common.h, and
// `gguf.quants` of the gguf package.
#ifndef VISE_VK_BLOCKS_H
#define VISE_VK_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

#include "vk_levels.h"
#include "vk_rows.h"

/// One row for each type, passed to `ROW`: its name, its decoder `vk_decode_…`, bits of a code, weights that share a
/// scale, groups of a block, bytes of a block, whether groups have a minimum, the least and the greatest code when
/// zero is code 0, and the least and the greatest multiple of a block's scale that a group's is.
///
/// Types that nothing is quantized to have zeros from the minimum on, and their weights' own width for bits.
#define VK_BLOCK_TYPES(ROW)                                      \
  ROW(VK_Q4_0, q4_0, 4, 32, 1, 18, 0, -8, 7, 0, 0)               \
  ROW(VK_Q4_1, q4_1, 4, 32, 1, 20, 1, 0, 15, 0, 0)               \
  ROW(VK_Q5_0, q5_0, 5, 32, 1, 22, 0, -16, 15, 0, 0)             \
  ROW(VK_Q5_1, q5_1, 5, 32, 1, 24, 1, 0, 31, 0, 0)               \
  /* ggml never stores -128, and some of its kernels rely on that. */ \
  ROW(VK_Q8_0, q8_0, 8, 32, 1, 34, 0, -127, 127, 0, 0)           \
  ROW(VK_Q2_K, q2_k, 2, 16, 16, 84, 1, 0, 3, 0, 15)              \
  ROW(VK_Q3_K, q3_k, 3, 16, 16, 110, 0, -4, 3, -32, 31)          \
  ROW(VK_Q4_K, q4_k, 4, 32, 8, 144, 1, 0, 15, 0, 63)             \
  ROW(VK_Q5_K, q5_k, 5, 32, 8, 176, 1, 0, 31, 0, 63)             \
  ROW(VK_Q6_K, q6_k, 6, 16, 16, 210, 0, -32, 31, -128, 127)      \
  /* The ends of its codebook. */                                \
  ROW(VK_IQ4_NL, iq4_nl, 4, 32, 1, 18, 0, -127, 113, 0, 0)       \
  ROW(VK_IQ4_XS, iq4_xs, 4, 32, 8, 136, 0, 0, 0, 0, 0)           \
  ROW(VK_IQ3_XXS, iq3_xxs, 3, 32, 8, 98, 0, 0, 0, 0, 0)          \
  ROW(VK_IQ3_S, iq3_s, 3, 32, 8, 110, 0, 0, 0, 0, 0)             \
  ROW(VK_IQ2_XXS, iq2_xxs, 2, 32, 8, 66, 0, 0, 0, 0, 0)          \
  ROW(VK_IQ2_XS, iq2_xs, 2, 16, 16, 74, 0, 0, 0, 0, 0)           \
  ROW(VK_IQ2_S, iq2_s, 2, 16, 16, 82, 0, 0, 0, 0, 0)             \
  ROW(VK_IQ1_S, iq1_s, 1, 32, 8, 50, 0, 0, 0, 0, 0)              \
  ROW(VK_IQ1_M, iq1_m, 1, 16, 16, 56, 0, 0, 0, 0, 0)             \
  ROW(VK_TQ1_0, tq1_0, 1, 256, 1, 54, 0, 0, 0, 0, 0)             \
  ROW(VK_TQ2_0, tq2_0, 2, 256, 1, 66, 0, 0, 0, 0, 0)             \
  ROW(VK_Q1_0, q1_0, 1, 128, 1, 18, 0, 0, 0, 0, 0)               \
  ROW(VK_Q2_0, q2_0, 2, 64, 1, 18, 0, 0, 0, 0, 0)                \
  ROW(VK_MXFP4_BLOCKS, mxfp4, 4, 32, 1, 17, 0, 0, 0, 0, 0)       \
  ROW(VK_NVFP4_BLOCKS, nvfp4, 4, 16, 4, 36, 0, 0, 0, 0, 0)

#define VK_BLOCK_NAME(name, ...) name,
typedef enum { VK_BLOCK_TYPES(VK_BLOCK_NAME) } vk_block_type;
#undef VK_BLOCK_NAME

/// A type's row.
typedef struct {
  unsigned bits, group, groups, bytes;
  int has_minimum;
  int lowest, highest;
  int least_multiple, most_multiple;
} vk_block_shape;

/// The row of a type.
vk_block_shape vk_shape_of(vk_block_type type);

enum { VK_MOST_GROUPS = 16 };

/// What a block stores beside its codes.
typedef struct {
  /// F16 bits: the scale and the minimum, or what those of groups are multiples of.
  uint16_t scale, minimum;
  /// Multiples of each group, as numbers; only of super-blocks.
  int8_t group_scales[VK_MOST_GROUPS];
  uint8_t group_minimums[VK_MOST_GROUPS];
} vk_block_header;

/// Finds headers for `blocks` blocks of some rows, of `blocks_a_row` each.
///
/// With `searches` the squared error, weighted by `importance` (one a weight of a row; may be null), is made
/// small; without, codes span the weights' range.
void vk_fit_blocks(vk_level level, vk_block_type type, int searches, const float *weights,
                   const float *importance, size_t blocks_a_row, size_t blocks,
                   vk_block_header *headers);

/// The sixteen levels, rising, that a type's codes stand for; NULL if levels are evenly spaced.
const float *vk_codebook(vk_block_type type);

/// The scale and the minimum of each group of a block, in single precision, as decoding computes them.
void vk_block_groups(vk_block_type type, const vk_block_header *header, float *scales,
                     float *minimums);

/// Writes blocks of headers and unsigned codes, one byte each, as GGUF stores them.
void vk_encode_blocks(vk_level level, vk_block_type type, const vk_block_header *headers,
                      const uint8_t *codes, size_t blocks, uint8_t *destination);

/// Rounds the weights of `blocks` blocks to the nearest codes of headers that `vk_fit_blocks` finds, all alike important.
///
/// Returns 0, and leaves blocks unwritten, if a weight is a NaN or an infinity; 1 otherwise.
int vk_round_blocks(vk_level level, vk_block_type type, int searches, vk_float_type source_type,
                    const uint8_t *source, size_t blocks, uint8_t *destination);

/// Decodes `blocks` blocks, bit for bit as ggml does.
void vk_decode_blocks(vk_level level, vk_block_type type, const uint8_t *source, float *destination,
                      size_t blocks);

#endif
