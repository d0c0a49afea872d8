#ifndef VISE_COPENBLAS_H
#define VISE_COPENBLAS_H
#include <cblas.h>

// LAPACK's Fortran routines; the last argument of each is the hidden length of its strings. Debian's
// OpenBLAS has no LAPACKE.
void spotrf_(const char *triangle, const int *size, float *matrix, const int *stride, int *info,
             size_t);
void strtri_(const char *triangle, const char *diagonal, const int *size, float *matrix,
             const int *stride, int *info, size_t, size_t);
#endif
