#ifndef VISE_COPENBLAS_H
#define VISE_COPENBLAS_H
#include <cblas.h>
#endif
