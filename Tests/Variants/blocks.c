// GGUF's blocks: fitted, written, rounded to in one step and read.
#include "vk_blocks.h"

#include "variants.h"

#include <stdlib.h>
#include <string.h>

static void try_fitting(vk_level level, vk_block_type type, size_t blocks) {
  const vk_block_shape shape = vk_shape_of(type);
  const size_t size = (size_t)shape.group * shape.groups, count = blocks * size;
  float *const weights = random_floats(count, 0.1f);
  // A block of zeros, of which a search finds nothing.
  memset(weights, 0, size * sizeof(float));
  float *const importance = random_importance(count);
  uint8_t *const codes = random_bytes(count), *const destination = room_for(blocks * shape.bytes);
  for (size_t i = 0; i < count; i++) codes[i] &= (uint8_t)((1u << shape.bits) - 1);
  for (int way = 0; way < 3; way++) {
    vk_block_header *const headers = calloc(blocks, sizeof *headers);
    if (!headers) abort();
    vk_fit_blocks(level, type, way > 0, weights, way > 1 ? importance : NULL, blocks, blocks, headers);
    for (size_t i = 0; i < blocks; i++) {
      // A type's headers have values that it does not store.
      float values[2 * VK_MOST_GROUPS] = {0};
      vk_block_groups(type, headers + i, values, values + VK_MOST_GROUPS);
      same("scales and minimums of blocks", values, sizeof values);
    }
    memset(destination, 0, blocks * shape.bytes);
    vk_encode_blocks(level, type, headers, codes, blocks, destination);
    same("blocks", destination, blocks * shape.bytes);
    free(headers);
  }
  for (int searches = 0; searches < 2; searches++) {
    memset(destination, 0, blocks * shape.bytes);
    const int are_finite = vk_round_blocks(level, type, searches, VK_F32, (const uint8_t *)weights, blocks,
                                           destination);
    same("whether weights are finite", &are_finite, sizeof are_finite);
    same("rounded blocks", destination, blocks * shape.bytes);
  }
  free(destination);
  free(codes);
  free(importance);
  free(weights);
}

static void try_decoding(vk_level level, vk_block_type type, size_t blocks) {
  const vk_block_shape shape = vk_shape_of(type);
  const size_t count = blocks * shape.group * shape.groups;
  uint8_t *const source = random_bytes(blocks * shape.bytes);
  float *const weights = room_for(count * sizeof(float));
  vk_decode_blocks(level, type, source, weights, blocks);
  // Scales of random bits may be no numbers, of which only that is the same.
  for (size_t i = 0; i < count; i++) {
    if (weights[i] != weights[i]) weights[i] = 0;
  }
  same("decoded blocks", weights, count * sizeof(float));
  free(weights);
  free(source);
}

void try_blocks(vk_level level) {
  static const vk_block_type fitted[] = {VK_Q4_0, VK_Q4_1, VK_Q5_0, VK_Q5_1, VK_Q8_0,  VK_Q2_K,
                                         VK_Q3_K, VK_Q4_K, VK_Q5_K, VK_Q6_K, VK_IQ4_NL};
  for (size_t i = 0; i < sizeof fitted / sizeof fitted[0]; i++) {
    for (size_t blocks = 1; blocks <= 5; blocks += 2) try_fitting(level, fitted[i], blocks);
  }
#define TRY(name, ...)            \
  try_decoding(level, name, 1); \
  try_decoding(level, name, 3);
  VK_BLOCK_TYPES(TRY)
#undef TRY
}
