#include "vk_files.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

int vk_exchange(const char *first, const char *second) {
  return renameat2(AT_FDCWD, first, AT_FDCWD, second, RENAME_EXCHANGE);
}

// The number after `name` at the start of a line of a file, or -1; the first number there is for an empty name.
static long long number_in(const char *path, const char *name) {
  FILE *const file = fopen(path, "re");
  if (!file) return -1;
  char line[256];
  const size_t length = strlen(name);
  long long number = -1;
  while (number < 0 && fgets(line, sizeof line, file)) {
    if (strncmp(line, name, length) != 0 || sscanf(line + length, "%lld", &number) != 1) number = -1;
  }
  fclose(file);
  return number;
}

static long long memory_of_machine(const char *name) {
  const long long kibibytes = number_in("/proc/meminfo", name);
  return kibibytes < 0 ? -1 : kibibytes * 1024;
}

// What the control group of a container allows; -1 where nothing bounds it.
static long long memory_of_group(void) { return number_in("/sys/fs/cgroup/memory.max", ""); }

static long long least(long long first, long long second) {
  if (first < 0 || second < 0) return first < 0 ? second : first;
  return first < second ? first : second;
}

long long vk_total_memory(void) { return least(memory_of_machine("MemTotal:"), memory_of_group()); }

long long vk_available_memory(void) {
  long long left = memory_of_group();
  if (left >= 0) {
    // Pages of files are taken back when somebody needs memory.
    const long long used = number_in("/sys/fs/cgroup/memory.current", "");
    const long long files = number_in("/sys/fs/cgroup/memory.stat", "file ");
    if (used > 0) left -= used - (files > 0 ? files : 0);
    if (left < 0) left = 0;
  }
  return least(memory_of_machine("MemAvailable:"), left);
}

void vk_begin_writeback(int descriptor, long offset, long count) {
  // A hint: what fails here, the final wait for the disk says.
  (void)sync_file_range(descriptor, offset, count, SYNC_FILE_RANGE_WRITE);
}
