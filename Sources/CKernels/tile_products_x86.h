// Private: what products of tiles with VNNI have in common, in registers of any size.
#include "tile_lanes.h"

// Unsigned bytes multiply with signed ones.
#define OFFSET(is_wide) ((void)(is_wide), 0)
enum { TOKENS_A_STEP = 1 };

VK_INLINE void arrange(codes *vectors) { (void)vectors; }

TARGET VK_INLINE void multiply(const codes *vectors, size_t from, size_t to, const int8_t *x,
                               size_t count, int is_wide, integers *sums) {
  (void)count, (void)is_wide;
  integers sum = {0};
  for (size_t k = from; k < to; k++) {
    int32_t four;
    memcpy(&four, x + 4 * k, sizeof four);
    sum = (integers)DOT((REGISTER)sum, (REGISTER)vectors[k], (REGISTER)((integers){0} + four));
  }
  sums[0] = sum;
}
