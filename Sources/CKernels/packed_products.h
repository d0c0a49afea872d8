// Private: the two ways to multiply packed rows.
#ifndef VISE_PACKED_PRODUCTS_H
#define VISE_PACKED_PRODUCTS_H

#include "levels.h"
#include "vk_packed.h"

/// Values that share a step: whole groups, or part of one.
enum { VK_BLOCK = 64 };

VK_INLINE size_t vk_padded(size_t count, size_t to) { return (count + to - 1) / to * to; }

/// Values of a segment, which lies in one group and one block.
VK_INLINE size_t vk_segment(size_t group) { return group < VK_BLOCK ? group : VK_BLOCK; }

/// Whether groups and blocks of 64 nest, so that planes can be used.
VK_INLINE int vk_uses_planes(vk_level level, size_t group) {
  return level == VK_AVX512 &&
         (group % VK_BLOCK == 0 || (group >= 4 && VK_BLOCK % group == 0));
}

/// Products in single precision.
void vk_floats_times(vk_level level, const vk_packed *matrix, size_t first, size_t count,
                     const vk_packed_input *inputs, size_t tokens, uint8_t *scratch, float *y,
                     size_t y_stride);

#ifdef VK_X86
/// Fills what is 0: three planes of the columns rounded up to 64, steps and sums.
void vk_planes_prepare(const float *x, size_t columns, size_t group, int8_t *planes, float *steps,
                       float *sums);
/// Products in integers.
void vk_planes_times(const vk_packed *matrix, size_t first, size_t count,
                     const vk_packed_input *inputs, size_t tokens, float *y, size_t y_stride);
#endif

#endif
