// Calls every kernel that takes a level at all levels of this processor, and compares the results with those of plain C.
//
//   variants record FILE    writes the results of plain C, which other processors' are compared with
//   variants compare FILE   compares those of all levels, plain C among them
//
// Inputs are random, but the same in each run and at each level.
#include "variants.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const size_t lengths[] = {1, 3, 7, 8, 15, 16, 17, 31, 33, 64, 100, 129, MOST_LENGTH};
const size_t length_count = sizeof lengths / sizeof lengths[0];

static FILE *recording;
static int records;
static const char *level_name;
static size_t results, failures;

static uint64_t state;

static uint32_t random_bits(void) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(state >> 32);
}

size_t random_below(size_t end) { return random_bits() % end; }

static void *some_memory(size_t bytes) {
  void *memory = malloc(bytes ? bytes : 1);
  if (!memory) abort();
  return memory;
}

uint8_t *random_bytes(size_t count) {
  uint8_t *bytes = some_memory(count);
  for (size_t i = 0; i < count; i++) bytes[i] = (uint8_t)(random_bits() >> 7);
  return bytes;
}

float *random_floats(size_t count, float size) {
  float *values = some_memory(count * sizeof(float));
  for (size_t i = 0; i < count; i++) {
    const float value = ((float)(random_bits() >> 8) * 0x1p-23f - 1) * size;
    const size_t kind = random_below(40);
    values[i] = kind == 0 ? 0 : kind == 1 ? 100 * value : value;
  }
  return values;
}

float *random_importance(size_t count) {
  float *values = random_floats(count, 1);
  for (size_t i = 0; i < count; i++) values[i] = fabsf(values[i]) + 0.01f;
  return values;
}

uint16_t *random_halves(size_t count) {
  uint16_t *halves = some_memory(count * sizeof(uint16_t));
  for (size_t i = 0; i < count; i++) {
    halves[i] = (uint16_t)((random_bits() & 0x83ff) | (14 + random_below(2)) << 10);
  }
  return halves;
}

void *room_for(size_t bytes) {
  void *room = some_memory(bytes);
  memset(room, 0xa5, bytes);
  return room;
}

void fail(const char *name, const char *reason, size_t place) {
  if (failures++ < 20) fprintf(stderr, "%s at level %s: %s at %zu\n", name, level_name, reason, place);
}

// The same bytes of the recording; NULL, of a recording that is being written or of other results.
static void *recorded(const char *name, const void *found, size_t bytes) {
  const uint64_t count = bytes;
  results++;
  if (records) {
    if (fwrite(&count, sizeof count, 1, recording) != 1 || fwrite(found, 1, bytes, recording) != bytes) abort();
    return NULL;
  }
  uint64_t expected = 0;
  void *before = some_memory(bytes);
  if (fread(&expected, sizeof expected, 1, recording) != 1 || expected != count ||
      fread(before, 1, bytes, recording) != bytes) {
    fprintf(stderr, "%s: the recording has other results\n", name);
    exit(1);
  }
  return before;
}

void same(const char *name, const void *found, size_t bytes) {
  uint8_t *const before = recorded(name, found, bytes);
  for (size_t i = 0; before && i < bytes; i++) {
    if (before[i] != ((const uint8_t *)found)[i]) {
      fail(name, "another byte", i);
      break;
    }
  }
  free(before);
}

// Compares with the recording, up to a share of the magnitudes: `own` times that of the number, `rest`, and each of `others`.
static void compare(const char *name, const float *found, size_t count, double own, double rest,
                    const float *others) {
  float *const before = recorded(name, found, count * sizeof(float));
  for (size_t i = 0; before && i < count; i++) {
    const double magnitude = own * fabs((double)before[i]) + rest + (others ? (double)others[i] : 0);
    // What compares with nothing fails, too.
    if (!(fabs((double)found[i] - before[i]) <= 2e-6 * magnitude)) {
      fail(name, "another number", i);
      break;
    }
  }
  free(before);
}

void near(const char *name, const float *found, size_t count, double magnitude) {
  compare(name, found, count, 0, magnitude, NULL);
}

void near_each(const char *name, const float *found, size_t count) {
  compare(name, found, count, 2, 1, NULL);
}

void near_sums(const char *name, const float *found, size_t count, const float *magnitudes) {
  compare(name, found, count, 0, 0, magnitudes);
}

static void try_all(vk_level level, const char *name) {
  level_name = name;
  state = 1;
  rewind(recording);
  results = 0;
  try_tiles(level);
  try_products(level);
  try_blocks(level);
  try_formats(level);
  try_vectors(level);
  try_gradients(level);
  try_statistics(level);
  try_columns(level);
  printf("%s: %zu results %s\n", name, results, records ? "recorded" : "compared");
}

int main(int count, char **arguments) {
  static const struct {
    vk_level level;
    const char *name;
  } levels[] = {{VK_PORTABLE, "plain C"}, {VK_AVX2, "AVX2"},        {VK_AVX2_VNNI, "AVX-VNNI"},
                {VK_AVX512, "AVX-512"},   {VK_NEON_DOT, "dotprod"}, {VK_NEON_I8MM, "i8mm"}};
  records = count == 3 && strcmp(arguments[1], "record") == 0;
  if (count != 3 || (!records && strcmp(arguments[1], "compare") != 0)) {
    fputs("usage: variants record|compare FILE\n", stderr);
    return 2;
  }
  recording = fopen(arguments[2], records ? "wb" : "rb");
  if (!recording) {
    perror(arguments[2]);
    return 1;
  }
  for (size_t i = 0; i < (records ? 1 : sizeof levels / sizeof levels[0]); i++) {
    if (vk_supports(levels[i].level)) try_all(levels[i].level, levels[i].name);
  }
  if (fclose(recording) != 0 || failures > 0) {
    fprintf(stderr, "%zu results differ\n", failures);
    return 1;
  }
  return 0;
}
