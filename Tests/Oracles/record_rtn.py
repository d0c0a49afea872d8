"""Records what round-to-nearest quantization and magnitude pruning must give.

Independent of Vise: plain numpy, one group at a time, straight from the definitions. Writes
Tests/CompressionTests/Fixtures/rtn.json.

    pip install -r Tests/Oracles/requirements.txt
    python Tests/Oracles/record_rtn.py

Definitions (compressed-tensors' calculate_qparams and quantize, computed in float32):
  symmetric   scale = absmax / ((2^b - 1) / 2), zero point 0
  asymmetric  low = min(0, min), high = max(0, max), scale = (high - low) / (2^b - 1),
              zero point = round(clamp(qmin - low / scale))
  codes       round half to even of clamp(w / scale + zero point), stored + 2^(b-1)
Scales are rounded to F16 or BF16 first; a scale of zero becomes the type's epsilon, one that is too
large the largest finite value. The range search multiplies (low, high) by 1.05, 1.04 ... 0.20,
takes the least squared error, and gives up after 12 factors in a row that were no better.
"""

import base64
import json
import pathlib

import numpy as np

OUT = pathlib.Path(__file__).parent.parent / "CompressionTests" / "Fixtures" / "rtn.json"
f32 = np.float32


def to_bf16_bits(x):
    bits = np.asarray(x, f32).view(np.uint32).astype(np.uint64)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
    largest = (bits >> 31 << 15) | 0x7F7F
    return np.where((rounded & 0x7FFF) >= 0x7F80, largest, rounded).astype(np.uint16)


def from_bf16_bits(bits):
    return (np.asarray(bits).astype(np.uint32) << 16).view(f32)


def to_f16_bits(x):
    with np.errstate(over="ignore"):
        half = np.asarray(x, f32).astype(np.float16)
    half = np.where(np.isinf(half), np.copysign(np.float16(65504), half), half)
    return half.astype(np.float16).view(np.uint16)


def from_f16_bits(bits):
    return np.asarray(bits, np.uint16).view(np.float16).astype(f32)


TYPES = {
    "F16": (to_f16_bits, from_f16_bits, f32(2.0**-10)),
    "BF16": (to_bf16_bits, from_bf16_bits, f32(2.0**-7)),
}


def grid(low, high, bits, symmetric, kind):
    to_bits, from_bits, epsilon = TYPES[kind]
    qmin, qmax = f32(-(2 ** (bits - 1))), f32(2 ** (bits - 1) - 1)
    steps = f32(2**bits - 1)
    if symmetric:
        scale = f32(max(high, -low)) / f32(steps / 2)
    else:
        scale = (f32(high) - f32(low)) / steps
    stored = to_bits(np.array([scale], f32))[0]
    if stored == 0:
        stored = to_bits(np.array([epsilon], f32))[0]
    scale = from_bits(np.array([stored], np.uint16))[0]
    zero = f32(0)
    if not symmetric:
        zero = np.rint(np.clip(qmin - f32(low) / scale, qmin, qmax)).astype(f32)
    return stored, scale, zero


def codes_of(group, scale, zero, bits):
    qmin, qmax = f32(-(2 ** (bits - 1))), f32(2 ** (bits - 1) - 1)
    return np.rint(np.clip(group / scale + zero, qmin, qmax)).astype(f32)


