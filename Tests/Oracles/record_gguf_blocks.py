#!/usr/bin/env python3
"""Records how ggml decodes each type of block: CheckpointsTests/Fixtures/blocks.gguf.

For every type, the file holds a tensor of random blocks called like the type, and what ggml's own C code makes of it as
F32, called `<type>.decoded`. Types whose codes stand for vectors of a grid have `<type>.grid` as well, with every
vector of the grid once under scales of about 1, and `<type>.grid.decoded`, which F16 holds exactly. The gguf package
must decode the same, bit for bit, where it knows the type.

Needs requirements.txt, and ggml as a shared library: CMake's target `ggml-base` with -DBUILD_SHARED_LIBS=ON, of the
llama.cpp that the source of llama-cpp-python 0.3.36 holds.
"""

import argparse
import ctypes
import struct
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter
from gguf.gguf_writer import TensorInfo
from gguf.quants import dequantize

ROWS = 3
# A block's weights, its bytes, and the offsets of its half-precision scales and minimums.
BLOCKS = {
    "Q4_0": (32, 18, [0]),
    "Q4_1": (32, 20, [0, 2]),
    "Q5_0": (32, 22, [0]),
    "Q5_1": (32, 24, [0, 2]),
    "Q8_0": (32, 34, [0]),
    "IQ4_NL": (32, 18, [0]),
    "Q2_K": (256, 84, [80, 82]),
    "Q3_K": (256, 110, [108]),
    "Q4_K": (256, 144, [0, 2]),
    "Q5_K": (256, 176, [0, 2]),
    "Q6_K": (256, 210, [208]),
    "IQ4_XS": (256, 136, [0]),
    "IQ3_XXS": (256, 98, [0]),
    "IQ3_S": (256, 110, [0]),
    "IQ2_XXS": (256, 66, [0]),
    "IQ2_XS": (256, 74, [0]),
    "IQ2_S": (256, 82, [0]),
    "IQ1_S": (256, 50, [0]),
    "IQ1_M": (256, 56, []),
    "TQ1_0": (256, 54, [52]),
    "TQ2_0": (256, 66, [64]),
    "Q1_0": (128, 18, [0]),
    "Q2_0": (64, 18, [0]),
    "MXFP4": (32, 17, []),
    "NVFP4": (64, 36, []),
}
# Numbers that gguf 0.19 does not know yet.
NUMBERS = {"Q2_0": 42}


def columns_of(name):
    """Two blocks, and at least three where they are small."""
    weights = BLOCKS[name][0]
    return weights * (3 if weights == 32 else 2)


def random_halves(rng, count):
    """Finite half-precision numbers of every exponent, subnormal ones and both zeros included."""
    bits = rng.integers(0, 0x10000, count, dtype=np.uint16)
    bits[bits & 0x7C00 == 0x7C00] &= 0x83FF
    bits[:2] = [0x0000, 0x8000]
    return bits


