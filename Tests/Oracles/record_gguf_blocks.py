#!/usr/bin/env python3
"""Records how the gguf package decodes each type of block: CheckpointsTests/Fixtures/blocks.gguf.

For every type, the file holds a tensor of random blocks called like the type, and what gguf's own
dequantization makes of it as F32, called `<type>.decoded`. Needs requirements.txt.
"""

from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter
from gguf.quants import dequantize

ROWS = 5
# Scales and minimums: (offsets of half-precision numbers, bytes) in a block of 32 weights, or of 256.
BLOCKS = {
    "F32": None,
    "F16": None,
    "BF16": None,
    "Q4_0": ([0], 18),
    "Q4_1": ([0, 2], 20),
    "Q5_0": ([0], 22),
    "Q5_1": ([0, 2], 24),
    "Q8_0": ([0], 34),
    "IQ4_NL": ([0], 18),
    "Q2_K": ([80, 82], 84),
    "Q3_K": ([108], 110),
    "Q4_K": ([0, 2], 144),
    "Q5_K": ([0, 2], 176),
    "Q6_K": ([208], 210),
}


def columns_of(name):
    return 512 if name.endswith("_K") else 96


def random_halves(rng, count):
    """Finite half-precision numbers of every exponent, subnormal ones and both zeros included."""
    bits = rng.integers(0, 0x10000, count, dtype=np.uint16)
    bits[bits & 0x7C00 == 0x7C00] &= 0x83FF
    bits[:2] = [0x0000, 0x8000]
    return bits


def random_tensor(rng, name):
    columns = columns_of(name)
    if name == "F32":
        return rng.standard_normal((ROWS, columns)).astype(np.float32)
    if name == "F16":
        return random_halves(rng, ROWS * columns).view(np.float16).reshape(ROWS, columns)
    if name == "BF16":
        values = rng.standard_normal(ROWS * columns).astype(np.float32)
        return (values.view(np.uint32) >> 16).astype(np.uint16).view(np.uint8).reshape(ROWS, -1)
    offsets, size = BLOCKS[name]
    weights = 256 if name.endswith("_K") else 32
    blocks = rng.integers(0, 256, (ROWS * columns // weights, size), dtype=np.uint8)
    for offset in offsets:
        halves = random_halves(rng, len(blocks)).view(np.uint8).reshape(-1, 2)
        blocks[:, offset : offset + 2] = halves
    return blocks.reshape(ROWS, -1)


def main():
    fixtures = Path(__file__).parent.parent / "CheckpointsTests" / "Fixtures"
    fixtures.mkdir(exist_ok=True)
    rng = np.random.default_rng(2026)
    writer = GGUFWriter(fixtures / "blocks.gguf", "blocks")
    for name in BLOCKS:
        kind = GGMLQuantizationType[name]
        data = random_tensor(rng, name)
        writer.add_tensor(name, data, raw_dtype=kind)
        writer.add_tensor(f"{name}.decoded", dequantize(data, kind).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main()