def quantize(weights, bits, size, symmetric, kind, search=False):
    rows, columns = weights.shape
    size = columns if size == "channel" else size
    codes = np.zeros((rows, columns), np.uint8)
    scales = np.zeros((rows, columns // size), np.uint16)
    zeros = np.zeros((rows, columns // size), np.uint8)
    decoded = np.zeros((rows, columns), f32)
    offset = 2 ** (bits - 1)
    for r in range(rows):
        for g in range(columns // size):
            part = slice(g * size, (g + 1) * size)
            group = weights[r, part]
            low, high = min(f32(0), group.min()), max(f32(0), group.max())
            best = None
            waited = 0
            for percent in range(105, 19, -1) if search else [100]:
                factor = f32(percent) / f32(100)
                stored, scale, zero = grid(low * factor, high * factor, bits, symmetric, kind)
                q = codes_of(group, scale, zero, bits)
                back = (q - zero) * scale
                error = float(((back.astype(np.float64) - group) ** 2).sum())
                if best is None or error < best[0]:
                    best = (error, stored, zero, q, back)
                    waited = 0
                else:
                    waited += 1
                    if waited == 12:
                        break
            _, scales[r, g], zero, q, decoded[r, part] = best
            zeros[r, g] = int(zero) + offset
            codes[r, part] = (q + offset).astype(np.uint8)
    return codes, scales, zeros, decoded


def prune(weights, sparsity):
    pruned = weights.copy()
    if sparsity is None:
        return pruned
    if ":" in sparsity:
        kept, of = map(int, sparsity.split(":"))
        blocks = pruned.reshape(-1, of)
        order = np.argsort(np.abs(blocks), axis=1, kind="stable")
        np.put_along_axis(blocks, order[:, : of - kept], 0, axis=1)
        return blocks.reshape(weights.shape)
    flat = pruned.reshape(-1)
    order = np.argsort(np.abs(flat), kind="stable")
    flat[order[: int(float(sparsity) * flat.size)]] = 0
    return flat.reshape(weights.shape)


def metrics(before, after):
    a, b = before.astype(np.float64).ravel(), after.astype(np.float64).ravel()
    noise, signal, result = ((b - a) ** 2).sum(), (a * a).sum(), (b * b).sum()
    return {
        "mse": noise / a.size,
        "sqnr": None if noise == 0 else 10 * np.log10(signal / noise),
        "cosine": float((a * b).sum() / np.sqrt(signal * result)),
        "maxError": float(np.abs(b - a).max()),
        "zeroFraction": float((b == 0).mean()),
    }


def text(array):
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def awkward(columns, kind):
    """Rows that quantizers stumble over, as the checkpoint would store them."""
    rng = np.random.default_rng(columns)
    normal = rng.normal(0, 0.05, (9, columns))
    normal[1, 3] = 2.5  # an outlier
    normal[2] = 0
    normal[3] *= 1e-8  # its scale vanishes in F16
    normal[4] *= 3e7  # its scale overflows F16 at few bits
    normal[5] = np.abs(normal[5]) + 0.1  # does not straddle zero
    normal[6] = 0
    normal[6, columns // 2] = -0.3  # a single weight
    normal[7] = rng.standard_t(3, columns) * 0.02
    normal[8] = np.round(normal[8] * 40) / 40  # many ties
    if kind == "BF16":
        return from_bf16_bits(to_bf16_bits(normal))
    return normal.astype(f32)


def main():
    matrices, cases = [], []
    for kind in ("F16", "BF16"):
        for columns, groups in ((64, [16, 32, 64, "channel"]), (13, ["channel"])):
            weights = awkward(columns, kind)
            matrices.append(
                {"kind": kind, "rows": 9, "columns": columns, "weights": text(weights)}
            )
            sparsities = [None, "0.5"] + (["2:4", "1:4"] if columns == 64 else [])
            for sparsity in sparsities:
                survivors = prune(weights, sparsity)
                for group in groups:
                    for symmetric in (True, False):
                        # All settings dense; pruned ones at every other width, to stay small.
                        widths = range(2, 9) if sparsity is None else range(2, 9, 2)
                        for bits in widths:
                            codes, scales, zeros, decoded = quantize(
                                survivors, bits, group, symmetric, kind
                            )
                            cases.append(
                                {
                                    "matrix": len(matrices) - 1,
                                    "sparsity": sparsity,
                                    "bits": bits,
                                    "group": str(group),
                                    "symmetric": symmetric,
                                    "codes": text(codes),
                                    "scales": text(scales),
                                    "zeros": None if symmetric else text(zeros),
                                    "metrics": metrics(weights, decoded),
                                    "searchedMSE": metrics(
                                        weights,
                                        quantize(survivors, bits, group, symmetric, kind, True)[3],
                                    )["mse"],
                                }
                            )
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps({"matrices": matrices, "cases": cases}, separators=(",", ":")))
    print(len(cases), "cases,", OUT.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
