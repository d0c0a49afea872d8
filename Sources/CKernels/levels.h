// Private: how one loop is compiled once for each level.
#ifndef VISE_LEVELS_H
#define VISE_LEVELS_H

#include "vk_levels.h"

#define VK_INLINE static inline __attribute__((always_inline))

#if defined(__x86_64__)
#define VK_X86 1
#define VK_TARGET_AVX2 __attribute__((target("avx2,fma,f16c,bmi,bmi2")))
#define VK_TARGET_AVX512                                                                          \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vbmi2,avx512vnni,"   \
                        "avx2,fma,f16c,bmi,bmi2,popcnt")))
#define VK_TARGET_AVX2_VNNI __attribute__((target("avxvnni,avx2,fma,f16c,bmi,bmi2")))

// Defines `name`, whose first parameter and argument is the level: it calls NAME_body, inlined with a
// constant level into one function for each, so that the compiler vectorises one loop for all. Levels that
// only add byte dot products use the AVX2 variant here.
#define VK_VARIANTS(result, name, parameters, arguments) \
  static result name##_portable parameters {             \
    level = VK_PORTABLE;                                 \
    return name##_body arguments;                        \
  }                                                      \
  VK_TARGET_AVX2 static result name##_avx2 parameters {  \
    level = VK_AVX2;                                     \
    return name##_body arguments;                        \
  }                                                      \
  VK_TARGET_AVX512 static result name##_avx512 parameters { \
    level = VK_AVX512;                                   \
    return name##_body arguments;                        \
  }                                                      \
  result name parameters {                               \
    switch (level) {                                     \
      case VK_AVX512: return name##_avx512 arguments;    \
      case VK_AVX2_VNNI:                                 \
      case VK_AVX2: return name##_avx2 arguments;        \
      default: break;                                    \
    }                                                    \
    return name##_portable arguments;                    \
  }
#else
#if defined(__aarch64__)
#define VK_ARM64 1
#define VK_TARGET_NEON_DOT __attribute__((target("dotprod")))
#define VK_TARGET_NEON_I8MM __attribute__((target("dotprod,i8mm")))
#endif
#define VK_VARIANTS(result, name, parameters, arguments) \
  result name parameters {                               \
    level = VK_PORTABLE;                                 \
    return name##_body arguments;                        \
  }
#endif

/// Whether kernels may use AVX2; at levels above it they may, too.
VK_INLINE int vk_has_avx2(vk_level level) { return level >= VK_AVX2 && level <= VK_AVX512; }

#endif
