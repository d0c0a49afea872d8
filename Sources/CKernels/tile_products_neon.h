// Private: what products of tiles with NEON have in common: registers of 4 rows.
#include <arm_neon.h>

#define LANES 4
#include "tile_lanes.h"

TARGET VK_INLINE void look_up(const uint8_t *table, codes *vectors) {
  const uint8x16_t levels = vld1q_u8(table);
  for (size_t k = 0; k < VK_VECTORS; k++) {
    vectors[k] = (codes)vqtbl1q_u8(levels, (uint8x16_t)vectors[k]);
  }
}

// Sums of half a unit's vectors times sixteen bytes, added to others.
TARGET VK_INLINE int32x4_t add_half(int32x4_t sum, const codes *vectors, const int8_t *x,
                                    int is_wide) {
  const int8x16_t inputs = vld1q_s8(x);
  sum = DOT(sum, vectors[0], inputs, 0, is_wide);
  sum = DOT(sum, vectors[1], inputs, 1, is_wide);
  sum = DOT(sum, vectors[2], inputs, 2, is_wide);
  return DOT(sum, vectors[3], inputs, 3, is_wide);
}

// The sums of vectors [from, to) times one token.
TARGET VK_INLINE integers multiply_one(const codes *vectors, size_t from, size_t to,
                                       const int8_t *x, int is_wide) {
  int32x4_t sum = vdupq_n_s32(0);
  for (size_t k = from; k < to; k += HALF) sum = add_half(sum, vectors + k, x + 4 * k, is_wide);
  return (integers)sum;
}
