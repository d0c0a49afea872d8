// The screen as vise needs it: a flat layer over ncursesw and POSIX signals, of which nothing else
// is seen outside of this target. One screen at a time; all calls from one thread, except where
// a signal handler calls.
#ifndef VISE_CNCURSES_H
#define VISE_CNCURSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Locale

/// Takes character classes from the environment's locale, or from C.UTF-8 if that is not UTF-8.
///
/// Returns whether the environment's locale is UTF-8.
bool cn_use_locale(void);

/// The columns of a scalar by the C library: 0, 1, 2, or -1 if it cannot be shown.
int32_t cn_scalar_width(uint32_t scalar);

// Terminal

typedef struct {
  bool is_known;
  bool addresses_cursor;
  /// 0 without colours.
  int32_t colors;
} cn_traits;

/// What terminfo says about a terminal type.
cn_traits cn_terminal_traits(const char *term);

/// Opens the screen on two descriptors of one terminal and leaves nothing changed if it fails.
///
/// A `term` of NULL means the embedded entry for terminals that understand what xterm does.
bool cn_open(const char *term, int32_t input, int32_t output);

/// Gives the terminal back as it was and frees the screen.
void cn_close(void);

/// Gives the terminal back for a while: to a shell, or to another program.
void cn_leave(void);

/// Takes the terminal again after `cn_leave`; everything is painted anew by the next `cn_flush`.
void cn_enter(void);

// Painting

enum {
  CN_BOLD = 1 << 0,
  CN_DIM = 1 << 1,
  CN_ITALIC = 1 << 2,
  CN_UNDERLINE = 1 << 3,
  CN_REVERSE = 1 << 4,
};

enum {
  /// The terminal's own foreground or background.
  CN_DEFAULT_COLOR = -1,
  /// Added to 0xRRGGBB: a 24-bit colour. The embedded entry only.
  CN_RGB = 0x1000000,
};

/// Tells the screen its size after the terminal's has changed.
void cn_resize(int32_t columns, int32_t rows);

/// Puts a base scalar and the marks combining with it, at most five in all, into a cell.
///
/// What the C library finds wider or narrower than `width` becomes question marks.
void cn_put(int32_t row, int32_t column, const uint32_t *scalars, size_t count, int32_t width,
            uint32_t attributes, int32_t foreground, int32_t background);

/// Sends what has changed to the terminal and moves its cursor.
void cn_flush(int32_t cursor_row, int32_t cursor_column, bool shows_cursor);

/// Makes the next `cn_flush` clear the terminal and paint everything.
void cn_repaint(void);

// Signals

/// Catches signals until `cn_unguard`.
///
/// - The first of TERM, HUP, INT and QUIT, and each WINCH, TSTP and CONT, writes its number as
///   one byte to `wake`.
/// - Another TERM, HUP, INT or QUIT after 0.2 s, and each of SEGV, ABRT, BUS, FPE, ILL and TRAP,
///   gives the terminal back at once and then takes the process down as if nobody had caught it.
/// - `exit` gives the terminal back, too.
///
/// Signals that were ignored stay ignored. `leaving` undoes what was sent to the terminal besides
/// curses. Call it with the screen open.
void cn_guard(int32_t wake, const char *leaving);

/// Puts back the signal handlers that were there before.
void cn_unguard(void);

/// Whether there is a shell above that could continue the process once it has stopped.
///
/// There is none where the session's leader is in our own process group.
bool cn_can_stop(void);

/// Stops the process, or its whole process group.
///
/// The stop may begin a moment after the return: wait for the byte of SIGCONT.
void cn_stop(bool whole_group);

// Standard error

/// Keeps what is written to standard error in memory if it would land on a terminal.
void cn_capture_stderr(void);

/// Lets standard error through again and writes the last 64 KiB of what was kept.
void cn_release_stderr(void);

#endif
