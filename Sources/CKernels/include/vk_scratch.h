// Memory that a thread works in again and again.
#ifndef VISE_VK_SCRATCH_H
#define VISE_VK_SCRATCH_H

#include <stddef.h>

/// Whose room it is: uses of one kind may not nest.
typedef enum { VK_TILE_SCRATCH, VK_FACTOR_SCRATCH, VK_SCRATCH_KINDS } vk_scratch_kind;

/// The calling thread's own room for `count` floats, at a multiple of 64 bytes; NULL when there is no memory.
///
/// What it holds is lost with the thread's next call of that kind. It is freed when the thread ends.
float *vk_scratch(vk_scratch_kind kind, size_t count);

#endif
