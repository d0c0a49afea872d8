#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cncurses.h"
#include "internal.h"

// All that a handler calls is async-signal-safe: write, tcsetattr, dup2, pread, clock_gettime,
// sigaction, raise, and lock-free atomics.

enum { FARTHEST_SIGNAL = 64 };

static struct {
  atomic_bool is_active, is_given_back;
  /// When the process was first asked to end, in milliseconds; 0 if it was not.
  atomic_llong asked_to_end;
  int wake, terminal;
  struct termios original;
  char leaving[512];
  size_t length;
  struct sigaction before[FARTHEST_SIGNAL + 1];
  bool is_caught[FARTHEST_SIGNAL + 1];
  sigset_t mask_before;
} guard;

static const int requests[] = {SIGTERM, SIGHUP, SIGINT, SIGQUIT};
static const int notices[] = {SIGWINCH, SIGTSTP, SIGCONT};
static const int crashes[] = {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
#define COUNT(array) (sizeof(array) / sizeof *(array))

bool cn_is_given_back(void) { return atomic_load(&guard.is_given_back); }

static void give_back(void) {
  if (!atomic_load(&guard.is_active) || atomic_exchange(&guard.is_given_back, true)) return;
  for (size_t sent = 0; sent < guard.length;) {
    ssize_t count = write(guard.terminal, guard.leaving + sent, guard.length - sent);
    if (count > 0) {
      sent += (size_t)count;
    } else if (errno != EINTR) {
      break;
    }
  }
  tcsetattr(guard.terminal, TCSANOW, &guard.original);
  cn_release_stderr();
}

static void notify(int number) {
  unsigned char byte = (unsigned char)number;
  // A full pipe means that the loop is about to wake anyway.
  ssize_t ignored = write(guard.wake, &byte, 1);
  (void)ignored;
}

/// Hands a signal on to whoever caught it before us, which mostly ends the process.
static void hand_on(int number) {
  sigaction(number, &guard.before[number], NULL);
  raise(number);
}

static long long milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static void on_request(int number) {
  int before = errno;
  // A closing window sends SIGHUP through both the kernel and the shell: that is one request.
  enum { SAME_REQUEST = 200 };
  long long now = milliseconds();
  long long asked = 0;
  if (atomic_compare_exchange_strong(&guard.asked_to_end, &asked, now)) {
    notify(number);
  } else if (now - asked > SAME_REQUEST) {
    give_back();
    hand_on(number);
  }
  errno = before;
}

static void on_notice(int number) {
  int before = errno;
  notify(number);
  errno = before;
}

static void on_crash(int number, siginfo_t *info, void *context) {
  (void)context;
  give_back();
  // Faults happen again on return, with the true address and registers for whoever looks at them.
  bool recurs = info->si_code > 0 && number != SIGABRT && number != SIGTRAP;
  if (recurs) {
    sigaction(number, &guard.before[number], NULL);
  } else {
    hand_on(number);
  }
}

static void catch_signal(int number, const struct sigaction *action) {
  if (sigaction(number, action, &guard.before[number]) != 0) return;
  bool was_ignored = guard.before[number].sa_handler == SIG_IGN;
  if (was_ignored) sigaction(number, &guard.before[number], NULL);
  guard.is_caught[number] = !was_ignored;
}

/// Threads of a pool block all signals; the screen's thread takes them, whichever it is.
static void unblock_signals(void) {
  sigset_t ours;
  sigemptyset(&ours);
  for (int number = 1; number <= FARTHEST_SIGNAL; number++) {
    if (guard.is_caught[number]) sigaddset(&ours, number);
  }
  pthread_sigmask(SIG_UNBLOCK, &ours, &guard.mask_before);
}

/// Lets handlers run after the main stack has overflowed.
static void provide_signal_stack(void) {
  static char memory[64 * 1024];
  stack_t current;
  if (sigaltstack(NULL, &current) != 0 || !(current.ss_flags & SS_DISABLE)) return;
  stack_t ours = {.ss_sp = memory, .ss_size = sizeof memory};
  sigaltstack(&ours, NULL);
}

void cn_guard(int32_t wake, const char *leaving) {
  static bool is_registered = false;
  if (!is_registered) is_registered = atexit(give_back) == 0;
  if (atomic_load(&guard.is_active)) cn_unguard();

  const cn_terminal *terminal = cn_current_terminal();
  guard.wake = wake;
  guard.terminal = terminal->output;
  guard.original = terminal->original;
  guard.length = strnlen(leaving, sizeof guard.leaving / 2);
  memcpy(guard.leaving, leaving, guard.length);
  guard.length +=
      cn_exit_sequences(guard.leaving + guard.length, sizeof guard.leaving - guard.length);
  atomic_store(&guard.is_given_back, false);
  atomic_store(&guard.asked_to_end, 0);
  atomic_store(&guard.is_active, true);

  provide_signal_stack();
  struct sigaction action = {.sa_flags = SA_RESTART | SA_ONSTACK};
  sigfillset(&action.sa_mask);
  action.sa_handler = on_request;
  for (size_t i = 0; i < COUNT(requests); i++) catch_signal(requests[i], &action);
  action.sa_handler = on_notice;
  for (size_t i = 0; i < COUNT(notices); i++) catch_signal(notices[i], &action);
  action.sa_sigaction = on_crash;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  for (size_t i = 0; i < COUNT(crashes); i++) catch_signal(crashes[i], &action);
  unblock_signals();
}

void cn_unguard(void) {
  if (!atomic_exchange(&guard.is_active, false)) return;
  pthread_sigmask(SIG_SETMASK, &guard.mask_before, NULL);
  for (int number = 1; number <= FARTHEST_SIGNAL; number++) {
    if (!guard.is_caught[number]) continue;
    sigaction(number, &guard.before[number], NULL);
    guard.is_caught[number] = false;
  }
}

bool cn_can_stop(void) { return getpgrp() != getsid(0); }

void cn_stop(bool whole_group) { kill(whole_group ? 0 : getpid(), SIGSTOP); }
