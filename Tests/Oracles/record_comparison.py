#!/usr/bin/env python3
"""Records EngineTests/Fixtures/comparison.json: how far apart two quantizations of one tiny model are, layer by layer.

The two are CheckpointsTests/Fixtures/compressed/integers and floats, decoded here by the book of compressed-tensors, codes
times scales in double precision:

  name, a, b        the layer, and the bytes of its tensors in either
  relative_error    length of the difference of both over the length of the first, in double precision
  sqnr_db           the same as 10 log10 of energies

Needs requirements.txt.
"""

import json
import re
from pathlib import Path

import numpy as np

TESTS = Path(__file__).parent.parent
FIXTURES = TESTS / "CheckpointsTests" / "Fixtures" / "compressed"
PLAIN = {"F32": np.float32, "F16": np.float16, "I32": np.uint32, "I64": np.int64, "I8": np.int8, "U8": np.uint8,
         "F8_E4M3": np.uint8, "BF16": np.uint16}
E2M1 = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6])
E2M1 = np.concatenate([E2M1, -E2M1])


def e4m3(codes):
    exponent, fraction = codes >> 3 & 15, codes & 7
    values = np.where(exponent == 0, fraction * 2.0 ** -9, 2.0 ** (exponent.astype(int) - 7.0) * (1 + fraction / 8))
    return np.where(codes & 128, -values, values)


def tensors(folder):
    data = (folder / "model.safetensors").read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + length])
    found = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        start, end = (8 + length + offset for offset in entry["data_offsets"])
        values = np.frombuffer(data[start:end], PLAIN[entry["dtype"]])
        if entry["dtype"] == "BF16":
            values = (values.astype(np.uint32) << 16).view(np.float32)
        found[name] = values.reshape(entry["shape"]), end - start
    return found


def unpacked(words, bits, count):
    """Codes of rows of 32-bit words, the lowest bits first."""
    stream = (words[:, :, None] >> np.arange(32, dtype=np.uint32) & 1).reshape(len(words), -1)
    stream = stream[:, :count * bits].reshape(len(words), count, bits)
    return (stream << np.arange(bits)).sum(axis=2).astype(int)


def spread(scales, shape, block=None):
    """A scale for every weight; without a block, as many rows and columns share each."""
    down, across = scales.shape if scales.ndim == 2 else (1, 1)
    rows, columns = block or (shape[0] // down, shape[1] // across)
    wide = np.repeat(np.repeat(scales.reshape(down, across), rows, 0), columns, 1)
    return wide[:shape[0], :shape[1]]


def decoded(parts, settings):
    """The weights of a layer; settings are those of its config group."""
    scales = parts.get("weight_scale")
    if scales is None:
        return parts["weight"]
    if "weight_shape" in parts:
        shape, bits = parts["weight_shape"], settings["num_bits"]
        codes = unpacked(parts["weight_packed"], bits, shape[1])
        zeros = np.full(scales.shape, 1 << bits - 1)
        if "weight_zero_point" in parts:
            zeros = unpacked(parts["weight_zero_point"].T, bits, shape[0]).T
        return (codes - spread(zeros, shape)) * spread(scales, shape).astype(float)
    if "weight_packed" in parts:
        pairs = parts["weight_packed"]
        values = E2M1[np.stack([pairs & 15, pairs >> 4], axis=2).reshape(len(pairs), -1)]
        if "weight_global_scale" in parts:
            scales = e4m3(scales).astype(np.float32) / parts["weight_global_scale"]
        else:
            scales = 2.0 ** (scales.astype(int) - 127.0)
        return values * spread(scales, values.shape)
    weights = parts["weight"]
    values = e4m3(weights) if weights.dtype == np.uint8 else weights.astype(float)
    if "weight_zero_point" in parts:
        values = values - spread(parts["weight_zero_point"], values.shape)
    numbers = 2.0 ** (scales.astype(int) - 127.0) if scales.dtype == np.uint8 else scales.astype(float)
    return values * spread(numbers, values.shape, settings.get("block_structure"))


def layers(folder):
    groups = json.loads((folder / "config.json").read_text())["quantization_config"]["config_groups"].values()
    known = {target: group["weights"] for group in groups for target in group["targets"]}

    def settings(layer):
        """A name counts before an expression, and that before the class."""
        patterns = [target for target in known if target.startswith("re:") and re.match(target[3:], layer)]
        return known.get(layer, known.get(patterns[0] if patterns else "Linear"))

    parts, sizes = {}, {}
    for name, (values, size) in tensors(folder).items():
        layer, _, part = name.rpartition(".")
        parts.setdefault(layer, {})[part] = values
        sizes[layer] = sizes.get(layer, 0) + size
    return {name: (decoded(found, settings(name)), sizes[name]) for name, found in parts.items()}


def main():
    first, second = layers(FIXTURES / "integers"), layers(FIXTURES / "floats")
    found = []
    for name, (a, bytes_a) in first.items():
        if a.ndim != 2:
            continue
        b, bytes_b = second[name]
        a, b = a.astype(np.float64), b.astype(np.float64)
        error = np.linalg.norm(b - a) / np.linalg.norm(a)
        found.append({"name": name, "a": bytes_a, "b": bytes_b, "relative_error": error,
                      "sqnr_db": -20 * np.log10(error)})
    path = TESTS / "EngineTests" / "Fixtures" / "comparison.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(sorted(found, key=lambda layer: layer["name"]), indent=1) + "\n")


main()
