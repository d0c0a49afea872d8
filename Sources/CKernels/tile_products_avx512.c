// Products of tiles with AVX-512 VNNI.
#include "levels.h"

#ifdef VK_X86
#include <immintrin.h>

#define LANES 16
#define TARGET VK_TARGET_AVX512
#define REGISTER __m512i
#define DOT _mm512_dpbusd_epi32
#include "tile_products_x86.h"

TARGET VK_INLINE void look_up(const uint8_t *table, codes *vectors) {
  const __m512i levels = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)table));
  for (size_t k = 0; k < VK_VECTORS; k++) {
    vectors[k] = (codes)_mm512_shuffle_epi8(levels, (__m512i)vectors[k]);
  }
}

#define EXPAND(mask, vector) (codes) _mm512_maskz_expand_epi8(mask, (__m512i)(vector))
#include "tile_products_lanes.h"

void vk_tiles_times_avx512(const vk_tiles *matrix, size_t first, size_t count,
                           const vk_tile_inputs *inputs, float *y, size_t y_stride) {
  times(matrix, first, count, inputs, y, y_stride);
}
#endif
