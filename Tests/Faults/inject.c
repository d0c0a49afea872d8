// A library for LD_PRELOAD that lets chosen system calls fail, on files below one folder only.
//
//   FAULT_UNDER=FOLDER              the folder; names and descriptors of other files pass
//   FAULT_CALL=write                open, read, write, sync, rename, map, size (ftruncate), make (mkdir) or remove
//   FAULT_NUMBER=3                  the first call of that kind that fails, from 1; 0 for none
//   FAULT_KIND=ENOSPC               EINTR, EIO, ENOSPC, EMFILE; `short` for half of the bytes; KILL for a SIGKILL on the way in,
//                                   KILLED for one on the way out
//   FAULT_ONCE=1                    that call alone; or else all after it fail too, as on a full disk
//   FAULT_COUNTS=FILE               where to write at exit how many calls of each kind there were
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { OPEN, READ, WRITE, SYNC, RENAME, MAP, SIZE, MAKE, REMOVE, KINDS };
static const char *const names[KINDS] = {"open", "read", "write", "sync",  "rename",
                                         "map",  "size", "make",  "remove"};
static const struct {
  const char *name;
  int code;
} codes[] = {{"EINTR", EINTR}, {"EIO", EIO}, {"ENOSPC", ENOSPC}, {"EMFILE", EMFILE}};

static atomic_int counts[KINDS];
static const char *under, *wanted, *kind;
static int number, code;
static bool once;

__attribute__((constructor)) static void begin(void) {
  under = getenv("FAULT_UNDER");
  wanted = getenv("FAULT_CALL");
  kind = getenv("FAULT_KIND");
  number = getenv("FAULT_NUMBER") ? atoi(getenv("FAULT_NUMBER")) : 0;
  once = getenv("FAULT_ONCE") != NULL;
  for (size_t i = 0; kind && i < sizeof codes / sizeof *codes; i++) {
    if (strcmp(kind, codes[i].name) == 0) code = codes[i].code;
  }
}

__attribute__((destructor)) static void end(void) {
  const char *path = getenv("FAULT_COUNTS");
  FILE *file = path ? fopen(path, "w") : NULL;
  if (!file) return;
  for (int i = 0; i < KINDS; i++) fprintf(file, "%s %d\n", names[i], atomic_load(&counts[i]));
  fclose(file);
}

static bool is_ours(const char *path) {
  return under && path && strncmp(path, under, strlen(under)) == 0;
}

static bool is_ours_open(int descriptor) {
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const ssize_t count = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
  if (count < 0) return false;
  path[count] = 0;
  return is_ours(path);
}

/// What becomes of a call: 0 for nothing unusual, 1 for a failure with errno set, 2 for half of it, 3 for a kill after it.
static int fate(int call) {
  const int nth = atomic_fetch_add(&counts[call], 1) + 1;
  if (!wanted || !kind || number == 0 || strcmp(wanted, names[call]) != 0) return 0;
  if (nth < number || (once && nth > number)) return 0;
  if (strcmp(kind, "short") == 0) return 2;
  if (strcmp(kind, "KILLED") == 0) return 3;
  if (strcmp(kind, "KILL") == 0) kill(getpid(), SIGKILL);
  errno = code;
  return 1;
}

static ssize_t done(int what, ssize_t result) {
  if (what == 3) kill(getpid(), SIGKILL);
  return result;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define PASS(call, condition, expression)             \
  const int what = (condition) ? fate(call) : 0;      \
  return what == 1 ? -1 : done(what, expression)

static size_t part(int what, size_t count) { return what == 2 && count > 1 ? count / 2 : count; }

static mode_t mode_of(int flags, va_list list) {
  return flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0;
}

#define DEFINE_OPEN(name)                                          \
  int name(const char *path, int flags, ...) {                     \
    va_list list;                                                  \
    va_start(list, flags);                                         \
    const mode_t mode = mode_of(flags, list);                      \
    va_end(list);                                                  \
    PASS(OPEN, is_ours(path), NEXT(name)(path, flags, mode));      \
  }
DEFINE_OPEN(open)
DEFINE_OPEN(open64)

#define DEFINE_OPENAT(name)                                               \
  int name(int directory, const char *path, int flags, ...) {             \
    va_list list;                                                         \
    va_start(list, flags);                                                \
    const mode_t mode = mode_of(flags, list);                             \
    va_end(list);                                                         \
    PASS(OPEN, is_ours(path), NEXT(name)(directory, path, flags, mode));  \
  }
DEFINE_OPENAT(openat)
DEFINE_OPENAT(openat64)

ssize_t read(int file, void *bytes, size_t count) {
  PASS(READ, is_ours_open(file), NEXT(read)(file, bytes, part(what, count)));
}
ssize_t pread(int file, void *bytes, size_t count, off_t at) {
  PASS(READ, is_ours_open(file), NEXT(pread)(file, bytes, part(what, count), at));
}
ssize_t pread64(int file, void *bytes, size_t count, off64_t at) {
  PASS(READ, is_ours_open(file), NEXT(pread64)(file, bytes, part(what, count), at));
}
ssize_t write(int file, const void *bytes, size_t count) {
  PASS(WRITE, is_ours_open(file), NEXT(write)(file, bytes, part(what, count)));
}
ssize_t pwrite(int file, const void *bytes, size_t count, off_t at) {
  PASS(WRITE, is_ours_open(file), NEXT(pwrite)(file, bytes, part(what, count), at));
}
ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t at) {
  PASS(WRITE, is_ours_open(file), NEXT(pwrite64)(file, bytes, part(what, count), at));
}
int fsync(int file) { PASS(SYNC, is_ours_open(file), NEXT(fsync)(file)); }
int fdatasync(int file) { PASS(SYNC, is_ours_open(file), NEXT(fdatasync)(file)); }
int ftruncate(int file, off_t size) { PASS(SIZE, is_ours_open(file), NEXT(ftruncate)(file, size)); }
int ftruncate64(int file, off64_t size) {
  PASS(SIZE, is_ours_open(file), NEXT(ftruncate64)(file, size));
}
int mkdir(const char *path, mode_t mode) { PASS(MAKE, is_ours(path), NEXT(mkdir)(path, mode)); }
int unlink(const char *path) { PASS(REMOVE, is_ours(path), NEXT(unlink)(path)); }
int rmdir(const char *path) { PASS(REMOVE, is_ours(path), NEXT(rmdir)(path)); }
int rename(const char *old, const char *new) { PASS(RENAME, is_ours(new), NEXT(rename)(old, new)); }
int renameat2(int a, const char *old, int b, const char *new, unsigned flags) {
  PASS(RENAME, is_ours(new), NEXT(renameat2)(a, old, b, new, flags));
}

void *mmap(void *address, size_t count, int rights, int flags, int file, off_t at) {
  const int what = file >= 0 && is_ours_open(file) ? fate(MAP) : 0;
  if (what == 1) return MAP_FAILED;
  void *result = NEXT(mmap)(address, count, rights, flags, file, at);
  done(what, 0);
  return result;
}
void *mmap64(void *address, size_t count, int rights, int flags, int file, off64_t at) {
  const int what = file >= 0 && is_ours_open(file) ? fate(MAP) : 0;
  if (what == 1) return MAP_FAILED;
  void *result = NEXT(mmap64)(address, count, rights, flags, file, at);
  done(what, 0);
  return result;
}
