// What the kernels' variants have in common as tests: random inputs, and results that are compared with those of plain C.
#ifndef VISE_VARIANTS_H
#define VISE_VARIANTS_H

#include <stddef.h>
#include <stdint.h>

#include "vk_levels.h"

/// Lengths around those of registers, and one that needs several steps of every loop.
enum { MOST_LENGTH = 333 };
extern const size_t lengths[];
extern const size_t length_count;

/// Random bytes, the same in every run; the caller frees them. Memory ends where they do, so that sanitizers see what reads on.
uint8_t *random_bytes(size_t count);
/// Random numbers from -size to size, some of them zero or a hundred times as large.
float *random_floats(size_t count, float size);
/// Random numbers above zero.
float *random_importance(size_t count);
/// Random numbers of half precision between 0.5 and 2, of both signs.
uint16_t *random_halves(size_t count);
size_t random_below(size_t end);

/// Memory of bytes that are neither zero nor like other results; the caller frees it.
void *room_for(size_t bytes);

/// Results of the current level, which are those of plain C bit for bit.
void same(const char *name, const void *results, size_t bytes);
/// Results that are those of plain C up to some roundings of sums of this magnitude.
void near(const char *name, const float *results, size_t count, double magnitude);
/// Results that are those of plain C up to some roundings of their own, or of numbers near one.
void near_each(const char *name, const float *results, size_t count);
/// Results that are those of plain C up to some roundings of sums of `magnitudes`, one for each.
void near_sums(const char *name, const float *results, size_t count, const float *magnitudes);

/// Results of the current level that are wrong by themselves.
void fail(const char *name, const char *reason, size_t place);

/// Each calls some kernels at a level.
void try_tiles(vk_level level);
void try_products(vk_level level);
void try_blocks(vk_level level);
void try_formats(vk_level level);
void try_vectors(vk_level level);
void try_gradients(vk_level level);
void try_statistics(vk_level level);
void try_columns(vk_level level);

#endif
