#include <curses.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <unistd.h>

#undef columns  // term.h makes a macro of it

#include "cncurses.h"
#include "embedded_entry.h"
#include "internal.h"

static struct {
  SCREEN *handle;
  FILE *input, *output;
  cn_terminal terminal;
  bool has_default_colors;
  // The colour pair used last: neighbouring cells mostly share theirs.
  int32_t foreground, background;
  int pair;
} screen;

const cn_terminal *cn_current_terminal(void) { return &screen.terminal; }

cn_traits cn_terminal_traits(const char *term) {
  cn_traits traits = {0};
  TERMINAL *before = cur_term;
  int found = 0;
  if (setupterm(term, STDOUT_FILENO, &found) != OK) return traits;
  traits.is_known = true;
  const char *address = tigetstr("cup");
  traits.addresses_cursor = address && address != (char *)-1;
  int colors = tigetnum("colors");
  traits.colors = colors > 0 ? colors : 0;
  TERMINAL *ours = set_curterm(before);
  if (ours != before) del_curterm(ours);
  return traits;
}

/// Creates the screen with the embedded entry, which is passed through the environment.
static SCREEN *new_embedded_terminal(void) {
  const char *set = getenv("TERMINFO");
  char *before = set ? strdup(set) : NULL;
  setenv("TERMINFO", embedded_entry, 1);
  SCREEN *handle = newterm("vise-xterm", screen.output, screen.input);
  if (before) {
    setenv("TERMINFO", before, 1);
  } else {
    unsetenv("TERMINFO");
  }
  free(before);
  return handle;
}

/// Creates the screen without the signal handlers that curses would leave behind.
static SCREEN *new_terminal(const char *term) {
  static const int signals[] = {SIGINT, SIGTERM, SIGTSTP, SIGWINCH};
  enum { COUNT = sizeof signals / sizeof *signals };
  struct sigaction before[COUNT];
  for (size_t i = 0; i < COUNT; i++) sigaction(signals[i], NULL, &before[i]);
  SCREEN *handle =
      term ? newterm(term, screen.output, screen.input) : new_embedded_terminal();
  for (size_t i = 0; i < COUNT; i++) sigaction(signals[i], &before[i], NULL);
  return handle;
}

/// A stream of its own on a descriptor, so that closing it leaves the caller's open.
static FILE *stream(int descriptor, const char *mode) {
  int copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
  if (copy < 0) return NULL;
  FILE *file = fdopen(copy, mode);
  if (!file) close(copy);
  return file;
}

static void close_streams(void) {
  if (screen.input) fclose(screen.input);
  if (screen.output) fclose(screen.output);
  screen.input = screen.output = NULL;
}

bool cn_open(const char *term, int32_t input, int32_t output) {
  if (screen.handle || tcgetattr(output, &screen.terminal.original) != 0) return false;
  screen.input = stream(input, "r");
  screen.output = stream(output, "w");
  if (screen.input && screen.output) screen.handle = new_terminal(term);
  if (!screen.handle) {
    tcsetattr(output, TCSADRAIN, &screen.terminal.original);
    close_streams();
    return false;
  }
  screen.terminal.output = fileno(screen.output);
  raw();
  noecho();
  nonl();
  typeahead(-1);  // an update is never left half done because a key was pressed
  def_prog_mode();
  screen.has_default_colors = false;
  screen.pair = -1;
  if (has_colors()) {
    start_color();
    screen.has_default_colors = use_default_colors() == OK;
  }
  return true;
}

void cn_close(void) {
  if (!screen.handle) return;
  endwin();
  delscreen(screen.handle);
  screen.handle = NULL;
  tcsetattr(screen.terminal.output, TCSADRAIN, &screen.terminal.original);
  close_streams();
}

void cn_leave(void) {
  if (screen.handle) endwin();
}

void cn_enter(void) {
  if (!screen.handle) return;
  reset_prog_mode();
  cn_repaint();
}

void cn_resize(int32_t columns, int32_t rows) {
  if (screen.handle) resize_term(rows, columns);
}

static attr_t curses_attributes(uint32_t attributes) {
  attr_t result = A_NORMAL;
  if (attributes & CN_BOLD) result |= A_BOLD;
  if (attributes & CN_DIM) result |= A_DIM;
  if (attributes & CN_ITALIC) result |= A_ITALIC;
  if (attributes & CN_UNDERLINE) result |= A_UNDERLINE;
  if (attributes & CN_REVERSE) result |= A_REVERSE;
  return result;
}

/// The number of a colour pair; 0 on terminals without colours, where asking curses would crash.
static int pair(int32_t foreground, int32_t background) {
  if (!has_colors()) return 0;
  if (screen.pair >= 0 && foreground == screen.foreground && background == screen.background) {
    return screen.pair;
  }
  screen.foreground = foreground;
  screen.background = background;
  if (foreground >= COLORS) foreground = CN_DEFAULT_COLOR;
  if (background >= COLORS) background = CN_DEFAULT_COLOR;
  if (!screen.has_default_colors) {
    if (foreground < 0) foreground = COLOR_WHITE;
    if (background < 0) background = COLOR_BLACK;
  }
  bool is_plain = foreground < 0 && background < 0;
  int number = is_plain ? 0 : alloc_pair(foreground, background);
  screen.pair = number < 0 ? 0 : number;
  return screen.pair;
}

void cn_put(int32_t row, int32_t column, const uint32_t *scalars, size_t count, int32_t width,
            uint32_t attributes, int32_t foreground, int32_t background) {
  if (!screen.handle || count == 0) return;
  wchar_t text[CCHARW_MAX + 1] = {0};
  bool is_known = cn_scalar_width(scalars[0]) == width;
  for (size_t i = 0; is_known && i < count && i < CCHARW_MAX; i++) text[i] = (wchar_t)scalars[i];
  if (!is_known) text[0] = L'?';
  int number = pair(foreground, background);
  cchar_t cell;
  if (setcchar(&cell, text, curses_attributes(attributes), 0, &number) != OK) return;
  mvadd_wch(row, column, &cell);
  if (!is_known && width == 2) mvadd_wch(row, column + 1, &cell);
}

void cn_flush(int32_t cursor_row, int32_t cursor_column, bool shows_cursor) {
  if (!screen.handle || cn_is_given_back()) return;
  curs_set(shows_cursor ? 1 : 0);
  move(cursor_row, cursor_column);
  refresh();
}

void cn_repaint(void) {
  if (screen.handle) clearok(curscr, TRUE);
}

static struct {
  char *bytes;
  size_t length, capacity;
} collected;

static int collect(int byte) {
  if (collected.length < collected.capacity) collected.bytes[collected.length++] = (char)byte;
  return byte;
}

size_t cn_exit_sequences(char *buffer, size_t capacity) {
  static const char *const names[] = {"sgr0", "op", "cnorm", "rmcup"};
  collected.bytes = buffer;
  collected.length = 0;
  collected.capacity = capacity;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    const char *sequence = tigetstr(names[i]);
    if (sequence && sequence != (char *)-1) tputs(sequence, 1, collect);
  }
  return collected.length;
}
