// Arithmetic on plain pointers. Callers (the Tensors room) check every bound; nothing here does.
// Sources are bytes because tensors of a file may start at any address.
#ifndef VISE_CKERNELS_H
#define VISE_CKERNELS_H

#include <stddef.h>
#include <stdint.h>

/// Widens `count` IEEE half-precision values to single precision.
void vk_f16_to_f32(const uint8_t *source, float *destination, size_t count);
/// Widens `count` bfloat16 values to single precision.
void vk_bf16_to_f32(const uint8_t *source, float *destination, size_t count);

/// Decodes `blocks` GGUF blocks of 32 weights each to single precision (ggml's Q4_0 and so on).
void vk_decode_q4_0(const uint8_t *source, float *destination, size_t blocks);
void vk_decode_q4_1(const uint8_t *source, float *destination, size_t blocks);
void vk_decode_q5_0(const uint8_t *source, float *destination, size_t blocks);
void vk_decode_q5_1(const uint8_t *source, float *destination, size_t blocks);
void vk_decode_q8_0(const uint8_t *source, float *destination, size_t blocks);

#endif
