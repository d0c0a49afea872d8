#include "vk_gemm.h"

#include <string.h>

#include "levels.h"

// After Goto and van de Geijn, Anatomy of High-Performance Matrix Multiplication (2008): a tile of sums stays in
// registers while a column of each panel after the other is multiplied into it.
enum {
  // Columns of a part: its panel on the left stays in the first cache, and those on the right in the second.
  PART = 512,
  // Sums in registers: rows times vectors of 16, 8 or 4 numbers.
  LEFT_512 = 12,
  RIGHT_512 = 32,
  LEFT_256 = 6,
  RIGHT_256 = 16,
#ifdef VK_ARM64
  // There are twice as many registers as on x86.
  LEFT_128 = 6,
#else
  LEFT_128 = 4,
#endif
  RIGHT_128 = 16,
  MOST_LEFT = 12,
  MOST_RIGHT = 32,
};

VK_INLINE size_t left_rows_of(vk_level level) {
  return level == VK_AVX512 ? LEFT_512 : vk_has_avx2(level) ? LEFT_256 : LEFT_128;
}

VK_INLINE size_t right_rows_of(vk_level level) {
  return level == VK_AVX512 ? RIGHT_512 : vk_has_avx2(level) ? RIGHT_256 : RIGHT_128;
}

size_t vk_panel_rows(vk_level level, vk_side side) {
  return side == VK_LEFT ? left_rows_of(level) : right_rows_of(level);
}

size_t vk_packed_floats(vk_level level, vk_side side, size_t rows, size_t columns) {
  const size_t panel = vk_panel_rows(level, side);
  return (rows + panel - 1) / panel * panel * columns;
}

typedef float floats4 __attribute__((vector_size(16), aligned(4)));

// Four rows of four columns each as four columns of a panel.
VK_INLINE void transpose_four(const float *rows, size_t stride, float *panel, size_t size) {
  floats4 a, b, c, d;
  memcpy(&a, rows, sizeof a);
  memcpy(&b, rows + stride, sizeof b);
  memcpy(&c, rows + 2 * stride, sizeof c);
  memcpy(&d, rows + 3 * stride, sizeof d);
  const floats4 ab = __builtin_shufflevector(a, b, 0, 4, 1, 5);
  const floats4 cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
  const floats4 ef = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  const floats4 gh = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  const floats4 columns[4] = {
      __builtin_shufflevector(ab, cd, 0, 1, 4, 5), __builtin_shufflevector(ab, cd, 2, 3, 6, 7),
      __builtin_shufflevector(ef, gh, 0, 1, 4, 5), __builtin_shufflevector(ef, gh, 2, 3, 6, 7)};
  for (size_t k = 0; k < 4; k++) memcpy(panel + k * size, columns + k, sizeof columns[k]);
}

// Rows [first, first + size) of a matrix whose columns lie side by side.
VK_INLINE void copy_columns(const vk_factor *matrix, size_t first, size_t here, size_t size,
                            float *panel) {
  const float *column = matrix->elements + first;
  for (size_t k = 0; k < matrix->columns; k++, column += matrix->column_stride) {
    for (size_t i = 0; i < here; i++) panel[k * size + i] = column[i];
  }
}

// The same of one whose rows do.
VK_INLINE void transpose_rows(const vk_factor *matrix, size_t first, size_t here, size_t size,
                              float *panel) {
  const float *const rows = matrix->elements + first * matrix->row_stride;
  const size_t stride = matrix->row_stride, fours = here / 4 * 4, columns = matrix->columns;
  const size_t whole = columns / 4 * 4;
  for (size_t k = 0; k < whole; k += 4) {
    for (size_t i = 0; i < fours; i += 4) {
      transpose_four(rows + i * stride + k, stride, panel + k * size + i, size);
    }
  }
  for (size_t i = 0; i < here; i++) {
    for (size_t k = i < fours ? whole : 0; k < columns; k++) {
      panel[k * size + i] = rows[i * stride + k];
    }
  }
}

VK_INLINE void pack_panel(const vk_factor *matrix, size_t first, size_t size, float *panel) {
  const size_t here = matrix->rows - first < size ? matrix->rows - first : size;
  if (here < size) memset(panel, 0, size * matrix->columns * sizeof *panel);
  if (matrix->row_stride == 1) {
    copy_columns(matrix, first, here, size, panel);
  } else {
    transpose_rows(matrix, first, here, size, panel);
  }
}

VK_INLINE void vk_pack_factor_body(vk_level level, vk_side side, const vk_factor *matrix,
                                   float *panels) {
  const size_t size = side == VK_LEFT ? left_rows_of(level) : right_rows_of(level);
  for (size_t first = 0; first < matrix->rows; first += size) {
    pack_panel(matrix, first, size, panels + first * matrix->columns);
  }
}

