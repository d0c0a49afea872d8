// Private: units of tiles without codes that stand for zero.
#ifndef VISE_TILE_SPARSE_H
#define VISE_TILE_SPARSE_H

#include "tiles.h"

/// Where a unit's codes are.
typedef struct {
  /// For each vector a bit for each byte, whether it has a code.
  uint64_t masks[VK_VECTORS];
  /// Where each stored vector begins after the masks, as many as codes have bits, and where the last one ends.
  uint32_t starts[9];
} vk_sparse_unit;

/// Reads the masks; returns where the first stored vector begins.
VK_INLINE const uint8_t *vk_read_masks(const uint8_t *stored, vk_sparse_unit *unit) {
  memcpy(unit->masks, stored, sizeof unit->masks);
  return stored + sizeof unit->masks;
}

/// Finds where stored vectors begin: each is as long as the longest of the vectors that lie in it.
VK_INLINE void vk_measure_unit(vk_sparse_unit *unit, unsigned bits) {
  uint32_t counts[VK_VECTORS], start = 0;
  unsigned stored = 0;
#pragma clang loop unroll(full)
  for (unsigned k = 0; k < VK_VECTORS; k++) {
    counts[k] = (uint32_t)__builtin_popcountll(unit->masks[k]);
  }
#pragma clang loop unroll(full)
  for (unsigned plane = 8; plane > 0; plane /= 2) {
    if (!(bits & plane)) continue;
#pragma clang loop unroll(full)
    for (unsigned j = 0; j < plane; j++) {
      uint32_t most = 0;
      for (unsigned k = j; k < VK_VECTORS; k += plane) most = counts[k] > most ? counts[k] : most;
      unit->starts[stored++] = start;
      start += most;
    }
  }
  unit->starts[stored] = start;
}

/// Writes the eight vectors of a unit, a code a byte, and returns where the next unit begins.
///
/// `zeros` has what stands for zero in each byte of a vector, first for the first half of a unit and then for the second.
const uint8_t *vk_expand_unit(vk_level level, const uint8_t *stored, unsigned bits,
                              const uint8_t *zeros, uint8_t *unit);
/// What stands for zero at a unit, as above.
void vk_zero_codes(const vk_tiles *matrix, const vk_tile *tile, size_t unit, uint8_t *zeros);

#endif
