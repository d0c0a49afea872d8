// Products of tiles with AVX-VNNI: registers of 8 rows.
#include "levels.h"

#ifdef VK_X86
#include <immintrin.h>

#define LANES 8
#define TARGET VK_TARGET_AVX2_VNNI
#define REGISTER __m256i
#define DOT _mm256_dpbusd_avx_epi32
#include "tile_products_x86.h"

TARGET VK_INLINE void look_up(const uint8_t *table, codes *vectors) {
  const __m256i levels = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)table));
  for (size_t k = 0; k < VK_VECTORS; k++) {
    vectors[k] = (codes)_mm256_shuffle_epi8(levels, (__m256i)vectors[k]);
  }
}

#define LEVEL VK_AVX2_VNNI
#include "tile_products_lanes.h"

void vk_tiles_times_avx2_vnni(const vk_tiles *matrix, size_t first, size_t count,
                              const vk_tile_inputs *inputs, float *y, size_t y_stride) {
  times(matrix, first, count, inputs, y, y_stride);
}
#endif
