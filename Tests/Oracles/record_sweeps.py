"""Records GPTQ, SparseGPT, Wanda and AWQ in numpy, written from the papers, for CompressionTests.

GPTQ arXiv 2210.17323 (static act-order), SparseGPT arXiv 2301.00774, Wanda arXiv 2306.11695, AWQ arXiv 2306.00978.
All arithmetic but that of scales is in float64; inverses are computed as such, one column at a time.

Usage: python Tests/Oracles/record_sweeps.py   (writes Tests/CompressionTests/Fixtures/sweeps.json)
"""

import base64
import json
import pathlib

import numpy as np

ROWS, COLUMNS, GROUP, BLOCK = 16, 144, 16, 128


def packed(values, dtype):
    return base64.b64encode(np.ascontiguousarray(values, dtype=dtype).tobytes()).decode()


def layer(random):
    """Weights, and the second moments of correlated inputs, of which one is always zero."""
    weights = random.standard_t(5, (ROWS, COLUMNS)).astype(np.float32) * np.float32(0.02)
    mixing = np.eye(COLUMNS) + 0.25 * random.standard_normal((COLUMNS, COLUMNS)) / np.sqrt(COLUMNS) * 4
    inputs = random.standard_normal((4 * COLUMNS, COLUMNS)) @ mixing
    inputs *= np.exp(0.7 * random.standard_normal(COLUMNS))
    inputs[:, 37] = 0
    return weights, (inputs.T @ inputs / len(inputs)).astype(np.float32)


def grid(weights, bits, symmetric):
    """Scale and zero of each weight: min-max per group, compressed-tensors' rule, scales in F16."""
    shape = (ROWS, COLUMNS // GROUP, GROUP)
    groups = weights.astype(np.float32).reshape(shape)
    low, high = np.minimum(groups.min(-1), 0), np.maximum(groups.max(-1), 0)
    steps = np.float32(2**bits - 1)
    bottom = -(2 ** (bits - 1))
    if symmetric:
        scale = (np.maximum(high, -low) / (steps / 2)).astype(np.float16).astype(np.float32)
        zero = np.zeros_like(scale)
    else:
        scale = ((high - low) / steps).astype(np.float16).astype(np.float32)
        zero = np.clip(np.round(bottom - low / scale), bottom, -bottom - 1)
    spread = lambda x: np.repeat(x, GROUP, axis=1).astype(np.float64)
    return spread(scale), spread(zero), bottom


def rounded(weights, grid_of_all, column=slice(None)):
    scale, zero, bottom = grid_of_all
    scale, zero = scale[:, column], zero[:, column]
    codes = np.clip(np.round(weights / scale + zero), bottom, -bottom - 1)
    return (codes - zero) * scale


def factor(gram, order):
    hessian = gram.astype(np.float64)[np.ix_(order, order)]
    hessian += 0.01 * np.mean(np.diag(hessian)) * np.eye(COLUMNS)
    return np.linalg.cholesky(np.linalg.inv(hessian)).T


def sweep(weights, gram, order, quantizer=None, ratio=None, pattern=None):
    """Column by column: zeros where pruned, else the nearest on the grid; later columns make up for it."""
    upper = factor(gram, order)
    left = weights.astype(np.float64)[:, order]
    masked = np.zeros_like(left, bool)
    for j in range(COLUMNS):
        if ratio is not None and j % BLOCK == 0:
            end = min(COLUMNS, j + BLOCK)
            scores = (left[:, j:end] / np.diag(upper)[j:end]) ** 2
            count = int(ratio * ROWS * end) - int(ratio * ROWS * j)
            chosen = np.argsort(scores, axis=None, kind="stable")[:count]
            part = np.zeros(scores.size, bool)
            part[chosen] = True
            masked[:, j:end] = part.reshape(scores.shape)
        if pattern is not None and j % pattern[1] == 0:
            kept, of = pattern
            scores = (left[:, j : j + of] / np.diag(upper)[j : j + of]) ** 2
            for row, chosen in enumerate(np.argsort(scores, axis=1, kind="stable")[:, : of - kept]):
                masked[row, j + chosen] = True
        value = left[:, j] if quantizer is None else rounded(left[:, j], quantizer, order[j])
        value = np.where(masked[:, j], 0, value)
        error = (left[:, j] - value) / upper[j, j]
        left[:, j + 1 :] -= np.outer(error, upper[j, j + 1 :])
        left[:, j] = value
    result = np.empty_like(left)
    result[:, order] = left
    return result


def wanda(weights, gram, ratio):
    scores = np.abs(weights.astype(np.float64)) * np.sqrt(np.diag(gram).astype(np.float64))
    result = weights.astype(np.float64).copy()
    for row in range(ROWS):
        count = int(ratio * (row + 1) * COLUMNS) - int(ratio * row * COLUMNS)
        result[row, np.argsort(scores[row], kind="stable")[:count]] = 0
    return result


def awq(weights, gram, bits, symmetric):
    """The best exponent's scales, and the objective of every exponent."""
    roots = np.sqrt(np.diag(gram).astype(np.float64))
    roots = np.maximum(roots / roots.mean(), 1e-6)
    losses, all_scales = [], []
    for step in range(20):
        scales = np.maximum(roots ** (step / 20), 1e-4)
        scales /= np.sqrt(scales.max() * scales.min())
        scaled = (weights * scales.astype(np.float32)).astype(np.float32)
        error = rounded(scaled, grid(scaled, bits, symmetric)) / scales - weights
        losses.append(np.trace(error @ gram.astype(np.float64) @ error.T))
        all_scales.append(scales)
    return all_scales[int(np.argmin(losses))]


random = np.random.default_rng(11)
weights, gram = layer(random)
falling = np.argsort(-np.diag(gram), kind="stable")
stored = np.arange(COLUMNS)
cases = []


def case(method, result, **settings):
    cases.append({"method": method, "result": packed(result, "<f4"), **settings})


for bits, symmetric in [(4, True), (3, False), (2, False), (8, True)]:
    quantizer = grid(weights, bits, symmetric)
    case("gptq", sweep(weights, gram, falling, quantizer), bits=bits, symmetric=symmetric)
case("sparsegpt", sweep(weights, gram, stored, ratio=0.5), sparsity="0.5")
case("sparsegpt", sweep(weights, gram, stored, ratio=0.3), sparsity="0.3")
case("sparsegpt", sweep(weights, gram, stored, pattern=(2, 4)), sparsity="2:4")
case("sparsegpt", sweep(weights, gram, stored, pattern=(1, 3)), sparsity="1:3")
four = grid(weights, 4, True)
case("joint", sweep(weights, gram, stored, four, ratio=0.5), bits=4, symmetric=True, sparsity="0.5")
case("joint", sweep(weights, gram, stored, four, pattern=(2, 4)), bits=4, symmetric=True, sparsity="2:4")
case("wanda", wanda(weights, gram, 0.5), sparsity="0.5")
case("wanda", wanda(weights, gram, 0.37), sparsity="0.37")
case("awq", awq(weights, gram, 3, False)[None], bits=3, symmetric=False)

path = pathlib.Path(__file__).parent.parent / "CompressionTests/Fixtures/sweeps.json"
path.write_text(
    json.dumps(
        {
            "rows": ROWS,
            "columns": COLUMNS,
            "group": GROUP,
            "weights": packed(weights, "<f4"),
            "gram": packed(gram, "<f4"),
            "cases": cases,
        }
    )
    + "\n"
)
