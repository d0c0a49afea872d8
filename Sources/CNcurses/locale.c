#include <langinfo.h>
#include <locale.h>
#include <string.h>
#include <wchar.h>

#include "cncurses.h"

bool cn_use_locale(void) {
  // Only character classes: a decimal comma in numbers would break what other rooms write.
  const char *name = setlocale(LC_CTYPE, "");
  if (name && strcmp(nl_langinfo(CODESET), "UTF-8") == 0) return true;
  setlocale(LC_CTYPE, "C.UTF-8");
  return false;
}

int32_t cn_scalar_width(uint32_t scalar) { return wcwidth((wchar_t)scalar); }
