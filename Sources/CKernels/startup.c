// OpenBLAS starts a thread for every processor when it is loaded, each of which turns in circles for a tenth of a second before it
// sleeps, and keeps others from its processor meanwhile. Vise has threads of its own, so these are ended before anything else;
// setting their number again would start them again.

// Of libopenblas; builds of it that have no threads lack the first one.
extern int blas_thread_shutdown_(void) __attribute__((weak));
extern void openblas_set_num_threads(int) __attribute__((weak));

__attribute__((constructor)) static void end_threads_of_others(void) {
  if (openblas_set_num_threads) openblas_set_num_threads(1);
  if (blas_thread_shutdown_) blas_thread_shutdown_();
}
