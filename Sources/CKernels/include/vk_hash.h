// XXH64, a hash of 64 bits that runs as fast as memory: https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md.
// It tells contents apart that differ by accident or by an edit; it is no protection against forgery.
#ifndef VISE_VK_HASH_H
#define VISE_VK_HASH_H

#include <stddef.h>
#include <stdint.h>

/// A hash on its way: lanes, and the bytes that do not fill a stripe yet.
typedef struct {
  uint64_t lanes[4];
  uint64_t seed, count;
  uint8_t rest[32];
} vk_hash;

/// The hash of nothing.
vk_hash vk_hash_begin(uint64_t seed);
/// Adds bytes; in how many calls they come makes no difference.
void vk_hash_add(vk_hash *hash, const void *bytes, size_t count);
/// The hash of all bytes added so far.
uint64_t vk_hash_value(const vk_hash *hash);

#endif
