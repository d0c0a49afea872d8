// Prints how fast THREADS threads together read memory, in GB/s: the best of ten passes over 512 MiB for each of them.
//
//     cc -O3 -march=native -pthread -o limits limits.c && ./limits 2
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { BYTES = 512 << 20, PASSES = 10, MOST = 256 };

typedef uint64_t words __attribute__((vector_size(64)));

static pthread_barrier_t barrier;
static uint64_t sums[MOST];

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void *read_all(void *argument) {
  uint64_t *const sum = argument;
  words *const memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) exit(1);
  madvise(memory, BYTES, MADV_HUGEPAGE);
  memset(memory, 1, BYTES);
  for (int pass = 0; pass < PASSES; pass++) {
    pthread_barrier_wait(&barrier);
    words total[4] = {{0}, {0}, {0}, {0}};
    for (size_t i = 0; i < BYTES / sizeof(words); i += 4) {
      for (size_t j = 0; j < 4; j++) total[j] += memory[i + j];
    }
    *sum += total[0][0] + total[1][1] + total[2][2] + total[3][3];
    pthread_barrier_wait(&barrier);
  }
  return NULL;
}

int main(int count, char **arguments) {
  const int threads = count > 1 ? atoi(arguments[1]) : 1;
  if (threads < 1 || threads > MOST) return 1;
  pthread_t all[MOST];
  pthread_barrier_init(&barrier, NULL, (unsigned)threads + 1);
  for (int i = 0; i < threads; i++) pthread_create(&all[i], NULL, read_all, &sums[i]);
  double best = 1e9;
  for (int pass = 0; pass < PASSES; pass++) {
    pthread_barrier_wait(&barrier);
    const double start = now();
    pthread_barrier_wait(&barrier);
    const double time = now() - start;
    if (time < best) best = time;
  }
  for (int i = 0; i < threads; i++) pthread_join(all[i], NULL);
  // What was read is used, so that reading it cannot be left out.
  fprintf(stderr, "%llu\n", (unsigned long long)sums[0] & 1);
  printf("%.1f\n", (double)BYTES * threads / best / 1e9);
  return 0;
}
