#include "vk_files.h"

#include <fcntl.h>
#include <stdio.h>

int vk_exchange(const char *first, const char *second) {
  return renameat2(AT_FDCWD, first, AT_FDCWD, second, RENAME_EXCHANGE);
}

long long vk_available_memory(void) {
  FILE *const file = fopen("/proc/meminfo", "re");
  if (!file) return -1;
  char line[256];
  long long kibibytes = -1;
  while (kibibytes < 0 && fgets(line, sizeof line, file)) {
    if (sscanf(line, "MemAvailable: %lld kB", &kibibytes) != 1) kibibytes = -1;
  }
  fclose(file);
  return kibibytes < 0 ? -1 : kibibytes * 1024;
}

void vk_begin_writeback(int descriptor, long offset, long count) {
  // A hint: what fails here, the final wait for the disk says.
  (void)sync_file_range(descriptor, offset, count, SYNC_FILE_RANGE_WRITE);
}
