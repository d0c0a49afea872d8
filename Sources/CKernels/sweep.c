#include "vk_sweep.h"

#include "codebook.h"
#include "lanes.h"
#include "rounding.h"

enum { lanes = VK_SWEEP_LANES, most_columns = VK_SWEEP_COLUMNS };

// A block of rows, transposed: one vector operation works on one column of all rows.
typedef struct {
  float weights[most_columns][lanes];
  uint8_t masked[most_columns][lanes];
  uint8_t codes[most_columns][lanes];
} tile;

// The nearest weights on the grid. As in vk_nearest_row and vk_grid_row nothing is fused, so that what
// is not moved by other columns becomes exactly what rounding to nearest makes of it.
VK_INLINE void quantize_column(const vk_sweep_block *block, const float *scales,
                               const float *zeros, const float *minimums, const float *weights,
                               const uint8_t *masked, float *values, uint8_t *codes) {
#pragma clang fp contract(off)
  if (block->codebook) {
    for (size_t r = 0; r < lanes; r++) {
      const float weight = masked[r] ? 0.0f : weights[r];
      const float place = scales[r] == 0 ? 0 : weight / scales[r];
      codes[r] = (uint8_t)nearest_in_codebook(block->codebook, place);
    }
    for (size_t r = 0; r < lanes; r++) values[r] = block->codebook[codes[r]] * scales[r];
    return;
  }
  for (size_t r = 0; r < lanes; r++) {
    const float weight = masked[r] ? 0.0f : weights[r];
    const float place = scales[r] == 0 ? zeros[r] : (weight - minimums[r]) / scales[r] + zeros[r];
    const float low = place < block->lowest ? block->lowest : place;
    const float code = vk_round_even(low > block->highest ? block->highest : low);
    values[r] = (code - zeros[r]) * scales[r] + minimums[r];
    codes[r] = (uint8_t)(int32_t)(code - block->base);
  }
}

// Of the columns that begin at `start`, masks those whose loss would cost least.
VK_INLINE void mask_pattern(const vk_sweep_block *block, size_t start, tile *tile) {
  float scores[32][lanes];
  for (size_t i = 0; i < block->of; i++) {
    const float diagonal = block->factor[(start + i) * block->stride + start + i];
    for (size_t r = 0; r < lanes; r++) {
      const float score = tile->weights[start + i][r] / diagonal;
      scores[i][r] = score * score;
    }
  }
  for (size_t i = 0; i < block->of; i++) {
    int32_t ranks[lanes] = {0};
    for (size_t j = 0; j < block->of; j++) {
      for (size_t r = 0; r < lanes; r++) {
        ranks[r] += scores[j][r] < scores[i][r] || (j < i && scores[j][r] == scores[i][r]);
      }
    }
    for (size_t r = 0; r < lanes; r++) {
      tile->masked[start + i][r] = ranks[r] < (int32_t)(block->of - block->kept);
    }
  }
}

// The columns after `column` make up for its errors. Vectors are of rows: left to itself, the compiler gathers columns.
VK_INLINE void compensate(const vk_sweep_block *block, size_t column, const float *errors,
                          tile *tile) {
#pragma clang fp contract(fast)
  const float *const factor = block->factor + column * block->stride;
  vk_floats rows;
  memcpy(&rows, errors, sizeof rows);
  for (size_t k = column + 1; k < block->width; k++) {
    vk_floats weights;
    memcpy(&weights, tile->weights[k], sizeof weights);
    weights -= factor[k] * rows;
    memcpy(tile->weights[k], &weights, sizeof weights);
  }
}

VK_INLINE void load(size_t rows, size_t width, const float *weights, const uint8_t *mask,
                    size_t stride, tile *tile) {
  for (size_t j = 0; j < width; j++) {
    for (size_t r = 0; r < lanes; r++) {
      tile->weights[j][r] = r < rows ? weights[r * stride + j] : 0.0f;
      tile->masked[j][r] = r < rows && mask ? mask[r * stride + j] : 0;
    }
  }
}

VK_INLINE void vk_sweep_rows_body(vk_level level, const vk_sweep_block *block,
                                  const vk_sweep_grid *grid, size_t rows, float *weights,
                                  const uint8_t *mask, uint8_t *codes, size_t stride,
                                  float *errors, double *losses) {
  (void)level;
  tile tile;
  double sums[lanes] = {0};
  load(rows, block->width, weights, mask, stride, &tile);
  for (size_t j = 0; j < block->width; j++) {
    if (block->of && j % block->of == 0) mask_pattern(block, j, &tile);
    float values[lanes], column_errors[lanes];
    if (block->groups) {
      const size_t place = block->groups[j] * (size_t)lanes;
      quantize_column(block, grid->scales + place, grid->zeros + place, grid->minimums + place,
                      tile.weights[j], tile.masked[j], values, tile.codes[j]);
    } else {
      for (size_t r = 0; r < lanes; r++) values[r] = tile.masked[j][r] ? 0 : tile.weights[j][r];
    }
    const float diagonal = block->factor[j * block->stride + j];
    for (size_t r = 0; r < lanes; r++) {
      column_errors[r] = (tile.weights[j][r] - values[r]) / diagonal;
      sums[r] += (double)column_errors[r] * (double)column_errors[r];
      tile.weights[j][r] = values[r];
    }
    compensate(block, j, column_errors, &tile);
    for (size_t r = 0; r < rows; r++) errors[r * block->width + j] = column_errors[r];
  }
  for (size_t r = 0; r < rows; r++) {
    for (size_t j = 0; j < block->width; j++) {
      weights[r * stride + j] = tile.weights[j][r];
      if (block->groups) codes[r * stride + j] = tile.codes[j][r];
    }
    losses[r] += sums[r];
  }
}

VK_VARIANTS(void, vk_sweep_rows,
            (vk_level level, const vk_sweep_block *block, const vk_sweep_grid *grid, size_t rows,
             float *weights, const uint8_t *mask, uint8_t *codes, size_t stride, float *errors,
             double *losses),
            (level, block, grid, rows, weights, mask, codes, stride, errors, losses))
