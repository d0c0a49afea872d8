// A decoder's operations on vectors.
#include "vk_activations.h"
#include "vk_attention.h"
#include "vk_cache.h"
#include "vk_elementwise.h"
#include "vk_norms.h"

#include "variants.h"

#include <math.h>
#include <stdlib.h>

static void try_elementwise(vk_level level, size_t count) {
  const size_t bytes = count * sizeof(float);
  float *const x = random_floats(count, 2), *const y = random_floats(count, 2), *const z = room_for(bytes);
  for (vk_activation kind = VK_SILU; kind <= VK_RELU_SQUARED; kind++) {
    vk_activate(level, kind, x, count, z);
    near("activations", z, count, 1e4);
    vk_gate(level, kind, x, y, count, z);
    near("gated activations", z, count, 1e4);
  }
  vk_add(level, x, count, y);
  near("sums of vectors", y, count, 100);
  vk_scale(level, 1.7f, count, y);
  near("scaled vectors", y, count, 100);
  vk_softcap(level, 30, count, y);
  near("capped vectors", y, count, 30);
  vk_multiply(level, x, count, y);
  near("products of vectors", y, count, 1000);
  for (size_t group = 1; group <= count; group++) {
    if (count % group != 0) continue;
    float *const sums = room_for(count / group * sizeof(float));
    vk_group_sums(level, x, count, group, sums);
    near("sums of groups", sums, count / group, 100.0 * (double)group);
    free(sums);
  }
  free(z);
  free(y);
  free(x);
}

static void try_norms(vk_level level, size_t count) {
  const size_t bytes = count * sizeof(float);
  float *const x = random_floats(3 * count, 2), *const weight = random_floats(count, 1);
  float *const bias = random_floats(count, 1), *const y = room_for(bytes);
  vk_rms_norm(level, x, weight, count, 1e-5f, y);
  near("normalised by squares", y, count, 1e3);
  vk_layer_norm(level, x, weight, bias, count, 1e-5f, y);
  near("normalised", y, count, 1e3);
  vk_layer_norm(level, x, weight, NULL, count, 1e-5f, y);
  near("normalised without bias", y, count, 1e3);
  vk_rms_norm_parts(level, weight, 3, count, 1e-5f, x);
  near("normalised parts", x, 3 * count, 1e3);
  vk_rms_norm_parts(level, NULL, 3, count, 1e-5f, x);
  near("normalised parts without weights", x, 3 * count, 1e3);
  free(y);
  free(bias);
  free(weight);
  free(x);
}

static void try_rotation(vk_level level, size_t pairs, int neighbours) {
  enum { HEADS = 3 };
  const size_t size = 2 * pairs + 1;
  float *const x = random_floats(HEADS * size, 1), *const angles = random_floats(2 * pairs, 1);
  vk_rotate(level, x, HEADS, size, pairs, neighbours, angles, angles + pairs);
  near("rotated heads", x, HEADS * size, 1e4);
  free(angles);
  free(x);
}

enum { HEADS = 2 };

// Random heads of some positions, side by side, as a cache holds them; the caller frees them.
static uint8_t *cached_heads(vk_level level, vk_cache_type type, size_t positions, size_t size) {
  const size_t bytes = vk_cached_bytes(type, size), count = HEADS * positions * size;
  float *const x = random_floats(count, 1), *const found = room_for(count * sizeof(float));
  uint8_t *const cached = room_for(HEADS * positions * bytes);
  vk_cache_write(level, type, x, HEADS * positions, size, cached);
  same("cached heads", cached, HEADS * positions * bytes);
  vk_cache_read(level, type, cached + bytes, HEADS * bytes, positions, size, found);
  same("heads read back", found, positions * size * sizeof(float));
  free(found);
  free(x);
  return cached;
}

static void try_attention(vk_level level, vk_cache_type type, size_t positions, size_t size, size_t value_size,
                          float softcap, float sink) {
  const size_t key_bytes = vk_cached_bytes(type, size), value_bytes = vk_cached_bytes(type, value_size);
  const vk_attention how = {
      .head_size = size,
      .value_size = value_size,
      .key_stride = HEADS * key_bytes,
      .value_stride = HEADS * value_bytes,
      .type = type,
      .scale = 0.1f,
      .softcap = softcap,
  };
  float *const query = random_floats(size, 1), *const y = room_for(value_size * sizeof(float));
  uint8_t *const keys = cached_heads(level, type, positions, size);
  uint8_t *const values = cached_heads(level, type, positions, value_size);
  vk_attend(level, &how, query, keys + key_bytes, values + value_bytes, positions, sink, y);
  near("attention", y, value_size, 1e3);
  free(values);
  free(keys);
  free(y);
  free(query);
}

static void try_softmax(vk_level level, size_t positions, float softcap, float sink) {
  float *const scores = random_floats(positions, 3);
  float most = sink, total = 1;
  const float factor = vk_softmax_step(level, scores, positions, softcap, &most, &total);
  const float found[] = {factor, total};
  near("weights of a step", scores, positions, 10);
  near("sums of a step", found, 2, 1.0 + (double)positions);
  free(scores);
}

static void try_logits(vk_level level, size_t count) {
  float *const a = random_floats(count, 5), *const b = random_floats(count, 5);
  const double sums[] = {vk_log_sum_exp(level, a, count), vk_log_sum_exp(level, b, count)};
  const float found[] = {(float)sums[0], (float)sums[1],
                         (float)vk_divergence(level, a, sums[0], b, sums[1], count)};
  near("logits", found, 3, 1e3);
  const size_t largest = vk_largest(level, a, count);
  same("the largest logit", &largest, sizeof largest);
  free(b);
  free(a);
}

void try_vectors(vk_level level) {
  for (size_t k = 0; k < length_count; k++) {
    try_elementwise(level, lengths[k]);
    try_norms(level, lengths[k]);
    try_rotation(level, lengths[k], k % 2 == 0);
    for (vk_cache_type type = VK_CACHE_F32; type <= VK_CACHE_INT8; type++) {
      try_attention(level, type, lengths[k], 64, 64, 0, -INFINITY);
      try_attention(level, type, lengths[k], 19, 20, 20, 0.5f);
      try_attention(level, type, lengths[k], 128, 37, 0, 0.5f);
    }
    try_softmax(level, lengths[k], 0, -INFINITY);
    try_softmax(level, lengths[k], 20, 0.5f);
    try_logits(level, lengths[k]);
  }
}
