"""Records the decoder's operations on vectors and their gradients by PyTorch, for TensorsTests.

usage: record_vectors.py     writes Tests/TensorsTests/Fixtures/vectors.json

Inputs are single-precision numbers; everything is computed from them in double precision, gradients by autograd
of sum(output * outer), and recorded in single precision.

Packages: Tests/Oracles/requirements-record.txt.
"""

import base64
import json
import math
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

OUT = Path(__file__).parent.parent / "TensorsTests" / "Fixtures" / "vectors.json"


def packed(tensor):
    array = tensor.detach().numpy()
    return base64.b64encode(np.ascontiguousarray(array, dtype="<f4").tobytes()).decode()


def noise(*shape, scale=1.0):
    """Numbers that single precision holds, in double precision, with a gradient."""
    return (torch.randn(*shape) * scale).double().requires_grad_()


def gradients(output, *inputs):
    """Of sum(output * outer) for some outer; and that."""
    outer = torch.randn(output.shape).double()
    return outer, torch.autograd.grad((output * outer).sum(), inputs)


def attention(positions, heads, shared, size, value_size=None, scale=None, window=None, softcap=None,
              has_sinks=False):
    value_size = value_size or size
    queries, keys = noise(positions, heads, size, scale=3), noise(positions, shared, size)
    values = noise(positions, shared, value_size)
    sinks = torch.randn(heads).double() * 2 if has_sinks else None
    repeat = heads // shared
    scores = torch.einsum("phs,qhs->hpq", queries, keys.repeat_interleave(repeat, 1))
    scores = scores * (size**-0.5 if scale is None else scale)
    if softcap is not None:
        scores = softcap * torch.tanh(scores / softcap)
    place = torch.arange(positions)
    distance = place[:, None] - place[None, :]
    hidden = distance < 0 if window is None else (distance < 0) | (distance >= window)
    scores = scores.masked_fill(hidden, -math.inf)
    if has_sinks:
        scores = torch.cat([scores, sinks[:, None, None].expand(-1, positions, 1)], -1)
    weights = torch.softmax(scores, -1)[..., :positions]
    output = torch.einsum("hpq,qhv->phv", weights, values.repeat_interleave(repeat, 1))
    outer, found = gradients(output, queries, keys, values)
    return {
        "positions": positions, "heads": heads, "shared": shared, "size": size,
        "valueSize": value_size, "scale": scale, "window": window, "softcap": softcap,
        "sinks": packed(sinks) if has_sinks else None,
        "queries": packed(queries), "keys": packed(keys), "values": packed(values),
        "output": packed(output), "outer": packed(outer),
        "gradient": packed(torch.cat([part.flatten(1) for part in found], 1)),
    }


def rotation(pairing, heads, size, pairs):
    x = torch.randn(heads, size).double()
    angles = torch.randn(pairs).float().double() * 3
    turned = x.clone()
    if pairing == "neighbours":
        numbers = torch.view_as_complex(x[:, :2 * pairs].reshape(heads, pairs, 2))
        numbers = numbers * torch.polar(torch.ones(pairs).double(), angles)
        turned[:, :2 * pairs] = torch.view_as_real(numbers).flatten(1)
    else:
        part = x[:, :2 * pairs]
        half = torch.cat([-part[:, pairs:], part[:, :pairs]], -1)
        twice = torch.cat([angles, angles])
        turned[:, :2 * pairs] = part * twice.cos() + half * twice.sin()
    return {
        "pairing": pairing, "heads": heads, "size": size, "cosines": packed(angles.cos()),
        "sines": packed(angles.sin()), "inputs": packed(x), "output": packed(turned),
    }


def norm_parts(rows, columns, first, end, size, has_weight):
    x, epsilon = noise(rows, columns), 1e-3
    weight = torch.randn(size).double() if has_weight else None
    parts = x[:, first:end].reshape(rows, -1, size)
    normalized = F.rms_norm(parts, (size,), weight, epsilon).reshape(rows, -1)
    output = torch.cat([x[:, :first], normalized, x[:, end:]], 1)
    outer, (gradient,) = gradients(output, x)
    return {
        "rows": rows, "columns": columns, "first": first, "end": end, "size": size,
        "weight": packed(weight) if has_weight else None, "epsilon": epsilon, "inputs": packed(x),
        "output": packed(output), "outer": packed(outer), "gradient": packed(gradient),
    }


