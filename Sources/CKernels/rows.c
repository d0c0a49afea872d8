#include "vk_rows.h"

#include "floats.h"
#include "vk_conversions.h"

static size_t stored_row(const vk_rows *matrix, size_t row) {
  const size_t head = matrix->interleaved_head;
  if (head == 0) return row;
  const size_t place = row % head;
  return row - place + 2 * (place % (head / 2)) + place / (head / 2);
}

static size_t element_bytes(vk_float_type type) { return type == VK_F32 ? 4 : 2; }

VK_INLINE float load_f32(vk_level level, const uint8_t *row, size_t i) {
  (void)level;
  return vk_from_bits(vk_load_u32(row + 4 * i));
}

VK_INLINE float load_bf16(vk_level level, const uint8_t *row, size_t i) {
  (void)level;
  return vk_bfloat_to_float(vk_load_u16(row + 2 * i));
}

VK_INLINE float load_f16(vk_level level, const uint8_t *row, size_t i) {
  return vk_half_at(level, row + 2 * i);
}

// Four rows at once read x once and keep four streams of memory going.
#define FOUR_DOTS(name, load)                                                               \
  VK_INLINE void name(vk_level level, const uint8_t *const rows[4], const float *x, size_t n, \
                      float out[4]) {                                                       \
    _Pragma("clang fp reassociate(on) contract(fast)") float a = 0, b = 0, c = 0, d = 0;    \
    for (size_t i = 0; i < n; i++) {                                                        \
      a += load(level, rows[0], i) * x[i];                                                  \
      b += load(level, rows[1], i) * x[i];                                                  \
      c += load(level, rows[2], i) * x[i];                                                  \
      d += load(level, rows[3], i) * x[i];                                                  \
    }                                                                                       \
    out[0] = a, out[1] = b, out[2] = c, out[3] = d;                                         \
  }

FOUR_DOTS(four_dots_f32, load_f32)
FOUR_DOTS(four_dots_bf16, load_bf16)
FOUR_DOTS(four_dots_f16, load_f16)

VK_INLINE void four_rows(vk_level level, vk_float_type type, const uint8_t *const rows[4],
                         size_t columns, const float *x, float out[4]) {
  switch (type) {
    case VK_F32: four_dots_f32(level, rows, x, columns, out); break;
    case VK_F16: four_dots_f16(level, rows, x, columns, out); break;
    case VK_BF16: four_dots_bf16(level, rows, x, columns, out); break;
  }
}

VK_INLINE void vk_rows_times_body(vk_level level, const vk_rows *matrix, size_t first,
                                  size_t count, const float *x, size_t x_stride, size_t tokens,
                                  float *y, size_t y_stride) {
  const size_t row_bytes = matrix->columns * element_bytes(matrix->type);
  for (size_t i = 0; i < count; i += 4) {
    const size_t some = count - i < 4 ? count - i : 4;
    const uint8_t *rows[4];
    for (size_t k = 0; k < 4; k++) {
      const size_t row = first + i + (k < some ? k : 0);
      rows[k] = matrix->elements + stored_row(matrix, row) * row_bytes;
    }
    for (size_t t = 0; t < tokens; t++) {
      float sums[4];
      four_rows(level, matrix->type, rows, matrix->columns, x + t * x_stride, sums);
      for (size_t k = 0; k < some; k++) y[t * y_stride + i + k] = sums[k];
    }
  }
}

VK_VARIANTS(void, vk_rows_times,
            (vk_level level, const vk_rows *matrix, size_t first, size_t count, const float *x,
             size_t x_stride, size_t tokens, float *y, size_t y_stride),
            (level, matrix, first, count, x, x_stride, tokens, y, y_stride))

void vk_rows_decode(vk_level level, const vk_rows *matrix, size_t first, size_t count,
                    float *rows) {
  const size_t columns = matrix->columns, row_bytes = columns * element_bytes(matrix->type);
  for (size_t row = first; row < first + count; row++, rows += columns) {
    const uint8_t *const elements = matrix->elements + stored_row(matrix, row) * row_bytes;
    switch (matrix->type) {
      case VK_F32: memcpy(rows, elements, row_bytes); break;
      case VK_F16: vk_f16_to_f32(level, elements, rows, columns); break;
      case VK_BF16: vk_bf16_to_f32(level, elements, rows, columns); break;
    }
  }
}
