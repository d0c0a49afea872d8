#include "cached.h"

#include <math.h>

#include "rounding.h"

size_t vk_cached_bytes(vk_cache_type type, size_t size) {
  switch (type) {
    case VK_CACHE_F32: return 4 * size;
    case VK_CACHE_F16: return 2 * size;
    case VK_CACHE_INT8: break;
  }
  const size_t groups = (size + CACHE_GROUP - 1) / CACHE_GROUP;
  // Scales lie at even addresses.
  return (size + 2 * groups + 1) / 2 * 2;
}

// A value that is no number, or has no bound, stays so: it has to be found in what is computed.
VK_INLINE uint16_t held_half(float value) {
  const uint32_t rest = vk_to_bits(value) & 0x7fffffffu;
  const uint16_t unbounded = (uint16_t)((vk_to_bits(value) >> 16 & 0x8000u) | 0x7c00u);
  return rest < 0x7f800000u ? vk_half_of(value) : rest == 0x7f800000u ? unbounded : 0x7e00u;
}

VK_INLINE void put_half(uint16_t half, uint8_t *place) { memcpy(place, &half, sizeof half); }

VK_INLINE void write_group(const float *x, size_t count, uint8_t *group) {
  float most = 0, sum = 0;
  for (size_t i = 0; i < count; i++) {
    const float size = fabsf(x[i]);
    most = size > most ? size : most;
    sum += size;
  }
  // NaN is never the most, but makes the sum NaN. The sum of large finite values may be infinite.
  const int isFinite = sum == sum && most < INFINITY;
  const uint16_t scale = isFinite ? vk_half_of(most / 127) : 0x7e00u;
  put_half(scale, group);
  const float step = vk_half_to_float(scale);
  const float inverse = isFinite && step > 0 ? 1 / step : 0;
  for (size_t i = 0; i < count; i++) {
    const float code = vk_round_even(fminf(fmaxf(x[i] * inverse, -127), 127));
    group[2 + i] = (uint8_t)(int8_t)(int)(isFinite ? code : 0);
  }
}

VK_INLINE void vk_cache_write_body(vk_level level, vk_cache_type type, const float *values,
                                   size_t heads, size_t size, uint8_t *cached) {
  (void)level;
  const size_t stride = vk_cached_bytes(type, size);
  switch (type) {
    case VK_CACHE_F32: memcpy(cached, values, heads * stride); return;
    case VK_CACHE_F16:
      for (size_t i = 0; i < heads * size; i++) put_half(held_half(values[i]), cached + 2 * i);
      return;
    case VK_CACHE_INT8: break;
  }
  for (size_t head = 0; head < heads; head++) {
    uint8_t *group = cached + head * stride;
    for (size_t start = 0; start < size; start += CACHE_GROUP, group += CACHE_GROUP_BYTES) {
      const size_t some = size - start < CACHE_GROUP ? size - start : CACHE_GROUP;
      write_group(values + head * size + start, some, group);
    }
    // Every byte is defined, so that files and sums of them are, too.
    if (size % 2 != 0) cached[(head + 1) * stride - 1] = 0;
  }
}

VK_VARIANTS(void, vk_cache_write,
            (vk_level level, vk_cache_type type, const float *values, size_t heads, size_t size,
             uint8_t *cached),
            (level, type, values, heads, size, cached))

VK_INLINE void read_heads(vk_level level, vk_cache_type type, const uint8_t *cached, size_t stride,
                          size_t positions, size_t size, float *values) {
  for (size_t position = 0; position < positions; position++) {
    const uint8_t *const head = cached + position * stride;
    float *const row = values + position * size;
    const size_t whole = size / vk_lanes * vk_lanes;
    for (size_t i = 0; i < whole; i += vk_lanes) {
      vk_floats lanes;
      vk_cached_lanes(level, type, head, i, &lanes);
      memcpy(row + i, &lanes, sizeof lanes);
    }
    for (size_t i = whole; i < size; i++) row[i] = vk_cached_value(level, type, head, i);
  }
}

VK_INLINE void vk_cache_read_body(vk_level level, vk_cache_type type, const uint8_t *cached,
                                  size_t stride, size_t positions, size_t size, float *values) {
  switch (type) {
    case VK_CACHE_F32:
      read_heads(level, VK_CACHE_F32, cached, stride, positions, size, values);
      break;
    case VK_CACHE_F16:
      read_heads(level, VK_CACHE_F16, cached, stride, positions, size, values);
      break;
    case VK_CACHE_INT8:
      read_heads(level, VK_CACHE_INT8, cached, stride, positions, size, values);
      break;
  }
}

VK_VARIANTS(void, vk_cache_read,
            (vk_level level, vk_cache_type type, const uint8_t *cached, size_t stride,
             size_t positions, size_t size, float *values),
            (level, type, cached, stride, positions, size, values))
