// When OpenBLAS is loaded it starts a thread for every processor. Each spins for a tenth of a second before it sleeps, and takes
// its processor from others meanwhile. Vise has threads of its own, so these are ended before anything else begins; setting
// their number later would start them again.

// Of libopenblas; builds of it that have no threads lack the first one.
extern int blas_thread_shutdown_(void) __attribute__((weak));
extern void openblas_set_num_threads(int) __attribute__((weak));

__attribute__((constructor)) static void end_threads_of_others(void) {
  if (openblas_set_num_threads) openblas_set_num_threads(1);
  if (blas_thread_shutdown_) blas_thread_shutdown_();
}
