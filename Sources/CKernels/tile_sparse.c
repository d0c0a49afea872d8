// Tiles without codes that stand for zero: written, and spread out again.
#include "tile_sparse.h"

#ifdef VK_X86
#include <immintrin.h>
#endif

enum { HALF_COLUMNS = VK_UNIT_COLUMNS / 2 };

void vk_zero_codes(const vk_tiles *matrix, const vk_tile *tile, size_t unit, uint8_t *zeros) {
  for (size_t half = 0; half < 2; half++) {
    const size_t column = unit * VK_UNIT_COLUMNS + half * HALF_COLUMNS;
    const uint8_t *const points =
        tile->points ? tile->points + column / matrix->group * VK_TILE_ROWS : NULL;
    for (size_t i = 0; i < VK_VECTOR; i++) {
      zeros[half * VK_VECTOR + i] = points ? points[i / 4] : (uint8_t)matrix->zero;
    }
  }
}

typedef uint8_t vector64 __attribute__((vector_size(VK_VECTOR)));
typedef _Bool bits64 __attribute__((ext_vector_type(VK_VECTOR)));

// The bytes of vector k that belong to rows and columns of the matrix.
VK_INLINE uint64_t bytes_inside(const vk_tiles *matrix, size_t rows, size_t column) {
  if (column >= matrix->columns) return 0;
  const size_t columns = matrix->columns - column < 4 ? matrix->columns - column : 4;
  const uint64_t of_row = (1u << columns) - 1;
  return 0x1111111111111111u * of_row & ~0ull >> (64 - 4 * rows);
}

// A unit's codes as what they are beside zero, and where they are not zero.
VK_INLINE void find_codes(const vk_tiles *matrix, const vk_tile *tile, size_t rows, size_t unit,
                          vk_sparse_unit *sparse, vector64 *vectors) {
  uint8_t zeros[2 * VK_VECTOR];
  vk_zero_codes(matrix, tile, unit, zeros);
  const uint8_t *const stored = tile->codes + unit * matrix->bits * VK_VECTOR;
  for (size_t k = 0; k < VK_VECTORS; k++) {
    vector64 zero;
    memcpy(&zero, zeros + k / (VK_VECTORS / 2) * VK_VECTOR, sizeof zero);
    vk_load_vector(stored, matrix->bits, k, NULL, (uint8_t *)(vectors + k));
    vectors[k] ^= zero;
    const bits64 is_code = __builtin_convertvector(vectors[k] != 0, bits64);
    memcpy(sparse->masks + k, &is_code, sizeof sparse->masks[k]);
    sparse->masks[k] &= bytes_inside(matrix, rows, unit * VK_UNIT_COLUMNS + 4 * k);
  }
  vk_measure_unit(sparse, matrix->bits);
}

// Writes a unit's stored vectors.
VK_INLINE void pack_codes(const vk_sparse_unit *sparse, const vector64 *vectors, unsigned bits,
                          uint8_t *stored) {
  memset(stored, 0, sparse->starts[bits]);
  for (size_t k = 0; k < VK_VECTORS; k++) {
    uint8_t codes[VK_VECTOR];
    size_t count = 0;
    for (uint64_t left = sparse->masks[k]; left != 0; left &= left - 1) {
      codes[count++] = vectors[k][__builtin_ctzll(left)];
    }
    unsigned taken = 0;
    for (unsigned plane = 8; plane > 0; plane /= 2) {
      if (!(bits & plane)) continue;
      uint8_t *const to = stored + sparse->starts[taken + k % plane];
      const unsigned from = plane * (unsigned)(k / plane), mask = (1u << plane) - 1;
      for (size_t i = 0; i < count; i++) {
        to[i] = (uint8_t)(to[i] | (codes[i] >> taken & mask) << from);
      }
      taken += plane;
    }
  }
}

