// Matrices of integer codes in tiles of rows, laid out as products read them, and products in integers.
//
// A tile is 16 rows, cut into units of 32 columns. A unit holds its codes in eight vectors of 64 bytes: a byte for each
// of 16 rows and 4 columns, the columns of a row side by side. Codes of 8 bits lie so; narrower ones are split into
// planes of 4, 2 and 1 bits, lowest first, and a plane of p bits takes p vectors: byte by byte it holds vector k in bits
// p * (k / p) and on of stored vector k % p. So a unit takes 64 bytes a bit. Rows and columns beyond the matrix are zeros.
//
// Sparse tiles leave out the codes of weights that are zero. A unit begins with a word of 64 bits for each vector, which
// tells the bytes that have a code. Vectors then have these alone, one after the other. Codes are stored XORed with the
// zero point, and only where that is not 0. Planes are those of such vectors, and a stored vector is as long as the longest
// that it holds.
#ifndef VISE_VK_TILES_H
#define VISE_VK_TILES_H

#include <stddef.h>
#include <stdint.h>

#include "vk_blocks.h"
#include "vk_levels.h"

enum { VK_TILE_ROWS = 16, VK_UNIT_COLUMNS = 32, VK_SPARSE_SLACK = 64 };

/// Weights are scale * (code - zero), or scale * code + minimum.
typedef struct {
  /// Tile after tile, unit after unit; starts at a multiple of 64 unless tiles are sparse, and then goes on for
  /// VK_SPARSE_SLACK bytes behind the last.
  const uint8_t *codes;
  /// Where each sparse tile begins; NULL for tiles that have all codes.
  const uint64_t *starts;
  /// For each tile and scale's range of groups the 16 rows' scales; F16, or BF16 when `scales_are_bfloat`.
  const uint16_t *scales;
  /// Laid out as scales, in F16; NULL where weights have no minimums.
  const uint16_t *minimums;
  /// For each tile and group the 16 rows' zero points; NULL where all have `zero`.
  const uint8_t *points;
  /// For each tile and group what scales, and what minimums, are multiplied by; NULL where each group has its own.
  const uint8_t *scale_multiples, *minimum_multiples;
  /// Sixteen values that codes of 4 bits stand for; NULL where they stand for themselves.
  const uint8_t *table;
  size_t rows, columns;
  /// Consecutive columns with a zero point or multiple of their own: 16, or a multiple of 32.
  size_t group;
  /// Groups that share a scale: 1 without multiples.
  size_t groups_a_scale;
  unsigned bits;
  float zero;
  int scales_are_bfloat, multiples_are_signed;
} vk_tiles;

/// Units of a row.
size_t vk_tile_units(size_t columns);
/// Groups of a row that tiles have room for: those of whole units.
size_t vk_tile_groups(size_t columns, size_t group);
/// Whether tiles can hold groups of this size.
int vk_tiles_fit(size_t columns, size_t group);

/// Writes the codes of up to 16 rows as one tile. `codes` has a byte for each weight, row after row.
void vk_tile_codes(vk_level level, const uint8_t *codes, size_t rows, size_t columns, unsigned bits,
                   uint8_t *tile);
/// Bytes of scratch memory that the functions below need for rows of `columns`.
size_t vk_tile_scratch(size_t columns);
/// The same of packed rows: `words` are bitstreams that start at a word each.
void vk_tile_words(vk_level level, const uint32_t *words, size_t rows, size_t columns, unsigned bits,
                   uint8_t *scratch, uint8_t *tile);
/// Writes the rows [first, first + count), decoded, one after the other, of a matrix without multiples or a table.
void vk_tiles_decode(vk_level level, const vk_tiles *matrix, size_t first, size_t count,
                     uint8_t *scratch, float *rows);
/// Reads back the codes of the rows [first, first + count), a byte each, one row after the other.
void vk_tiles_codes(vk_level level, const vk_tiles *matrix, size_t first, size_t count,
                    uint8_t *scratch, uint8_t *codes);

/// Whether a weight of zero has a code, which sparse tiles leave out.
int vk_tiles_can_be_sparse(const vk_tiles *matrix);
/// Writes a tile as a sparse one, unless the destination is NULL; returns the bytes that it takes.
size_t vk_sparse_tile(vk_level level, const vk_tiles *matrix, size_t tile, uint8_t *destination);

/// How tiles hold a block type.
typedef struct {
  unsigned bits;
  size_t group, groups_a_scale;
  int has_minimums, has_multiples, multiples_are_signed;
  float zero;
  const uint8_t *table;
} vk_tile_kind;

/// How tiles hold a type; 0 for types that they do not hold.
int vk_tile_block_kind(vk_block_type type, vk_tile_kind *kind);

/// Where a tile's parts are written; those that it has not are NULL.
typedef struct {
  uint8_t *codes;
  uint16_t *scales, *minimums;
  uint8_t *points, *scale_multiples, *minimum_multiples;
} vk_tile_destination;

/// Writes up to 16 rows of blocks as one tile; `rows` points at each, `scratch` as for packed rows.
void vk_tile_blocks(vk_level level, vk_block_type type, const uint8_t *const *rows, size_t count,
                    size_t columns, uint8_t *scratch, const vk_tile_destination *to);

/// How exactly vectors are rounded to integers: a step for each 32 values, of 8 or of 16 bits.
typedef enum { VK_FAST = 1, VK_EXACT = 2 } vk_planes;

/// Vectors as products with tiles want them.
///
/// Tokens lie in blocks of `width`, the last one filled up with zeros: for each unit the bytes of one token after the
/// other, and so for steps of units and sums of groups.
typedef struct {
  /// The higher and the lower bytes; `low` is NULL where integers have 8 bits.
  const int8_t *high, *low;
  const float *steps;
  /// Sums over groups of what the integers stand for.
  const float *sums;
  size_t tokens, width;
} vk_tile_inputs;

/// Bytes of memory, a multiple of 64, that vk_tiles_prepare needs.
size_t vk_tile_input_bytes(size_t tokens, size_t columns, size_t group, vk_planes planes);
/// Lays the inputs out in `memory`, which starts at a multiple of 64 and lives as long as the result.
vk_tile_inputs vk_tiles_lay_out(size_t tokens, size_t columns, size_t group, vk_planes planes,
                                void *memory);
/// Blocks of tokens, which are prepared one by one.
size_t vk_tile_input_blocks(const vk_tile_inputs *inputs);
/// Prepares one block of the vectors x + t * columns.
void vk_tiles_prepare(vk_level level, const vk_tile_inputs *inputs, size_t block, const float *x,
                      size_t columns, size_t group);

/// y[t * y_stride + i] = row (first + i) . input t for i < count and all tokens.
void vk_tiles_times(vk_level level, const vk_tiles *matrix, size_t first, size_t count,
                    const vk_tile_inputs *inputs, float *y, size_t y_stride);

#endif
