// Files mapped for reading whose loss costs what was read, not the process.
#ifndef VISE_VK_MAPPING_H
#define VISE_VK_MAPPING_H

#include <stdbool.h>
#include <stddef.h>

/// A mapped file. When a page of it cannot be read, because the file was cut off or its disk failed, that page and all after
/// it become zeros, and the mapping is damaged from then on.
typedef struct vk_mapping vk_mapping;

/// Maps the first `count` > 0 bytes of an open file; NULL with errno set when that fails. The descriptor may be closed.
vk_mapping *vk_mapping_create(int descriptor, size_t count);
const void *vk_mapping_bytes(const vk_mapping *mapping);
bool vk_mapping_is_damaged(const vk_mapping *mapping);
void vk_mapping_destroy(vk_mapping *mapping);

/// Has faults of mapped files handled before whatever else handles SIGBUS now. Others that take the signal later must be
/// followed by this again.
void vk_mapping_guard(void);

#endif