VK_INLINE size_t vk_sparse_tile_body(vk_level level, const vk_tiles *matrix, size_t index,
                                   uint8_t *destination) {
  (void)level;
  const vk_tile tile = vk_tile_at(matrix, index);
  const size_t left = matrix->rows - index * VK_TILE_ROWS;
  const size_t rows = left < VK_TILE_ROWS ? left : VK_TILE_ROWS;
  size_t bytes = 0;
  for (size_t unit = 0; unit < vk_tile_units(matrix->columns); unit++) {
    vk_sparse_unit sparse;
    vector64 vectors[VK_VECTORS];
    find_codes(matrix, &tile, rows, unit, &sparse, vectors);
    if (destination) {
      memcpy(destination + bytes, sparse.masks, sizeof sparse.masks);
      pack_codes(&sparse, vectors, matrix->bits, destination + bytes + sizeof sparse.masks);
    }
    bytes += sizeof sparse.masks + sparse.starts[matrix->bits];
  }
  return bytes;
}

VK_VARIANTS(size_t, vk_sparse_tile,
            (vk_level level, const vk_tiles *matrix, size_t index, uint8_t *destination),
            (level, matrix, index, destination))

int vk_tiles_can_be_sparse(const vk_tiles *matrix) {
  return !matrix->minimums && !matrix->table && !matrix->starts;
}

// Spreads codes out to where a mask has bits, with zeros between them.
#ifdef VK_X86
VK_TARGET_AVX512 static inline void spread_avx512(const uint8_t *codes, uint64_t mask, uint8_t *vector) {
  _mm512_storeu_si512(vector, _mm512_maskz_expand_epi8(mask, _mm512_loadu_si512(codes)));
}
#endif

VK_INLINE void spread(vk_level level, const uint8_t *codes, uint64_t mask, uint8_t *vector) {
#ifdef VK_X86
  if (level == VK_AVX512) {
    spread_avx512(codes, mask, vector);
    return;
  }
#endif
  (void)level;
  for (unsigned i = 0; i < VK_VECTOR; i++) vector[i] = mask >> i & 1 ? *codes++ : 0;
}

// The codes that vector k of a unit has, one after the other.
VK_INLINE const uint8_t *packed_codes(const uint8_t *stored, const vk_sparse_unit *unit,
                                      unsigned bits, size_t k, uint8_t *room) {
  if (bits == 8) return stored + unit->starts[k];
  vector64 packed = {0};
  unsigned taken = 0;
  for (unsigned plane = 4; plane > 0; plane /= 2) {
    if (!(bits & plane)) continue;
    vector64 some;
    memcpy(&some, stored + unit->starts[taken + k % plane], sizeof some);
    const uint8_t from = (uint8_t)(plane * (k / plane)), mask = (uint8_t)((1u << plane) - 1);
    packed |= (some >> from & mask) << (uint8_t)taken;
    taken += plane;
  }
  memcpy(room, &packed, sizeof packed);
  return room;
}

VK_INLINE const uint8_t *expand(vk_level level, const uint8_t *stored, unsigned bits,
                                const uint8_t *zeros, uint8_t *unit) {
  vk_sparse_unit sparse;
  stored = vk_read_masks(stored, &sparse);
  vk_measure_unit(&sparse, bits);
#pragma clang loop unroll(full)
  for (size_t k = 0; k < VK_VECTORS; k++) {
    uint8_t room[VK_VECTOR];
    vector64 vector, zero;
    spread(level, packed_codes(stored, &sparse, bits, k, room), sparse.masks[k], (uint8_t *)&vector);
    memcpy(&zero, zeros + k / (VK_VECTORS / 2) * VK_VECTOR, sizeof zero);
    vector ^= zero;
    memcpy(unit + k * VK_VECTOR, &vector, sizeof vector);
  }
  return stored + sparse.starts[bits];
}

VK_INLINE const uint8_t *vk_expand_unit_body(vk_level level, const uint8_t *stored, unsigned bits,
                                             const uint8_t *zeros, uint8_t *unit) {
  // A constant width lets the compiler unroll.
  switch (bits) {
    case 4: return expand(level, stored, 4, zeros, unit);
    case 8: return expand(level, stored, 8, zeros, unit);
    default: return expand(level, stored, bits, zeros, unit);
  }
}

VK_VARIANTS(const uint8_t *, vk_expand_unit,
            (vk_level level, const uint8_t *stored, unsigned bits, const uint8_t *zeros,
             uint8_t *unit),
            (level, stored, bits, zeros, unit))
