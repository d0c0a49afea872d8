// Private: codes whose levels are not evenly spaced.
#ifndef VISE_CODEBOOK_H
#define VISE_CODEBOOK_H

#include <stdint.h>

#include "levels.h"

enum { codebook_levels = 16 };

// The index of the level nearest to `place` among rising ones; halfway it is the lower one's.
VK_INLINE int32_t nearest_in_codebook(const float *codebook, float place) {
  int32_t index = 0;
  for (int32_t k = 1; k < codebook_levels; k++) {
    index += place > 0.5f * (codebook[k - 1] + codebook[k]);
  }
  return index;
}

#endif
