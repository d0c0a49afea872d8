// Products of tiles with dotprod, which multiplies bytes with signs only.
#include "levels.h"

#ifdef VK_ARM64
#define TARGET VK_TARGET_NEON_DOT
// Codes beyond 127 are taken as what they are above 128.
#define OFFSET(is_wide) ((is_wide) ? 128 : 0)
#define DOT(sum, codes, x, lane, is_wide)                                                    \
  vdotq_laneq_s32(sum, (int8x16_t)((is_wide) ? (codes) ^ (uint8_t)0x80 : (codes)), x, lane)
#include "tile_products_neon.h"

enum { TOKENS_A_STEP = 1 };

VK_INLINE void arrange(codes *vectors) { (void)vectors; }

TARGET VK_INLINE void multiply(const codes *vectors, size_t from, size_t to, const int8_t *x,
                               size_t count, int is_wide, integers *sums) {
  (void)count;
  sums[0] = multiply_one(vectors, from, to, x, is_wide);
}

#define LEVEL VK_NEON_DOT
#include "tile_products_lanes.h"

void vk_tiles_times_dot(const vk_tiles *matrix, size_t first, size_t count,
                        const vk_tile_inputs *inputs, float *y, size_t y_stride) {
  times(matrix, first, count, inputs, y, y_stride);
}
#endif
