#include "vk_pool.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

// Pauses before a thread sleeps: enough for the serial work between two regions of a decode step,
// and short enough not to take the processor from others on a busy machine.
enum { SPIN_LIMIT = 2000, MOST_THREADS = 256 };

// In the low half of a ticket: the region's work is being written, and nothing can be claimed.
static const uint64_t CLOSED = UINT32_MAX;

struct vk_pool {
  // The region's number in the high half, the next unclaimed part in the low half. A part is claimed
  // by compare-and-swap, so that a thread which wakes late finds nothing and touches nothing.
  _Alignas(64) _Atomic uint64_t ticket;
  // The region's number once more: the word that idle threads sleep on.
  _Alignas(64) _Atomic uint32_t region;
  _Atomic uint32_t sleepers;
  // Finished parts: the word that the caller sleeps on.
  _Alignas(64) _Atomic uint32_t done;
  _Atomic uint32_t caller_sleeps;
  // The region's work, written while the ticket is closed. A late thread may read it meanwhile; since
  // what it read was released after the closing, its claim of the old ticket fails.
  _Alignas(64) _Atomic(vk_body) body;
  _Atomic(void *) context;
  _Atomic size_t count, grain;
  _Atomic uint32_t parts;
  atomic_bool stops;
  pthread_mutex_t one_region;
  int threads;
  pthread_t workers[MOST_THREADS];
};

static void futex_wait(_Atomic uint32_t *word, uint32_t expected) {
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, NULL, NULL, 0);
}

static void futex_wake(_Atomic uint32_t *word, int threads) {
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, threads, NULL, NULL, 0);
}

static inline void pause_briefly(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb");
#endif
}

// Claims and does parts of region `number` until none is left.
static void take_parts(vk_pool *pool, uint32_t number) {
  uint64_t ticket = atomic_load_explicit(&pool->ticket, memory_order_acquire);
  for (;;) {
    const uint32_t part = (uint32_t)ticket;
    if ((uint32_t)(ticket >> 32) != number) return;
    if (part >= atomic_load_explicit(&pool->parts, memory_order_acquire)) return;
    const vk_body body = atomic_load_explicit(&pool->body, memory_order_acquire);
    void *const context = atomic_load_explicit(&pool->context, memory_order_acquire);
    const size_t count = atomic_load_explicit(&pool->count, memory_order_acquire);
    const size_t grain = atomic_load_explicit(&pool->grain, memory_order_acquire);
    if (!atomic_compare_exchange_weak_explicit(&pool->ticket, &ticket, ticket + 1,
                                               memory_order_acq_rel, memory_order_acquire)) {
      continue;
    }
    const size_t begin = part * grain;
    body(context, begin, begin + grain < count ? begin + grain : count);
    atomic_fetch_add(&pool->done, 1);
    if (atomic_load(&pool->caller_sleeps)) futex_wake(&pool->done, 1);
    ticket = atomic_load_explicit(&pool->ticket, memory_order_acquire);
  }
}

static void *work(void *argument) {
  vk_pool *const pool = argument;
  uint32_t seen = 0;
  for (;;) {
    for (int spins = 0; atomic_load(&pool->region) == seen; spins++) {
      if (spins < SPIN_LIMIT) {
        pause_briefly();
        continue;
      }
      atomic_fetch_add(&pool->sleepers, 1);
      futex_wait(&pool->region, seen);
      atomic_fetch_sub(&pool->sleepers, 1);
      spins = 0;
    }
    if (atomic_load(&pool->stops)) return NULL;
    seen = atomic_load(&pool->region);
    take_parts(pool, seen);
  }
}

static void announce(vk_pool *pool, uint32_t number) {
  atomic_store(&pool->region, number);
  if (atomic_load(&pool->sleepers) > 0) futex_wake(&pool->region, MOST_THREADS);
}

static void wait_for(vk_pool *pool, uint32_t parts) {
  for (int spins = 0; spins < SPIN_LIMIT; spins++) {
    if (atomic_load_explicit(&pool->done, memory_order_acquire) == parts) return;
    pause_briefly();
  }
  atomic_store(&pool->caller_sleeps, 1);
  for (;;) {
    const uint32_t done = atomic_load(&pool->done);
    if (done == parts) break;
    futex_wait(&pool->done, done);
  }
  atomic_store(&pool->caller_sleeps, 0);
}

int vk_available_processors(void) {
  cpu_set_t set;
  CPU_ZERO(&set);
  const long count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set)
                                                              : sysconf(_SC_NPROCESSORS_ONLN);
  return count > 0 ? (int)count : 1;
}

vk_pool *vk_pool_create(int threads) {
  if (threads < 1) threads = 1;
  if (threads > MOST_THREADS) threads = MOST_THREADS;
  vk_pool *const pool = aligned_alloc(64, (sizeof(vk_pool) + 63) / 64 * 64);
  if (!pool) return NULL;
  *pool = (vk_pool){.threads = 1};
  pthread_mutex_init(&pool->one_region, NULL);
  // Workers inherit the mask: signals are the interface's business, not theirs; but for those of their own faults, which
  // end the process at once where they are blocked.
  static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT};
  sigset_t all, before;
  sigfillset(&all);
  for (size_t i = 0; i < sizeof own / sizeof *own; i++) sigdelset(&all, own[i]);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  while (pool->threads < threads &&
         pthread_create(&pool->workers[pool->threads - 1], NULL, work, pool) == 0) {
    pool->threads++;
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return pool;
}

void vk_pool_destroy(vk_pool *pool) {
  atomic_store(&pool->stops, true);
  announce(pool, atomic_load(&pool->region) + 1);
  for (int i = 0; i + 1 < pool->threads; i++) pthread_join(pool->workers[i], NULL);
  pthread_mutex_destroy(&pool->one_region);
  free(pool);
}

int vk_pool_threads(const vk_pool *pool) { return pool->threads; }

void vk_pool_run(vk_pool *pool, size_t count, size_t grain, vk_body body, void *context) {
  if (count == 0) return;
  if (grain == 0) grain = 1;
  if (count / grain > UINT32_MAX - 1) grain = count / (UINT32_MAX - 1) + 1;
  const uint32_t parts = (uint32_t)((count + grain - 1) / grain);
  if (parts == 1 || pool->threads == 1 || pthread_mutex_trylock(&pool->one_region) != 0) {
    body(context, 0, count);
    return;
  }
  const uint32_t number = atomic_load_explicit(&pool->region, memory_order_relaxed) + 1;
  atomic_store_explicit(&pool->ticket, (uint64_t)number << 32 | CLOSED, memory_order_relaxed);
  atomic_store_explicit(&pool->body, body, memory_order_release);
  atomic_store_explicit(&pool->context, context, memory_order_release);
  atomic_store_explicit(&pool->count, count, memory_order_release);
  atomic_store_explicit(&pool->grain, grain, memory_order_release);
  atomic_store_explicit(&pool->parts, parts, memory_order_release);
  atomic_store_explicit(&pool->done, 0, memory_order_relaxed);
  atomic_store_explicit(&pool->ticket, (uint64_t)number << 32, memory_order_release);
  announce(pool, number);
  take_parts(pool, number);
  wait_for(pool, parts);
  pthread_mutex_unlock(&pool->one_region);
}
