// Gradients of a decoder's operations.
#include "vk_activations.h"
#include "vk_elementwise.h"
#include "vk_gradients.h"
#include "vk_norms.h"

#include "variants.h"

#include <stdlib.h>

static void try_activations(vk_level level, size_t count) {
  float *const gate = random_floats(count, 2), *const up = random_floats(count, 2);
  float *const gradient = random_floats(count, 1), *const y = room_for(count * sizeof(float));
  float *const z = room_for(count * sizeof(float));
  for (vk_activation kind = VK_SILU; kind <= VK_RELU_SQUARED; kind++) {
    vk_activate_gradient(level, kind, gate, gradient, count, y);
    near("gradients of activations", y, count, 1e4);
    vk_gate_gradient(level, kind, gate, up, gradient, count, y, z);
    near_each("gradients of gates", y, count);
    near_each("gradients of what gates let through", z, count);
  }
  for (size_t i = 0; i < count; i++) up[i] = gate[i] < -29 ? -29 : gate[i] > 29 ? 29 : gate[i];
  vk_softcap_gradient(level, up, 30, count, gradient);
  near("gradients of capped vectors", gradient, count, 100);
  free(z);
  free(y);
  free(gradient);
  free(up);
  free(gate);
}

static void try_norms(vk_level level, size_t count) {
  float *const x = random_floats(2 * count, 2), *const weight = random_floats(count, 1);
  float *const gradient = random_floats(count, 1), *const y = random_floats(2 * count, 1);
  vk_rms_norm_gradient(level, x, weight, gradient, count, 1e-2f, y);
  near("gradients of norms by squares", y, count, 1e4);
  vk_layer_norm_gradient(level, x, weight, gradient, count, 1e-2f, y);
  near("gradients of norms", y, count, 1e4);
  vk_rms_norm_parts_gradient(level, x, weight, 2, count, 1e-2f, y);
  near("gradients of norms of parts", y, 2 * count, 1e5);
  free(y);
  free(gradient);
  free(weight);
  free(x);
}

static void try_softmax(vk_level level, size_t count, float softcap) {
  float *const scores = random_floats(count, 3), *const gradients = random_floats(count, 1);
  float *const slopes = room_for(count * sizeof(float));
  vk_softmax_gradient(level, scores, gradients, count, 0.3f, softcap, 0.2f, softcap > 0 ? slopes : NULL);
  near("attention's weights", scores, count, 1);
  near("gradients of attention's weights", gradients, count, 100);
  vk_probabilities(level, gradients, count, 7, slopes);
  near("probabilities", slopes, count, 1e3);
  free(slopes);
  free(gradients);
  free(scores);
}

static void try_squares(vk_level level, size_t count) {
  enum { ROWS = 3 };
  float *const x = random_floats(ROWS * (count + 1), 1), *const weights = random_floats(count, 1);
  const double of_rows[ROWS] = {0.5, 2, -1};
  double *const sums = calloc(count, sizeof *sums);
  float *const found = room_for(count * sizeof(float));
  if (!sums) abort();
  vk_add_weighted_squares(level, x, count + 1, ROWS, count, of_rows, sums);
  for (size_t i = 0; i < count; i++) found[i] = (float)sums[i];
  near("weighted squares", found, count, 1e5);
  const float both[] = {(float)vk_energy(level, x, count),
                        (float)vk_weighted_error(level, x, x + count, weights, count)};
  near("energy and error", both, 2, 1e5 * (double)count);
  free(found);
  free(sums);
  free(weights);
  free(x);
}

void try_gradients(vk_level level) {
  for (size_t k = 0; k < length_count; k++) {
    try_activations(level, lengths[k]);
    try_norms(level, lengths[k]);
    try_softmax(level, lengths[k], 0);
    try_softmax(level, lengths[k], 10);
    try_squares(level, lengths[k]);
  }
}
