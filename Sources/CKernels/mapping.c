#include "vk_mapping.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

// The handler walks this list, so mappings are never taken out of it: a destroyed one is empty and is used again.
struct vk_mapping {
  _Atomic uintptr_t begin, end;
  atomic_bool is_damaged, is_used;
  struct vk_mapping *next;
};

static _Atomic(vk_mapping *) mappings;
static struct sigaction before;
static atomic_bool is_passed_on;
static size_t page_size;

/// Async-signal-safe: atomics and the system calls mmap and sigaction.
static void on_fault(int number, siginfo_t *info, void *context) {
  (void)context;
  const int code = errno;
  const uintptr_t address = (uintptr_t)info->si_addr;
  for (vk_mapping *mapping = atomic_load(&mappings); mapping; mapping = mapping->next) {
    const uintptr_t begin = atomic_load(&mapping->begin), end = atomic_load(&mapping->end);
    if (info->si_code <= 0 || begin == 0 || address < begin || address >= end) continue;
    const uintptr_t page = address / page_size * page_size;
    void *zeros = mmap((void *)page, end - page, PROT_READ,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
    if (zeros == MAP_FAILED) break;
    atomic_store(&mapping->is_damaged, true);
    errno = code;
    return;
  }
  // Not ours: it happens again on return, for whoever took the signal before; once that is us again, for nobody.
  if (atomic_exchange(&is_passed_on, true)) {
    signal(number, SIG_DFL);
  } else {
    sigaction(number, &before, NULL);
  }
  if (info->si_code <= 0) raise(number);
  errno = code;
}

void vk_mapping_guard(void) {
  struct sigaction current;
  if (sigaction(SIGBUS, NULL, &current) != 0) return;
  if ((current.sa_flags & SA_SIGINFO) && current.sa_sigaction == on_fault) return;
  before = current;
  page_size = (size_t)sysconf(_SC_PAGESIZE);
  struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
  action.sa_sigaction = on_fault;
  sigemptyset(&action.sa_mask);
  sigaction(SIGBUS, &action, NULL);
}

static vk_mapping *take_unused(void) {
  for (vk_mapping *mapping = atomic_load(&mappings); mapping; mapping = mapping->next) {
    bool is_used = false;
    if (atomic_compare_exchange_strong(&mapping->is_used, &is_used, true)) return mapping;
  }
  vk_mapping *mapping = calloc(1, sizeof *mapping);
  if (!mapping) return NULL;
  atomic_store(&mapping->is_used, true);
  mapping->next = atomic_load(&mappings);
  while (!atomic_compare_exchange_weak(&mappings, &mapping->next, mapping)) continue;
  return mapping;
}

vk_mapping *vk_mapping_create(int descriptor, size_t count) {
  vk_mapping_guard();
  void *bytes = mmap(NULL, count, PROT_READ, MAP_PRIVATE, descriptor, 0);
  vk_mapping *mapping = bytes == MAP_FAILED ? NULL : take_unused();
  if (!mapping) {
    const int code = errno;
    if (bytes != MAP_FAILED) munmap(bytes, count);
    errno = code;
    return NULL;
  }
  atomic_store(&mapping->is_damaged, false);
  atomic_store(&mapping->end, (uintptr_t)bytes + count);
  atomic_store(&mapping->begin, (uintptr_t)bytes);
  return mapping;
}

const void *vk_mapping_bytes(const vk_mapping *mapping) {
  return (const void *)atomic_load(&mapping->begin);
}

bool vk_mapping_is_damaged(const vk_mapping *mapping) { return atomic_load(&mapping->is_damaged); }

void vk_mapping_destroy(vk_mapping *mapping) {
  const uintptr_t begin = atomic_load(&mapping->begin), end = atomic_load(&mapping->end);
  atomic_store(&mapping->begin, 0);
  munmap((void *)begin, end - begin);
  atomic_store(&mapping->is_used, false);
}
