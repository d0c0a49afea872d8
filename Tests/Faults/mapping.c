// Cuts mapped files off while four threads read them, and hashes bytes in parts of every length: for sanitizers.
#include "vk_hash.h"
#include "vk_mapping.h"

#include <assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 64, LEFT = 10, THREADS = 4, ROUNDS = 200, LENGTH = 4097 };

typedef struct {
  const unsigned char *bytes;
  int first;
  long sum;
} reader;

static void *read_pages(void *argument) {
  reader *self = argument;
  for (int page = self->first; page < PAGES; page += THREADS) self->sum += self->bytes[page * PAGE];
  return NULL;
}

static void cut_off(const char *path) {
  const int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  static unsigned char ones[PAGES * PAGE];
  memset(ones, 1, sizeof ones);
  assert(file >= 0 && write(file, ones, sizeof ones) == (ssize_t)sizeof ones);
  vk_mapping *mapping = vk_mapping_create(file, sizeof ones);
  assert(mapping && ftruncate(file, LEFT * PAGE) == 0);
  close(file);
  pthread_t threads[THREADS];
  reader readers[THREADS];
  for (int i = 0; i < THREADS; i++) {
    readers[i] = (reader){.bytes = vk_mapping_bytes(mapping), .first = i};
    pthread_create(&threads[i], NULL, read_pages, &readers[i]);
  }
  long sum = 0;
  for (int i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
    sum += readers[i].sum;
  }
  assert(sum == LEFT && vk_mapping_is_damaged(mapping));
  vk_mapping_destroy(mapping);
}

static void hash_in_parts(void) {
  unsigned char bytes[LENGTH];
  for (int i = 0; i < LENGTH; i++) bytes[i] = (unsigned char)(i * 37 % 251);
  for (int length = 1; length < 200; length++) {
    vk_hash hash = vk_hash_begin(123456789);
    for (int start = 0; start < LENGTH; start += length) {
      vk_hash_add(&hash, bytes + start, (size_t)(LENGTH - start < length ? LENGTH - start : length));
    }
    // As the Python package xxhash has it.
    assert(vk_hash_value(&hash) == 0xefb0c635f81cf5af);
  }
}

int main(int count, char **arguments) {
  if (count != 2) return 2;
  for (int round = 0; round < ROUNDS; round++) cut_off(arguments[1]);
  unlink(arguments[1]);
  hash_in_parts();
  printf("%d files were cut off under %d threads, and the process lives\n", ROUNDS, THREADS);
  return 0;
}
