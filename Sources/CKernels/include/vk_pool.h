// A pool of threads for short parallel regions: a region costs about a microsecond.
#ifndef VISE_VK_POOL_H
#define VISE_VK_POOL_H

#include <stddef.h>

typedef struct vk_pool vk_pool;
/// Does the work of the items [begin, end).
typedef void (*vk_body)(void *context, size_t begin, size_t end);

/// Processors that this thread may run on.
int vk_available_processors(void);
/// A pool of `threads` threads, the caller of vk_pool_run counted; NULL without memory.
/// It has fewer when the system gives no more.
vk_pool *vk_pool_create(int threads);
/// Ends the threads; no region may be running.
void vk_pool_destroy(vk_pool *pool);
/// Threads of the pool, the caller counted.
int vk_pool_threads(const vk_pool *pool);
/// Calls `body` for parts of at most `grain` of `count` items on all threads; returns when all are done.
/// A region inside a region, or beside another, runs on its caller alone.
void vk_pool_run(vk_pool *pool, size_t count, size_t grain, vk_body body, void *context);

#endif
