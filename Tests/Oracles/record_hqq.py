#!/usr/bin/env python3
"""Records half-quadratic zeros by numpy: CompressionTests/Fixtures/hqq.json.

Written from the equations of "Half-Quadratic Quantization of Large Machine Learning Models" (Badri and Shaji,
2023): p = 0.7, beta = 10, kappa = 1.01, at most 20 rounds, as long as the mean absolute error falls, here for
each group by itself. Scales and first zeros are those of the grid under test, in F32 arithmetic.
"""

import json
from pathlib import Path

import numpy as np


def shrink(error, beta, p=0.7):
    size = np.abs(error)
    with np.errstate(divide="ignore"):
        rest = size - np.where(size < 1e-8, np.inf, size ** (p - 1) / beta)
    return np.sign(error) * np.maximum(rest, 0)


def zero_of(weights, scale, zero, lowest, highest):
    beta, least = 10.0, np.inf
    for _ in range(20):
        levels = np.round(np.clip(weights / scale + zero, lowest, highest))
        difference = weights - (levels - zero) * scale
        error = np.abs(difference).sum()
        if error >= least:
            break
        least = error
        zero = np.mean(levels - (weights - shrink(difference, beta)) / scale)
        beta *= 1.01
    return zero


def main():
    rng = np.random.default_rng(7)
    cases = []
    for bits, spread in [(2, 1.0), (3, 3.0), (4, 1.0), (8, 20.0)]:
        weights = (rng.standard_t(4, (4, 64)) * spread).astype(np.float32)
        lowest, highest = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
        low = np.minimum(weights.min(1), 0)
        high = np.maximum(weights.max(1), 0)
        scales = ((high - low) / (2**bits - 1)).astype(np.float16).astype(np.float32)
        first = np.round(np.clip(lowest - low / scales, lowest, highest))
        zeros = [zero_of(w.astype(np.float64), s, z, lowest, highest)
                 for w, s, z in zip(weights, scales, first)]
        cases.append({"bits": bits, "weights": weights.ravel().tolist(), "zeros": zeros})
    path = Path(__file__).parent.parent / "CompressionTests" / "Fixtures" / "hqq.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(cases))


if __name__ == "__main__":
    main()
