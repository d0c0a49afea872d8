#include <string.h>

#include "floats.h"
#include "vk_sweep.h"

// The least score that is not among the `smallest`, found digit by digit: scores that are not negative
// sort like their bits.
typedef struct {
  uint32_t bits;
  /// How many scores equal to it are among the smallest.
  size_t ties;
} threshold;

static threshold find_threshold(const float *scores, size_t count, size_t smallest) {
  static const struct {
    unsigned shift, width;
  } digits[] = {{21, 11}, {10, 11}, {0, 10}};
  uint32_t bits = 0, known = 0;
  size_t wanted = smallest;
  for (size_t pass = 0; pass < sizeof digits / sizeof digits[0]; pass++) {
    size_t counts[1u << 11] = {0};
    const uint32_t top = (1u << digits[pass].width) - 1u;
    for (size_t i = 0; i < count; i++) {
      const uint32_t score = vk_to_bits(scores[i]);
      if ((score & known) == bits) counts[score >> digits[pass].shift & top]++;
    }
    uint32_t digit = 0;
    while (digit < top && counts[digit] <= wanted) wanted -= counts[digit++];
    bits |= digit << digits[pass].shift;
    known |= top << digits[pass].shift;
  }
  return (threshold){bits, wanted};
}

void vk_mask_smallest(const float *scores, size_t count, size_t smallest, uint8_t *mask) {
  if (smallest >= count) {
    memset(mask, 1, count);
    return;
  }
  threshold threshold = find_threshold(scores, count, smallest);
  for (size_t i = 0; i < count; i++) {
    const uint32_t score = vk_to_bits(scores[i]);
    const int is_tie = score == threshold.bits && threshold.ties > 0;
    if (is_tie) threshold.ties--;
    mask[i] = score < threshold.bits || is_tie;
  }
}
