#include "vk_scratch.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

// Memory that is freed and allocated anew for each tile comes from the system each time, page by page and cleared.
typedef struct {
  float *floats;
  size_t count;
} scratch;

static pthread_key_t key;
static pthread_once_t is_ready = PTHREAD_ONCE_INIT;
static int has_key;

static void release(void *value) {
  scratch *const mine = value;
  free(mine->floats);
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

float *vk_scratch(size_t count) {
  scratch *const mine = scratch_of_thread();
  if (!mine || count > SIZE_MAX / 8) return NULL;
  if (mine->count < count) {
    free(mine->floats);
    const size_t bytes = (count * sizeof(float) + 63) / 64 * 64;
    mine->floats = aligned_alloc(64, bytes);
    mine->count = mine->floats ? count : 0;
  }
  return mine->floats;
}
