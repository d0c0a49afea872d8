#include "vk_scratch.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

// Memory that is freed and allocated anew for each tile comes from the system each time, page by page and cleared.
typedef struct {
  float *floats[VK_SCRATCH_KINDS];
  size_t counts[VK_SCRATCH_KINDS];
} scratch;

static pthread_key_t key;
static pthread_once_t is_ready = PTHREAD_ONCE_INIT;
static int has_key;

static void release(void *value) {
  scratch *const mine = value;
  for (size_t kind = 0; kind < VK_SCRATCH_KINDS; kind++) free(mine->floats[kind]);
  free(mine);
}

static void make_key(void) { has_key = pthread_key_create(&key, release) == 0; }

static scratch *scratch_of_thread(void) {
  pthread_once(&is_ready, make_key);
  if (!has_key) return NULL;
  scratch *mine = pthread_getspecific(key);
  if (mine) return mine;
  mine = calloc(1, sizeof *mine);
  if (mine && pthread_setspecific(key, mine) != 0) {
    free(mine);
    return NULL;
  }
  return mine;
}

float *vk_scratch(vk_scratch_kind kind, size_t count) {
  scratch *const mine = scratch_of_thread();
  if (!mine || count > SIZE_MAX / 8) return NULL;
  if (mine->counts[kind] < count) {
    free(mine->floats[kind]);
    const size_t bytes = (count * sizeof(float) + 63) / 64 * 64;
    mine->floats[kind] = aligned_alloc(64, bytes);
    mine->counts[kind] = mine->floats[kind] ? count : 0;
  }
  return mine->floats[kind];
}