def layer_norm(rows, columns, has_bias):
    # Far from zero, where a variance from sums of squares would cancel.
    x, epsilon = (torch.randn(rows, columns) + 30).double().requires_grad_(), 1e-3
    weight = torch.randn(columns).double()
    bias = torch.randn(columns).double() if has_bias else None
    output = F.layer_norm(x, (columns,), weight, bias, epsilon)
    outer, (gradient,) = gradients(output, x)
    return {
        "rows": rows, "columns": columns, "weight": packed(weight),
        "bias": packed(bias) if has_bias else None, "epsilon": epsilon, "inputs": packed(x),
        "output": packed(output), "outer": packed(outer), "gradient": packed(gradient),
    }


ACTIVATIONS = {
    "silu": F.silu,
    "geluTanh": lambda x: F.gelu(x, approximate="tanh"),
    "gelu": F.gelu,
    "relu": F.relu,
    "reluSquared": lambda x: F.relu(x) ** 2,
    "clampedSwiGLU": lambda x: x.clamp(max=7) * torch.sigmoid(1.702 * x.clamp(max=7)),
    "sigmoid": torch.sigmoid,
}


def activation(name, function):
    edges = [-1e4, -100, -30, -13, -9, -6, -5.5, -5, -4, -3, -1, -1e-3, -1e-6, -1e-20, 1e-20, 1e-6, 1e-3, 0.7,
             1, 3, 5, 9, 40, 1e4]
    x = torch.cat([torch.tensor(edges), torch.randn(43) * 3]).double().requires_grad_()
    # What gpt-oss gates has a bound, which has to show.
    is_bounded = name == "clampedSwiGLU"
    up = (noise(len(x)) * (6 if is_bounded else 1)).detach().requires_grad_()
    value = function(x)
    outer, (gradient,) = gradients(value, x)
    gated = function(x) * (up.clamp(-7, 7) + 1 if is_bounded else up)
    gated_outer, (gate, other) = gradients(gated, x, up)
    return {
        "name": name, "inputs": packed(x), "up": packed(up), "output": packed(value),
        "outer": packed(outer), "gradient": packed(gradient), "gated": packed(gated),
        "gatedOuter": packed(gated_outer), "gateGradient": packed(gate), "upGradient": packed(other),
    }


def softcap(cap):
    edges = [-1e5, -300, -0.63 * cap, -0.62 * cap, -1e-9, 0, 1e-4, 0.624 * cap, 0.626 * cap, 9 * cap, 1e6]
    x = torch.cat([torch.tensor(edges), torch.randn(37) * cap]).double().requires_grad_()
    output = cap * torch.tanh(x / cap)
    outer, (gradient,) = gradients(output, x)
    return {
        "cap": cap, "inputs": packed(x), "output": packed(output), "outer": packed(outer),
        "gradient": packed(gradient),
    }


def main():
    torch.manual_seed(12)
    record = {
        "attentions": [
            attention(1, 1, 1, 3),
            attention(9, 4, 2, 5, window=4),
            attention(9, 4, 2, 5, window=1, has_sinks=True),
            attention(70, 6, 2, 4, window=90, softcap=2.5, scale=0.9),
            attention(70, 2, 2, 7, window=31, softcap=2.5, has_sinks=True),
            attention(150, 3, 1, 4, window=64, value_size=6),
            attention(140, 2, 1, 5, value_size=3, softcap=4.0, has_sinks=True),
        ],
        "rotations": [
            rotation(pairing, *shape)
            for pairing in ("halves", "neighbours")
            for shape in ((3, 8, 4), (2, 10, 3), (1, 80, 33), (5, 7, 0))
        ],
        "normParts": [
            norm_parts(3, 20, 2, 17, 5, True),
            norm_parts(2, 80, 0, 66, 33, False),
            norm_parts(4, 70, 3, 70, 67, True),
        ],
        "layerNorms": [layer_norm(3, 7, True), layer_norm(2, 100, False)],
        "activations": [activation(*pair) for pair in ACTIVATIONS.items()],
        "softcaps": [softcap(30.0), softcap(0.5)],
    }
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(record) + "\n")
    print(OUT.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
