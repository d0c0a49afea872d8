#ifndef VISE_CNCURSES_H
#define VISE_CNCURSES_H
#endif
