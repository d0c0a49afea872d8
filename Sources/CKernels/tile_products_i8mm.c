// Products of tiles with i8mm. Many tokens share codes two by two: one instruction multiplies eight columns of two rows with
// those of two tokens.
#include "levels.h"

#ifdef VK_ARM64
#define TARGET VK_TARGET_NEON_I8MM
#define OFFSET(is_wide) ((void)(is_wide), 0)
#define DOT(sum, codes, x, lane, is_wide) \
  ((void)(is_wide), vusdotq_laneq_s32(sum, (uint8x16_t)(codes), x, lane))
#include "tile_products_neon.h"

enum { TOKENS_A_STEP = 2 };

// Two vectors of four columns become eight columns of the first two rows, and of the other two.
TARGET VK_INLINE void arrange(codes *vectors) {
  for (size_t k = 0; k < VK_VECTORS; k += 2) {
    const uint32x4_t first = (uint32x4_t)vectors[k], second = (uint32x4_t)vectors[k + 1];
    vectors[k] = (codes)vzip1q_u32(first, second);
    vectors[k + 1] = (codes)vzip2q_u32(first, second);
  }
}

TARGET VK_INLINE void multiply(const codes *vectors, size_t from, size_t to, const int8_t *x,
                               size_t count, int is_wide, integers *sums) {
  if (count == 1) {
    sums[0] = multiply_one(vectors, from, to, x, is_wide);
    return;
  }
  int32x4_t upper = vdupq_n_s32(0), lower = vdupq_n_s32(0);
  for (size_t k = from; k < to; k += 2) {
    const int8x16_t both = vcombine_s8(vld1_s8(x + 4 * k), vld1_s8(x + VK_UNIT_COLUMNS + 4 * k));
    upper = vusmmlaq_s32(upper, (uint8x16_t)vectors[k], both);
    lower = vusmmlaq_s32(lower, (uint8x16_t)vectors[k + 1], both);
  }
  // Each has a row's two tokens side by side.
  sums[0] = (integers)vuzp1q_s32(upper, lower);
  sums[1] = (integers)vuzp2q_s32(upper, lower);
}

#define LEVEL VK_NEON_I8MM
#include "tile_products_lanes.h"

void vk_tiles_times_i8mm(const vk_tiles *matrix, size_t first, size_t count,
                         const vk_tile_inputs *inputs, float *y, size_t y_stride) {
  times(matrix, first, count, inputs, y, y_stride);
}
#endif
