// Private: what a group of a tile's rows has beside codes, in registers of LANES rows.
//
// A file that includes this has defined, besides what tile_lanes.h needs:
//
//   TARGET        the attribute of functions that use the registers
//   OFFSET(wide)  what products take off codes, which are beyond 127 when wide
#include "tiles.h"

TARGET VK_INLINE floats load_halves(const uint16_t *stored, int are_bfloat) {
  if (are_bfloat) {
    narrow_words some;
    memcpy(&some, stored, sizeof some);
    return (floats)(__builtin_convertvector(some, wide_words) << 16);
  }
  halves some;
  memcpy(&some, stored, sizeof some);
  return __builtin_convertvector(some, floats);
}

TARGET VK_INLINE floats load_bytes(const uint8_t *stored, int are_signed) {
  if (are_signed) {
    signed_bytes some;
    memcpy(&some, stored, sizeof some);
    return __builtin_convertvector(some, floats);
  }
  bytes some;
  memcpy(&some, stored, sizeof some);
  return __builtin_convertvector(some, floats);
}

// A group's scales, zeros and minimums of a part, a lane a row.
typedef struct {
  floats scale, zero, minimum;
} group_values;

TARGET VK_INLINE void load_group(const vk_tiles *matrix, const vk_tile *tile, size_t group,
                                 size_t part, int is_wide, group_values *values) {
  const size_t first = part * LANES;
  const size_t scale = group / matrix->groups_a_scale * VK_TILE_ROWS + first;
  const size_t place = group * VK_TILE_ROWS + first;
  values->scale = load_halves(tile->scales + scale, matrix->scales_are_bfloat);
  values->zero = tile->points ? load_bytes(tile->points + place, 0) : matrix->zero - (floats){0};
  values->zero -= (float)OFFSET(is_wide);
  values->minimum = (floats){0};
  if (tile->minimums) values->minimum = load_halves(tile->minimums + scale, 0);
  if (tile->scale_multiples) {
    values->scale *= load_bytes(tile->scale_multiples + place, matrix->multiples_are_signed);
  }
  if (tile->minimum_multiples) values->minimum *= load_bytes(tile->minimum_multiples + place, 0);
}