def random_blocks(rng, name):
    weights, size, offsets = BLOCKS[name]
    blocks = rng.integers(0, 256, (ROWS * columns_of(name) // weights, size), dtype=np.uint8)
    for offset in offsets:
        halves = random_halves(rng, len(blocks)).view(np.uint8).reshape(-1, 2)
        blocks[:, offset : offset + 2] = halves
    if name == "IQ1_M":
        # The scale's bits are the highest four of each word: none of an infinity or a NaN.
        top = blocks[:, 55]
        top[top & 0x70 == 0x70] &= 0xBF
    if name == "MXFP4":
        # The exponents at the ends.
        blocks[:4, 0] = [0, 1, 2, 255]
    if name == "NVFP4":
        # Zero, the smallest, the largest, and what E4M3 calls NaN, without and with the bit that is no sign.
        blocks[:2, :4] = [[0, 1, 0x7E, 0x7F], [0x80, 0x87, 0xFE, 0xFF]]
    if name == "TQ1_0":
        # A byte of digits has more values than its digits: all of them.
        flat = blocks[:, :52].reshape(-1)
        flat[:256] = np.arange(256)
        blocks[:, :52] = flat.reshape(-1, 52)
    return blocks.reshape(ROWS, -1)


def plain_tensors(rng):
    yield "F32", rng.standard_normal((ROWS, 96)).astype(np.float32)
    yield "F16", random_halves(rng, ROWS * 96).view(np.float16).reshape(ROWS, 96)
    values = rng.standard_normal(ROWS * 96).astype(np.float32)
    yield "BF16", (values.view(np.uint32) >> 16).astype(np.uint16).view(np.uint8).reshape(ROWS, -1)


def grid_blocks(rng, name):
    """Blocks whose codes are all of the type's grid, in order, as one row."""
    entries = {"IQ1_S": 2048, "IQ1_M": 2048, "IQ2_XXS": 256, "IQ2_XS": 512, "IQ2_S": 1024, "IQ3_XXS": 256, "IQ3_S": 512}
    a_block = 64 if name.startswith("IQ3") else 32
    codes = np.arange(entries[name]).reshape(-1, a_block)
    _, size, _ = BLOCKS[name]
    rows = []
    for block in codes:
        data = bytearray(rng.integers(0, 256, size, dtype=np.uint8).tobytes())
        low = bytes(int(code) & 255 for code in block)
        high = [int(code) >> 8 for code in block]
        if name != "IQ1_M":
            data[:2] = struct.pack("<e", 1.0)
        if name == "IQ2_XXS":
            for group in range(8):
                data[2 + 8 * group : 6 + 8 * group] = low[4 * group : 4 * group + 4]
        elif name == "IQ2_XS":
            for k, code in enumerate(block):
                data[2 + 2 * k : 4 + 2 * k] = struct.pack("<H", int(code) | int(rng.integers(128)) << 9)
        elif name == "IQ2_S":
            data[2:34] = low
            for k in range(8):
                data[66 + k] = sum(high[4 * k + i] << (2 * i) for i in range(4))
        elif name == "IQ3_XXS":
            data[2:66] = low
        elif name == "IQ3_S":
            data[2:66] = low
            for k in range(8):
                data[66 + k] = sum(high[8 * k + i] << i for i in range(8))
        elif name == "IQ1_S":
            data[2:34] = low
            for k in range(8):
                rest = sum(high[4 * k + i] << (3 * i) for i in range(4)) | int(rng.integers(16)) << 12
                data[34 + 2 * k : 36 + 2 * k] = struct.pack("<H", rest)
        elif name == "IQ1_M":
            data[:32] = low
            for k in range(16):
                pair = [high[2 * k + i] | int(rng.integers(2)) << 3 for i in range(2)]
                data[32 + k] = pair[0] | pair[1] << 4
            # 0x3c00 is 1, a digit in each word.
            for k, digit in enumerate([0x0, 0x0, 0xC, 0x3]):
                data[49 + 2 * k] = data[49 + 2 * k] & 0x0F | digit << 4
        rows.append(bytes(data))
    return np.frombuffer(b"".join(rows), dtype=np.uint8).reshape(1, -1)


def decoded_by_ggml(library, name, data):
    weights, size, _ = BLOCKS[name]
    count = data.size // size * weights
    values = np.empty(count, dtype=np.float32)
    data = np.ascontiguousarray(data)
    decode = getattr(library, "dequantize_row_" + name.lower().replace("_k", "_K"))
    decode(data.ctypes.data_as(ctypes.c_void_p), values.ctypes.data_as(ctypes.c_void_p), ctypes.c_int64(count))
    return values.reshape(data.shape[0], -1)


def checked(library, name, data):
    values = decoded_by_ggml(library, name, data)
    if name in GGMLQuantizationType.__members__:
        try:
            python = dequantize(data, GGMLQuantizationType[name]).astype(np.float32)
        except NotImplementedError:
            return values
        assert (values.view(np.uint32) == python.view(np.uint32)).all(), name
    return values


def add(writer, name, kind, data):
    """A tensor of a type that the writer may not know, by its number alone."""
    weights, size, _ = BLOCKS[kind]
    if kind not in NUMBERS:
        writer.add_tensor(name, data, raw_dtype=GGMLQuantizationType[kind])
        return
    shape = (data.shape[0], data.shape[1] // size * weights)
    writer.tensors[-1][name] = TensorInfo(shape=shape, dtype=NUMBERS[kind], nbytes=data.nbytes, tensor=data)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ggml", required=True, help="path of libggml-base.so")
    library = ctypes.CDLL(parser.parse_args().ggml)
    fixtures = Path(__file__).parent.parent / "CheckpointsTests" / "Fixtures"
    rng = np.random.default_rng(2026)
    writer = GGUFWriter(fixtures / "blocks.gguf", "blocks")
    for name, data in plain_tensors(rng):
        kind = GGMLQuantizationType[name]
        writer.add_tensor(name, data, raw_dtype=kind)
        writer.add_tensor(f"{name}.decoded", dequantize(data, kind).astype(np.float32))
    for name in BLOCKS:
        data = random_blocks(rng, name)
        add(writer, name, name, data)
        writer.add_tensor(f"{name}.decoded", checked(library, name, data))
    for name in ["IQ3_XXS", "IQ3_S", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ1_S", "IQ1_M"]:
        data = grid_blocks(rng, name)
        values = checked(library, name, data)
        halves = values.astype(np.float16)
        assert (halves.astype(np.float32) == values).all(), name
        add(writer, f"{name}.grid", name, data)
        writer.add_tensor(f"{name}.grid.decoded", halves)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main()
