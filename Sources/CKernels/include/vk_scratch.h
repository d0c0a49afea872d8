// Memory that a thread works in again and again.
#ifndef VISE_VK_SCRATCH_H
#define VISE_VK_SCRATCH_H

#include <stddef.h>

/// The calling thread's own room for `count` floats, at a multiple of 64 bytes; NULL when there is no memory.
///
/// What it holds is lost with the thread's next call, so two users may not nest. It is freed when the thread ends.
float *vk_scratch(size_t count);

#endif
