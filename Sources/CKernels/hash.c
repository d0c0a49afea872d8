#include "vk_hash.h"

#include <string.h>

static const uint64_t P1 = 0x9E3779B185EBCA87, P2 = 0xC2B2AE3D27D4EB4F, P3 = 0x165667B19E3779F9,
                      P4 = 0x85EBCA77C2B2AE63, P5 = 0x27D4EB2F165667C5;
enum { STRIPE = 32 };

static inline uint64_t rotated(uint64_t word, int bits) {
  return word << bits | word >> (64 - bits);
}

static inline uint64_t word64(const uint8_t *bytes) {
  uint64_t word;
  memcpy(&word, bytes, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  word = __builtin_bswap64(word);
#endif
  return word;
}

static inline uint64_t word32(const uint8_t *bytes) {
  uint32_t word;
  memcpy(&word, bytes, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  word = __builtin_bswap32(word);
#endif
  return word;
}

static inline uint64_t mixed(uint64_t lane, uint64_t input) {
  return rotated(lane + input * P2, 31) * P1;
}

static void add_stripes(vk_hash *hash, const uint8_t *bytes, size_t stripes) {
  uint64_t a = hash->lanes[0], b = hash->lanes[1], c = hash->lanes[2], d = hash->lanes[3];
  for (size_t i = 0; i < stripes; i++, bytes += STRIPE) {
    a = mixed(a, word64(bytes));
    b = mixed(b, word64(bytes + 8));
    c = mixed(c, word64(bytes + 16));
    d = mixed(d, word64(bytes + 24));
  }
  hash->lanes[0] = a, hash->lanes[1] = b, hash->lanes[2] = c, hash->lanes[3] = d;
}

vk_hash vk_hash_begin(uint64_t seed) {
  return (vk_hash){.lanes = {seed + P1 + P2, seed + P2, seed, seed - P1}, .seed = seed};
}

void vk_hash_add(vk_hash *hash, const void *bytes, size_t count) {
  if (count == 0) return;
  const uint8_t *next = bytes;
  const size_t held = hash->count % STRIPE;
  hash->count += count;
  if (held > 0) {
    const size_t missing = STRIPE - held, taken = count < missing ? count : missing;
    memcpy(hash->rest + held, next, taken);
    next += taken, count -= taken;
    if (taken < missing) return;
    add_stripes(hash, hash->rest, 1);
  }
  add_stripes(hash, next, count / STRIPE);
  memcpy(hash->rest, next + count / STRIPE * STRIPE, count % STRIPE);
}

uint64_t vk_hash_value(const vk_hash *hash) {
  uint64_t value = hash->seed + P5;
  if (hash->count >= STRIPE) {
    static const int turns[] = {1, 7, 12, 18};
    value = 0;
    for (int i = 0; i < 4; i++) value += rotated(hash->lanes[i], turns[i]);
    for (int i = 0; i < 4; i++) value = (value ^ mixed(0, hash->lanes[i])) * P1 + P4;
  }
  value += hash->count;
  const uint8_t *next = hash->rest;
  size_t left = hash->count % STRIPE;
  for (; left >= 8; next += 8, left -= 8) {
    value = rotated(value ^ mixed(0, word64(next)), 27) * P1 + P4;
  }
  if (left >= 4) {
    value = rotated(value ^ word32(next) * P1, 23) * P2 + P3;
    next += 4, left -= 4;
  }
  for (; left > 0; next++, left--) value = rotated(value ^ *next * P5, 11) * P1;
  value = (value ^ value >> 33) * P2;
  value = (value ^ value >> 29) * P3;
  return value ^ value >> 32;
}