VK_VARIANTS(void, vk_pack_factor,
            (vk_level level, vk_side side, const vk_factor *matrix, float *panels),
            (level, side, matrix, panels))

typedef struct {
  const float *left, *right;
  size_t columns;
  float *y;
  size_t stride;
  // Sums that there are, and whether they are added to what is in y.
  size_t rows, width;
  int adds;
} tile;

// Sums of `count` rows of the left panel, a constant, times two or four vectors of the right one.
#define TILE(name, vector, lanes, vectors, left_size)                                            \
  VK_INLINE void name(const tile *work, const size_t count) {                                    \
    _Pragma("clang fp contract(fast)") vector sums[MOST_LEFT][vectors];                          \
    _Pragma("clang loop unroll(full)") for (size_t i = 0; i < count; i++) {                      \
      _Pragma("clang loop unroll(full)") for (size_t v = 0; v < vectors; v++) {                  \
        sums[i][v] = (vector){0};                                                                \
      }                                                                                          \
    }                                                                                            \
    const float *left = work->left, *right = work->right;                                        \
    for (size_t k = 0; k < work->columns; k++) {                                                 \
      vector some[vectors];                                                                      \
      memcpy(some, right, sizeof some);                                                          \
      _Pragma("clang loop unroll(full)") for (size_t i = 0; i < count; i++) {                    \
        _Pragma("clang loop unroll(full)") for (size_t v = 0; v < vectors; v++) {                \
          sums[i][v] += left[i] * some[v];                                                       \
        }                                                                                        \
      }                                                                                          \
      left += left_size;                                                                         \
      right += lanes * vectors;                                                                  \
    }                                                                                            \
    float found[MOST_LEFT * lanes * vectors];                                                    \
    memcpy(found, sums, count *sizeof sums[0]);                                                  \
    write_sums(work, found, lanes * vectors);                                                    \
  }

VK_INLINE void write_sums(const tile *work, const float *sums, size_t width) {
  for (size_t i = 0; i < work->rows; i++) {
    float *const y = work->y + i * work->stride;
    const float *const row = sums + i * width;
    if (work->adds) {
      for (size_t j = 0; j < work->width; j++) y[j] += row[j];
    } else {
      for (size_t j = 0; j < work->width; j++) y[j] = row[j];
    }
  }
}

typedef float floats16 __attribute__((vector_size(64), aligned(4)));
typedef float floats8 __attribute__((vector_size(32), aligned(4)));

TILE(multiply_512, floats16, 16, 2, LEFT_512)
TILE(multiply_256, floats8, 8, 2, LEFT_256)
TILE(multiply_128, floats4, 4, 4, LEFT_128)

// The last panel of few vectors would mostly multiply zeros, so the sums in registers are fewer.
VK_INLINE void multiply(vk_level level, const tile *work) {
  switch (level) {
    case VK_AVX512:
      if (work->rows <= 4) {
        multiply_512(work, 4);
      } else if (work->rows <= 8) {
        multiply_512(work, 8);
      } else {
        multiply_512(work, LEFT_512);
      }
      break;
    case VK_AVX2:
      if (work->rows <= 3) {
        multiply_256(work, 3);
      } else {
        multiply_256(work, LEFT_256);
      }
      break;
    default: multiply_128(work, LEFT_128); break;
  }
}

VK_INLINE size_t least(size_t a, size_t b) { return a < b ? a : b; }

VK_INLINE void vk_gemm_body(vk_level level, const float *left, size_t left_rows,
                            const float *right, size_t right_rows, size_t columns, int adds,
                            float *y, size_t stride) {
  const size_t left_size = left_rows_of(level), right_size = right_rows_of(level);
  for (size_t start = 0; start < columns || start == 0; start += PART) {
    for (size_t i = 0; i < left_rows; i += left_size) {
      for (size_t j = 0; j < right_rows; j += right_size) {
        const tile work = {
            .left = left + i * columns + start * left_size,
            .right = right + j * columns + start * right_size,
            .columns = least(PART, columns - start),
            .y = y + i * stride + j,
            .stride = stride,
            .rows = least(left_size, left_rows - i),
            .width = least(right_size, right_rows - j),
            .adds = adds || start > 0,
        };
        multiply(level, &work);
      }
    }
  }
}

VK_VARIANTS(void, vk_gemm,
            (vk_level level, const float *left, size_t left_rows, const float *right,
             size_t right_rows, size_t columns, int adds, float *y, size_t stride),
            (level, left, left_rows, right, right_rows, columns, adds, y, stride))
