#include "levels.h"

#if defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

int vk_supports(vk_level level) {
#ifdef VK_X86
  __builtin_cpu_init();
  const int has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                       __builtin_cpu_supports("f16c") && __builtin_cpu_supports("bmi2");
  const int has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                         __builtin_cpu_supports("avx512vbmi") &&
                         __builtin_cpu_supports("avx512vbmi2") &&
                         __builtin_cpu_supports("avx512vnni");
  if (level == VK_AVX2) return has_avx2;
  if (level == VK_AVX2_VNNI) return has_avx2 && __builtin_cpu_supports("avxvnni");
  if (level == VK_AVX512) return has_avx2 && has_avx512;
#elif defined(VK_ARM64)
  const int has_dot = (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
  if (level == VK_NEON_DOT) return has_dot;
  if (level == VK_NEON_I8MM) return has_dot && (getauxval(AT_HWCAP2) & HWCAP2_I8MM) != 0;
#endif
  return level == VK_PORTABLE;
}

vk_level vk_best_level(void) {
  for (vk_level level = VK_NEON_I8MM; level > VK_PORTABLE; level--) {
    if (vk_supports(level)) return level;
  }
  return VK_PORTABLE;
}
