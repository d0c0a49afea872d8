#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cncurses.h"

static struct {
  atomic_bool is_active;
  int memory, original;
} capture;

void cn_capture_stderr(void) {
  if (atomic_load(&capture.is_active) || !isatty(STDERR_FILENO)) return;
  capture.memory = memfd_create("standard-error", MFD_CLOEXEC);
  if (capture.memory < 0) return;
  capture.original = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
  if (capture.original < 0 || dup2(capture.memory, STDERR_FILENO) < 0) {
    if (capture.original >= 0) close(capture.original);
    close(capture.memory);
    return;
  }
  atomic_store(&capture.is_active, true);
}

/// Called by signal handlers, too: no allocation, no locks, no buffered streams.
void cn_release_stderr(void) {
  if (!atomic_exchange(&capture.is_active, false)) return;
  dup2(capture.original, STDERR_FILENO);
  close(capture.original);
  enum { LIMIT = 64 * 1024 };
  struct stat status;
  off_t end = fstat(capture.memory, &status) == 0 ? status.st_size : 0;
  char buffer[4096];
  for (off_t at = end > LIMIT ? end - LIMIT : 0; at < end;) {
    ssize_t count = pread(capture.memory, buffer, sizeof buffer, at);
    if (count <= 0) break;
    ssize_t written = write(STDERR_FILENO, buffer, (size_t)count);
    if (written < 0 && errno != EINTR) break;
    if (written > 0) at += written;
  }
  close(capture.memory);
}
