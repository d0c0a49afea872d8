// Which instructions a kernel may use. Every kernel takes a level, and gives the same numbers (up to
// the order of summation) at each, so that tests can compare the variants.
#ifndef VISE_VK_LEVELS_H
#define VISE_VK_LEVELS_H

typedef enum {
  /// Plain C, which compilers vectorise with what every processor of the kind has.
  VK_PORTABLE = 0,
  /// AVX2, FMA, F16C and BMI2.
  VK_AVX2 = 1,
  /// The same, with sums of products of bytes in registers of 256 bits (Alder Lake, Zen 5 and later).
  VK_AVX2_VNNI = 2,
  /// AVX-512 with BW, DQ, VL, VBMI, VBMI2 and VNNI (Ice Lake, Zen 4 and later).
  VK_AVX512 = 3,
  /// aarch64 with sums of products of bytes, which are both signed (Armv8.2 dotprod).
  VK_NEON_DOT = 4,
  /// The same with bytes of which one has a sign, and products of small matrices of them (Armv8.6 i8mm).
  VK_NEON_I8MM = 5,
} vk_level;

/// Whether this processor has what a level uses.
int vk_supports(vk_level level);
/// The best level that this processor supports.
vk_level vk_best_level(void);

#endif
