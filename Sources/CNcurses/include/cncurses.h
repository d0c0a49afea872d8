#ifndef VISE_CNCURSES_H
#define VISE_CNCURSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Takes character classes from the environment's locale, or from C.UTF-8 if that is not UTF-8.
///
/// Returns whether the environment's locale is UTF-8.
bool cn_use_locale(void);

/// The columns of a scalar by the C library: 0, 1, 2, or -1 if it cannot be shown.
int32_t cn_scalar_width(uint32_t scalar);

#endif
