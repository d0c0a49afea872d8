// Vectors of which only large values multiply.
#include "columns.h"

typedef float floats16 __attribute__((vector_size(64)));
typedef int32_t integers16 __attribute__((vector_size(64)));
typedef int8_t bytes16 __attribute__((vector_size(16)));

enum { MOST_SPAN = 64, BYTES = sizeof(bytes16) };

VK_INLINE size_t padded(size_t bytes) { return (bytes + VK_VECTOR - 1) / VK_VECTOR * VK_VECTOR; }

size_t vk_active_span(size_t group) {
  if (group <= MOST_SPAN) return group;
  return group % MOST_SPAN == 0 ? MOST_SPAN : VK_UNIT_COLUMNS;
}

// Places for the fours of all spans, if all values multiply.
static size_t most_places(size_t columns, size_t group) {
  const size_t span = vk_active_span(group);
  return (columns + span - 1) / span * ((span + VK_FOUR - 1) / VK_FOUR) * VK_FOUR;
}

size_t vk_active_bytes(size_t columns, size_t group, vk_planes planes) {
  const size_t places = most_places(columns, group), spans = columns / vk_active_span(group) + 1;
  return padded(places * sizeof(uint32_t)) + padded(places + BYTES) * planes +
         2 * padded(spans * sizeof(uint32_t)) + padded((columns / group + 1) * sizeof(float));
}

// Writes the columns and values of a span that multiply, fills the last four up and the last vector with zeros; returns
// how many multiply.
VK_INLINE size_t gather_span(const float *x, size_t first, size_t count, float threshold,
                             uint32_t *columns, float *values) {
  size_t found = 0;
  for (size_t i = 0; i < count; i++) {
    const float value = x[first + i];
    columns[found] = (uint32_t)(first + i);
    values[found] = value;
    // What is no number multiplies as well, so that it is noticed.
    found += !(__builtin_fabsf(value) < threshold);
  }
  for (size_t i = found; i % VK_FOUR != 0; i++) columns[i] = columns[found - 1];
  memset(values + found, 0, BYTES * sizeof *values);
  return found;
}

// The values as integers; returns the step, and adds to `sum` what the integers stand for. Whole vectors are written.
VK_INLINE float round_span(const float *values, size_t count, int8_t *high, int8_t *low, float *sum) {
  integers16 bits = {0};
  for (size_t i = 0; i < count; i += BYTES) {
    integers16 some;
    memcpy(&some, values + i, sizeof some);
    // Bits without the sign are in the order of magnitudes, with infinity and what is no number at the end.
    bits = __builtin_elementwise_max(bits, some & 0x7fffffff);
  }
  const float most = vk_from_bits((uint32_t)__builtin_reduce_max(bits));
  const float largest = low ? 127.0f * 256 + 127 : 127.0f;
  // Below this the inverse of the step would overflow; such a span counts as zeros.
  const int is_zero = most < 1e-30f || !(most <= __FLT_MAX__);
  const float inverse = is_zero ? 0 : largest / most;
  integers16 all = {0};
  for (size_t i = 0; i < count; i += BYTES) {
    floats16 some;
    memcpy(&some, values + i, sizeof some);
    const floats16 scaled = is_zero ? (floats16){0} : some * inverse;
    const integers16 value = __builtin_convertvector(__builtin_elementwise_rint(scaled), integers16);
    const integers16 rest = low ? (value + 128) >> 8 : value;
    const bytes16 upper = __builtin_convertvector(rest, bytes16);
    memcpy(high + i, &upper, sizeof upper);
    if (low) {
      const bytes16 lower = __builtin_convertvector(value, bytes16);
      memcpy(low + i, &lower, sizeof lower);
    }
    all += value;
  }
  const float step = most < 1e-30f ? 0 : most / largest;
  *sum += (float)__builtin_reduce_add(all) * step;
  return step;
}

VK_INLINE vk_active_inputs vk_active_gather_body(vk_level level, const float *x, size_t columns,
                                                 size_t group, float threshold, vk_planes planes,
                                                 void *memory) {
  (void)level;
  const size_t places = most_places(columns, group), span = vk_active_span(group);
  const size_t spans = (columns + span - 1) / span;
  uint32_t *const chosen = memory;
  int8_t *const high = (int8_t *)memory + padded(places * sizeof(uint32_t));
  int8_t *const low = planes == VK_EXACT ? high + padded(places + BYTES) : NULL;
  uint8_t *const rest = (uint8_t *)high + padded(places + BYTES) * planes;
  uint32_t *const ends = (uint32_t *)rest;
  float *const steps = (float *)(rest + padded((columns / span + 1) * sizeof(uint32_t)));
  float *const sums = (float *)((uint8_t *)steps + padded((columns / span + 1) * sizeof(uint32_t)));
  size_t end = 0, active = 0;
  for (size_t s = 0; s < spans; s++) {
    const size_t first = s * span, left = columns - first;
    float values[MOST_SPAN + BYTES];
    if (first % group == 0) sums[first / group] = 0;
    uint32_t some[MOST_SPAN + VK_FOUR];
    const size_t found = gather_span(x, first, left < span ? left : span, threshold, some, values);
    const size_t filled = (found + VK_FOUR - 1) / VK_FOUR * VK_FOUR;
    memcpy(chosen + end, some, filled * sizeof *some);
    float *const sum = sums + first / group;
    steps[s] = low ? round_span(values, filled, high + end, low + end, sum)
                   : round_span(values, filled, high + end, NULL, sum);
    end += filled;
    active += found;
    ends[s] = (uint32_t)(end / VK_FOUR);
  }
  return (vk_active_inputs){
      .columns = chosen,
      .high = high,
      .low = low,
      .ends = ends,
      .steps = steps,
      .sums = sums,
      .fours = end / VK_FOUR,
      .spans = spans,
      .active = active,
  };
}

VK_VARIANTS(vk_active_inputs, vk_active_gather,
            (vk_level level, const float *x, size_t columns, size_t group, float threshold,
             vk_planes planes, void *memory),
            (level, x, columns, group, threshold, planes, memory))
