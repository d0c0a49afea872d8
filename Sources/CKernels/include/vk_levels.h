// Which instructions a kernel may use. Every kernel takes a level, and gives the same numbers (up to
// the order of summation) at each, so that tests can compare the variants.
#ifndef VISE_VK_LEVELS_H
#define VISE_VK_LEVELS_H

typedef enum {
  /// Plain C; what other processors than x86 run.
  VK_PORTABLE = 0,
  /// AVX2, FMA, F16C and BMI2.
  VK_AVX2 = 1,
  /// AVX-512 with BW, DQ, VL, VBMI and VNNI (Ice Lake, Zen 4 and later).
  VK_AVX512 = 2,
} vk_level;

/// The highest level that this processor supports.
vk_level vk_best_level(void);

#endif
