#include "vk_rows.h"

#include "floats.h"
#include "vk_conversions.h"

#ifdef VK_X86
#include <immintrin.h>
#endif

static size_t stored_row(const vk_rows *matrix, size_t row) {
  if (matrix->tiled_groups > 0 && row >= matrix->tiled_from) {
    const size_t size = matrix->tiled_size, place = row - matrix->tiled_from;
    const size_t group = place / size / matrix->tiled_heads, member = place / size % matrix->tiled_heads;
    return matrix->tiled_from + (member * matrix->tiled_groups + group) * size + place % size;
  }
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

#define DOT(name, load)                                                                  \
  VK_INLINE float name(vk_level level, const uint8_t *row, const float *x, size_t count) { \
    _Pragma("clang fp reassociate(on) contract(fast)") float sum = 0;                    \
    for (size_t i = 0; i < count; i++) sum += load(level, row, i) * x[i];                \
    return sum;                                                                          \
  }

DOT(dot_f32, load_f32)
DOT(dot_bf16, load_bf16)
DOT(dot_f16, load_f16)

VK_INLINE float row_dot(vk_level level, vk_float_type type, const uint8_t *row, const float *x,
                        size_t count) {
  switch (type) {
    case VK_F32: return dot_f32(level, row, x, count);
    case VK_F16: return dot_f16(level, row, x, count);
    case VK_BF16: break;
  }
  return dot_bf16(level, row, x, count);
}

#ifdef VK_X86
enum {
  LANES = 16,
  /// Sums at a time, since each addition waits for the one before it.
  SUMS = 4,
  /// Bytes ahead of which rows are fetched: processors stop at the end of a page.
  AHEAD = 8192,
};

VK_TARGET_AVX512 VK_INLINE __m512 load_lanes(vk_float_type type, const uint8_t *row, size_t i,
                                             __mmask16 lanes) {
  if (type == VK_F32) return _mm512_maskz_loadu_ps(lanes, row + 4 * i);
  const __m256i bits = _mm256_maskz_loadu_epi16(lanes, row + 2 * i);
  if (type == VK_F16) return _mm512_cvtph_ps(bits);
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}

VK_TARGET_AVX512 VK_INLINE float dot_avx512(vk_float_type type, const uint8_t *row, const float *x,
                                            size_t count) {
  __m512 sums[SUMS];
  for (size_t k = 0; k < SUMS; k++) sums[k] = _mm512_setzero_ps();
  size_t i = 0;
  for (; i + SUMS * LANES <= count; i += SUMS * LANES) {
    const char *const ahead = (const char *)row + i * element_bytes(type) + AHEAD;
    for (size_t byte = 0; byte < SUMS * LANES * element_bytes(type); byte += 64) {
      _mm_prefetch(ahead + byte, _MM_HINT_T0);
    }
    for (size_t k = 0; k < SUMS; k++) {
      const size_t place = i + k * LANES;
      const __m512 some = load_lanes(type, row, place, 0xffff);
      sums[k] = _mm512_fmadd_ps(some, _mm512_loadu_ps(x + place), sums[k]);
    }
  }
  for (; i < count; i += LANES) {
    const size_t left = count - i;
    const __mmask16 lanes = left < LANES ? (__mmask16)((1u << left) - 1) : 0xffff;
    const __m512 some = load_lanes(type, row, i, lanes);
    sums[0] = _mm512_fmadd_ps(some, _mm512_maskz_loadu_ps(lanes, x + i), sums[0]);
  }
  const __m512 half = _mm512_add_ps(sums[0], sums[1]), other = _mm512_add_ps(sums[2], sums[3]);
  return _mm512_reduce_add_ps(_mm512_add_ps(half, other));
}

VK_TARGET_AVX512 static void rows_times_avx512(const vk_rows *matrix, size_t first, size_t count,
                                               const float *x, size_t x_stride, size_t tokens,
                                               float *y, size_t y_stride) {
  const size_t columns = matrix->columns, row_bytes = columns * element_bytes(matrix->type);
  for (size_t i = 0; i < count; i++) {
    const uint8_t *const row = matrix->elements + stored_row(matrix, first + i) * row_bytes;
    for (size_t t = 0; t < tokens; t++) {
      const float *const input = x + t * x_stride;
      float *const output = y + t * y_stride + i;
      switch (matrix->type) {
        case VK_F32: *output = dot_avx512(VK_F32, row, input, columns); break;
        case VK_F16: *output = dot_avx512(VK_F16, row, input, columns); break;
        case VK_BF16: *output = dot_avx512(VK_BF16, row, input, columns); break;
      }
    }
  }
}
#endif

// Row after row, never several at once: one stream of memory is read twice as fast as four.
VK_INLINE void vk_rows_times_body(vk_level level, const vk_rows *matrix, size_t first,
                                  size_t count, const float *x, size_t x_stride, size_t tokens,
                                  float *y, size_t y_stride) {
#ifdef VK_X86
  if (level == VK_AVX512) {
    rows_times_avx512(matrix, first, count, x, x_stride, tokens, y, y_stride);
    return;
  }
#endif
  const size_t row_bytes = matrix->columns * element_bytes(matrix->type);
  for (size_t i = 0; i < count; i++) {
    const uint8_t *const row = matrix->elements + stored_row(matrix, first + i) * row_bytes;
    for (size_t t = 0; t < tokens; t++) {
      y[t * y_stride + i] = row_dot(level, matrix->type, row, x + t * x_stride, matrix->columns);
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
