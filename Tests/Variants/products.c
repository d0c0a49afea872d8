// Products of packed rows, of stored floats and of matrices.
#include "vk_conversions.h"
#include "vk_gemm.h"
#include "vk_packed.h"
#include "vk_rows.h"

#include "variants.h"

#include <stdlib.h>

enum { ROWS = 5, TOKENS = 3 };

static void try_packed(vk_level level, size_t columns, size_t group, unsigned bits, int zeros) {
  const size_t words = (columns * bits + 31) / 32, groups = columns / group;
  uint8_t *const codes = random_bytes(ROWS * words * 4);
  uint16_t *const scales = random_halves(ROWS * groups), *const minimums = random_halves(ROWS * groups);
  uint8_t *const points = random_bytes(ROWS * groups), *const scratch = room_for(vk_packed_scratch(columns));
  float *const x = random_floats(TOKENS * columns, 1), *const sums = random_floats(TOKENS * groups, 4);
  const vk_packed matrix = {
      .codes = (const uint32_t *)(const void *)codes,
      .scales = scales,
      .points = zeros == 1 ? points : NULL,
      .minimums = zeros == 2 ? minimums : NULL,
      .columns = columns,
      .group = group,
      .bits = bits,
      .scales_are_bfloat = zeros == 0,
  };
  float *const decoded = room_for(2 * columns * sizeof(float));
  vk_packed_decode(level, &matrix, 2, 2, scratch, decoded);
  same("decoded rows of codes", decoded, 2 * columns * sizeof(float));
  float *const y = room_for(TOKENS * 4 * sizeof(float));
  vk_packed_times(level, &matrix, 1, 4, x, sums, TOKENS, scratch, y, 4);
  near("products of rows of codes", y, TOKENS * 4, 512.0 * (double)columns);
  free(y);
  free(decoded);
  free(sums);
  free(x);
  free(scratch);
  free(points);
  free(minimums);
  free(scales);
  free(codes);
}

static void try_rows(vk_level level, size_t columns, vk_float_type type, size_t head) {
  float *const values = random_floats((ROWS + 1) * columns, 1);
  uint16_t *const halves = random_halves((ROWS + 1) * columns);
  float *const x = random_floats(TOKENS * (columns + 2), 1);
  const vk_rows matrix = {
      .elements = type == VK_F32 ? (const uint8_t *)values : (const uint8_t *)halves,
      .columns = columns,
      .type = type,
      .interleaved_head = head,
  };
  float *const y = room_for(TOKENS * ROWS * sizeof(float));
  vk_rows_times(level, &matrix, 0, ROWS, x, columns + 2, TOKENS, y, ROWS);
  near("products of rows", y, TOKENS * ROWS, 100.0 * (double)columns);
  float *const decoded = room_for(3 * columns * sizeof(float));
  vk_rows_decode(level, &matrix, 1, 3, decoded);
  same("decoded rows", decoded, 3 * columns * sizeof(float));
  free(decoded);
  free(y);
  free(x);
  free(halves);
  free(values);
}

static void try_matrices(vk_level level, size_t left, size_t right, size_t columns, int adds) {
  float *const first = random_floats(left * columns, 1), *const second = random_floats(right * columns, 1);
  const vk_factor factors[] = {{first, left, columns, columns, 1}, {second, right, columns, 1, right}};
  float *const a = room_for(vk_packed_floats(level, VK_LEFT, left, columns) * sizeof(float));
  float *const b = room_for(vk_packed_floats(level, VK_RIGHT, right, columns) * sizeof(float));
  vk_pack_factor(level, VK_LEFT, factors, a);
  vk_pack_factor(level, VK_RIGHT, factors + 1, b);
  float *const y = random_floats(left * right, 1);
  vk_gemm(level, a, left, b, right, columns, adds, y, right);
  near("products of matrices", y, left * right, 100.0 * (double)columns + 100);
  free(y);
  free(b);
  free(a);
  free(second);
  free(first);
}

void try_products(vk_level level) {
  static const size_t shapes[][2] = {{35, 5}, {200, 8}, {96, 24}, {48, 16}, {33, 33}, {7, 1}};
  for (size_t shape = 0; shape < sizeof shapes / sizeof shapes[0]; shape++) {
    for (unsigned bits = 1; bits <= 8; bits++) {
      for (int zeros = 0; zeros < 3; zeros++) {
        try_packed(level, shapes[shape][0], shapes[shape][1], bits, zeros);
      }
    }
  }
  for (size_t k = 0; k < length_count; k++) {
    for (vk_float_type type = VK_F32; type <= VK_BF16; type++) {
      try_rows(level, lengths[k], type, 0);
      try_rows(level, lengths[k], type, 6);
    }
    for (size_t i = 0; i < 3; i++) {
      try_matrices(level, 1 + 6 * i, lengths[k], 1 + 300 * i, i == 1);
      try_matrices(level, lengths[k], 37, 5 + i, 0);
    }
    uint16_t *const halves = random_halves(lengths[k]);
    float *const wide = room_for(lengths[k] * sizeof(float));
    vk_f16_to_f32(level, (const uint8_t *)halves, wide, lengths[k]);
    same("half precision widened", wide, lengths[k] * sizeof(float));
    vk_bf16_to_f32(level, (const uint8_t *)halves, wide, lengths[k]);
    same("bfloat16 widened", wide, lengths[k] * sizeof(float));
    free(wide);
    free(halves);
  }
}
