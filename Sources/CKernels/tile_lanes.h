// Private: registers of LANES rows.
#include "tiles.h"

enum {
  PARTS = VK_TILE_ROWS / LANES,
  /// Vectors of half a unit.
  HALF = VK_VECTORS / 2,
};

/// Four codes of each row.
typedef uint8_t codes __attribute__((vector_size(4 * LANES)));
typedef uint16_t words __attribute__((vector_size(4 * LANES)));
/// A sum of each row.
typedef int32_t integers __attribute__((vector_size(4 * LANES)));
typedef float floats __attribute__((vector_size(4 * LANES)));
typedef uint32_t wide_words __attribute__((vector_size(4 * LANES)));
/// What is stored for each row.
typedef uint16_t narrow_words __attribute__((vector_size(2 * LANES)));
typedef _Float16 halves __attribute__((vector_size(2 * LANES)));
typedef uint8_t bytes __attribute__((vector_size(LANES)));
typedef int8_t signed_bytes __attribute__((vector_size(LANES)));
