"""Records the gated delta rule, Mamba-2's recurrence, and the short convolution before both, and their gradients, by PyTorch, for TensorsTests.

usage: record_delta.py     writes Tests/TensorsTests/Fixtures/delta.json

Everything is computed position by position from the definitions in double precision, gradients by autograd, as in
record_vectors.py.

Packages: Tests/Oracles/requirements-record.txt.
"""

import json
from pathlib import Path

import torch
from record_vectors import gradients, noise, packed
from torch.nn import functional as F

OUT = Path(__file__).parent.parent / "TensorsTests" / "Fixtures" / "delta.json"


def numbers(values):
    """Single-precision numbers in double precision, with a gradient."""
    return values.float().double().requires_grad_()


def delta(positions, key_heads, value_heads, key_size, value_size, corrects=True):
    queries = numbers(F.normalize(torch.randn(positions, key_heads, key_size), dim=-1) / 3)
    keys = numbers(F.normalize(torch.randn(positions, key_heads, key_size), dim=-1))
    values = noise(positions, value_heads, value_size)
    retentions = numbers(0.9 + 0.1 * torch.rand(positions, value_heads))
    rates = numbers(torch.rand(positions, value_heads))
    state = torch.zeros(value_heads, key_size, value_size).double()
    share, outputs = value_heads // key_heads, []
    for t in range(positions):
        q, k = (part[t].repeat_interleave(share, 0) for part in (queries, keys))
        state = retentions[t, :, None, None] * state
        # Mamba-2 adds values as they are.
        said = torch.einsum("hkv,hk->hv", state, k) if corrects else 0
        state = state + torch.einsum("hk,hv->hkv", k, rates[t, :, None] * (values[t] - said))
        outputs.append(torch.einsum("hkv,hk->hv", state, q))
    output = torch.stack(outputs)
    outer, found = gradients(output, queries, keys, values, retentions, rates)
    inputs = torch.cat([part.flatten(1) for part in (queries, keys, values)], 1)
    return {
        "positions": positions, "keyHeads": key_heads, "valueHeads": value_heads, "keySize": key_size,
        "valueSize": value_size, "corrects": corrects, "inputs": packed(inputs), "retentions": packed(retentions), "rates": packed(rates),
        "output": packed(output), "state": packed(state), "outer": packed(outer),
        "gradient": packed(torch.cat([part.flatten(1) for part in found[:3]], 1)),
        "atRetentions": packed(found[3]), "atRates": packed(found[4])}


def convolution(positions, channels, taps):
    x, weights = noise(positions, channels), noise(channels, taps)
    padded = F.pad(x.T[None], (taps - 1, 0))
    output = F.conv1d(padded, weights[:, None], groups=channels)[0].T
    outer, (gradient,) = gradients(output, x)
    return {
        "positions": positions, "channels": channels, "taps": taps, "inputs": packed(x), "weights": packed(weights),
        "output": packed(output), "outer": packed(outer), "gradient": packed(gradient)}


def main():
    torch.manual_seed(4)
    OUT.write_text(json.dumps({
        # More positions than states are kept of, and heads of more values than one pass takes.
        "deltas": [delta(150, 2, 4, 16, 24), delta(64, 1, 3, 8, 72), delta(3, 2, 2, 5, 7), delta(1, 1, 1, 8, 64),
                   delta(70, 2, 6, 12, 16, corrects=False)],
        "convolutions": [convolution(9, 37, 4), convolution(2, 5, 4), convolution(6, 8, 1)],
    }, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
