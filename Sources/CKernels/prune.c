#include "levels.h"
#include "vk_quantize.h"

VK_INLINE void vk_prune_blocks_body(vk_level level, float *values, size_t count, size_t kept,
                                    size_t of) {
  (void)level;
  float magnitudes[32];
  for (size_t start = 0; start + of <= count; start += of) {
    float *block = values + start;
    for (size_t i = 0; i < of; i++) magnitudes[i] = block[i] < 0 ? -block[i] : block[i];
    for (size_t i = 0; i < of; i++) {
      size_t rank = 0;
      for (size_t j = 0; j < of; j++) {
        rank += magnitudes[j] < magnitudes[i] || (magnitudes[j] == magnitudes[i] && j < i);
      }
      if (rank < of - kept) block[i] = 0;
    }
  }
}

VK_VARIANTS(void, vk_prune_blocks,
            (vk_level level, float *values, size_t count, size_t kept, size_t of),
            (level, values, count, kept, of))
