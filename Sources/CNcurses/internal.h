// What the files of this target share.
#ifndef VISE_CNCURSES_INTERNAL_H
#define VISE_CNCURSES_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

/// The terminal's descriptor and its settings from before the screen was opened.
typedef struct {
  int output;
  struct termios original;
} cn_terminal;

/// The terminal of the open screen.
const cn_terminal *cn_current_terminal(void);

/// Writes the sequences that end the alternate screen into `buffer` and returns their length.
size_t cn_exit_sequences(char *buffer, size_t capacity);

/// Whether a signal handler has given the terminal back, so that nothing may be painted any more.
bool cn_is_given_back(void);

#endif
