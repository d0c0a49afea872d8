"""Records what compressed-tensors makes of weights in FP8, NVFP4 and MXFP4.

Writes Tests/CompressionTests/Fixtures/floats.json: for each matrix and format the tensors that
compressed-tensors stores, and the weights that it decompresses them to.

    pip install -r Tests/Oracles/requirements-record.txt
    python Tests/Oracles/record_floats.py

Scales are those of the weights' own type (calculate_qparams); codes are then rounded in single
precision. NVFP4's global scale is 256, as Vise chooses it for usual weights.
"""

import base64
import json
import pathlib

import torch
from compressed_tensors.compressors import BaseCompressor
from compressed_tensors.quantization import QuantizationArgs, QuantizationScheme
from compressed_tensors.quantization.utils import calculate_qparams

OUT = pathlib.Path(__file__).parent.parent / "CompressionTests" / "Fixtures" / "floats.json"
GLOBAL_SCALE = 256.0
E4M3 = torch.float8_e4m3fn
FORMATS = {
    "FP8": ("float-quantized", dict(num_bits=8, strategy="channel")),
    "FP8_BLOCK": (
        "float-quantized",
        dict(num_bits=8, strategy="block", block_structure=[128, 128]),
    ),
    "NVFP4": (
        "nvfp4-pack-quantized",
        dict(num_bits=4, strategy="tensor_group", group_size=16, scale_dtype=E4M3),
    ),
    "MXFP4": (
        "mxfp4-pack-quantized",
        dict(num_bits=4, strategy="group", group_size=32, scale_dtype=torch.uint8),
    ),
}


def awkward(rows, columns, dtype):
    """Rows that quantizers stumble over."""
    torch.manual_seed(rows * columns)
    weights = torch.randn(rows, columns) * 0.05
    weights[1, 3] = 2.5  # an outlier
    weights[2] = 0
    weights[3] *= 1e-6
    weights[4] *= 50
    weights[5] = weights[5].abs() + 0.1
    weights[6] = 0
    weights[6, columns // 2] = -0.3  # a single weight
    weights[7] = torch.round(weights[7] * 40) / 64  # many ties
    weights[8] = torch.linspace(-6, 6, columns)
    weights[9, ::2] = 0
    weights[10] = torch.linspace(-1.75, 1.75, columns)  # where powers of two round up
    return weights.to(dtype)


def extremes(weights, name):
    """The smallest and largest weight for each scale."""
    rows, columns = weights.shape
    if name == "FP8":
        return weights.amin(1, keepdim=True), weights.amax(1, keepdim=True)
    if name == "FP8_BLOCK":
        padded = torch.nn.functional.pad(weights, (0, -columns % 128, 0, -rows % 128))
        blocks = padded.unflatten(0, (-1, 128)).unflatten(-1, (-1, 128))
        return blocks.amin((1, 3)), blocks.amax((1, 3))
    groups = weights.unflatten(-1, (-1, FORMATS[name][1]["group_size"])).float()
    return groups.amin(-1), groups.amax(-1)


def compressed(weights, name):
    format, settings = FORMATS[name]
    args = QuantizationArgs(type="float", symmetric=True, dynamic=False, **settings)
    scheme = QuantizationScheme(targets=["Linear"], weights=args, format=format)
    compressor = BaseCompressor.get_value_from_registry(format)
    divisor = torch.tensor([GLOBAL_SCALE]) if name == "NVFP4" else None
    scale, _ = calculate_qparams(*extremes(weights, name), args, global_scale=divisor)
    parts = {"weight": weights.float(), "weight_scale": scale.float()}
    if divisor is not None:
        parts["weight_global_scale"] = divisor
    stored = compressor.compress(parts, scheme)
    if args.num_bits == 8:
        stored["weight_scale"] = scale
    return stored, compressor.decompress(dict(stored), scheme)["weight"]


def text(tensor):
    return base64.b64encode(tensor.contiguous().view(torch.uint8).numpy().tobytes()).decode()


def main():
    matrices, cases = [], []
    for dtype, rows, columns in (
        (torch.bfloat16, 12, 96), (torch.float16, 12, 96), (torch.bfloat16, 131, 160),
    ):
        weights = awkward(rows, columns, dtype)
        type_name = "BF16" if dtype is torch.bfloat16 else "F16"
        matrices.append(
            {"type": type_name, "rows": rows, "columns": columns, "weights": text(weights)})
        for name in FORMATS if rows < 128 else ["FP8_BLOCK"]:
            stored, decoded = compressed(weights, name)
            codes = stored.get("weight_packed", stored.get("weight"))
            cases.append({
                "matrix": len(matrices) - 1, "format": name, "codes": text(codes),
                "scales": text(stored["weight_scale"]), "decoded": text(decoded),
                "decodedType": str(decoded.dtype).removeprefix("torch."),
            })
    OUT.write_text(json.dumps({"matrices": matrices, "cases": cases}, separators=(",", ":")))
    print(len(cases), "cases,", OUT.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
