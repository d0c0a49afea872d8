// Private: units of tiles in registers of LANES rows, a code a byte.
//
// A file that includes this has defined, besides what tile_lanes.h needs:
//
//   TARGET  the attribute of functions that use the registers
//   EXPAND  spreads the codes of a whole vector out to where a mask has bits, with zeros between them; or, without that
//   LEVEL   the level whose functions do so in memory
#include "tile_sparse.h"

// Bytes ahead of which codes are fetched: processors stop at the end of a page.
enum { AHEAD = 8192 };

// Fetches as many codes as lie between two places, ahead of them.
TARGET VK_INLINE void fetch_ahead(const uint8_t *from, const uint8_t *to) {
  for (; from < to; from += VK_VECTOR) __builtin_prefetch(from + AHEAD);
}

// Adds a plane of bits to the codes of a unit, above `taken` bits that they have.
TARGET VK_INLINE void add_plane(const uint8_t *stored, const uint32_t *starts, unsigned plane,
                                unsigned taken, codes *vectors) {
  const uint8_t mask = (uint8_t)(((1u << plane) - 1) << taken);
#pragma clang loop unroll(full)
  for (unsigned k = 0; k < VK_VECTORS; k++) {
    // Words, since no processor shifts bytes.
    words some;
    memcpy(&some, stored + starts[taken + k % plane], sizeof some);
    const unsigned from = k / plane * plane;
    const words moved =
        from >= taken ? some >> (uint16_t)(from - taken) : some << (uint16_t)(taken - from);
    const codes bits = (codes)moved & mask;
    vectors[k] = taken == 0 ? bits : vectors[k] | bits;
  }
}

// The vectors of a unit's part, a code a byte, from stored vectors that begin at `starts`.
TARGET VK_INLINE void load_unit(const uint8_t *stored, const uint32_t *starts, unsigned bits,
                                codes *vectors) {
  if (bits == 8) {
#pragma clang loop unroll(full)
    for (size_t k = 0; k < VK_VECTORS; k++) {
      memcpy(vectors + k, stored + starts[k], sizeof *vectors);
    }
    return;
  }
  if (bits & 4) add_plane(stored, starts, 4, 0, vectors);
  if (bits & 2) add_plane(stored, starts, 2, bits & 4, vectors);
  if (bits & 1) add_plane(stored, starts, 1, bits & 6, vectors);
}

static const uint32_t dense_starts[VK_VECTORS] = {
    0,
    VK_VECTOR,
    2 * VK_VECTOR,
    3 * VK_VECTOR,
    4 * VK_VECTOR,
    5 * VK_VECTOR,
    6 * VK_VECTOR,
    7 * VK_VECTOR,
};

// What stands for zero in each row of a part.
TARGET VK_INLINE codes zero_codes(const vk_tiles *matrix, const vk_tile *tile, size_t group,
                                  size_t part) {
  if (!tile->points) return (codes){0} + (uint8_t)matrix->zero;
  bytes some;
  memcpy(&some, tile->points + group * VK_TILE_ROWS + part * LANES, sizeof some);
  return (codes)(__builtin_convertvector(some, wide_words) * 0x01010101u);
}

// The same of all parts, for both halves of a unit.
TARGET VK_INLINE void load_zeros(const vk_tiles *matrix, const vk_tile *tile, size_t group,
                                 codes zeros[2][PARTS]) {
  const size_t second = matrix->group < VK_UNIT_COLUMNS ? group + 1 : group;
  for (size_t p = 0; p < PARTS; p++) {
    zeros[0][p] = zero_codes(matrix, tile, group, p);
    zeros[1][p] = zero_codes(matrix, tile, second, p);
  }
}

// The vectors of a sparse unit, with what stands for zero in each of its halves; returns where the next unit begins.
TARGET VK_INLINE const uint8_t *expand_unit(const uint8_t *stored, unsigned bits,
                                            const codes zeros[2][PARTS],
                                            codes vectors[PARTS][VK_VECTORS]) {
#ifdef EXPAND
  vk_sparse_unit unit;
  stored = vk_read_masks(stored, &unit);
  vk_measure_unit(&unit, bits);
  load_unit(stored, unit.starts, bits, vectors[0]);
#pragma clang loop unroll(full)
  for (size_t k = 0; k < VK_VECTORS; k++) {
    vectors[0][k] = EXPAND(unit.masks[k], vectors[0][k]) ^ zeros[k / HALF][0];
  }
  return stored + unit.starts[bits];
#else
  uint8_t unit[VK_VECTORS * VK_VECTOR];
  stored = vk_expand_unit(LEVEL, stored, bits, (const uint8_t *)zeros, unit);
  for (size_t p = 0; p < PARTS; p++) {
    load_unit(unit + p * sizeof(codes), dense_starts, 8, vectors[p]);
  }
  return stored;
#endif
}

// Writes a sparse tile with all its codes, a byte each.
TARGET VK_INLINE void expand_tile(const vk_tiles *matrix, const vk_tile *tile, unsigned bits,
                                  uint8_t *expanded) {
  const uint8_t *stored = tile->codes;
  const size_t units = vk_tile_units(matrix->columns);
  for (size_t unit = 0; unit < units; unit++) {
    codes zeros[2][PARTS], vectors[PARTS][VK_VECTORS];
    load_zeros(matrix, tile, unit * VK_UNIT_COLUMNS / matrix->group, zeros);
    const uint8_t *const next = expand_unit(stored, bits, zeros, vectors);
    fetch_ahead(stored, next);
    stored = next;
    for (size_t p = 0; p < PARTS; p++) {
      for (size_t k = 0; k < VK_VECTORS; k++) {
        memcpy(expanded + k * VK_VECTOR + p * sizeof(codes), &vectors[p][k], sizeof(codes));
      }
    }
    expanded += VK_VECTORS * VK_VECTOR;
  }
}

