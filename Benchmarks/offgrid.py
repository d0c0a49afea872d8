#!/usr/bin/env python3
"""offgrid.py FOLDER OUT: the same function as a Llama checkpoint of Hugging Face, its weights on no grid, in F16.

SmolLM2 comes quantized in groups of 32 at 4 bits, so rounding to that very grid would look free. Here every
input channel is divided by a random factor from exp(-0.35) to exp(0.35), which the norm, up_proj or v_proj before
it takes back.
"""
import json
import os
import shutil
import sys

import numpy
from safetensors.numpy import load_file, save_file

SEED, SPREAD = 2026, 0.35


def rescale(weights, heads, kv_heads, blocks, random):
    def scale(name, factors, columns=False):
        name = f"{prefix}.{name}.weight"
        weights[name] = weights[name] * (factors[None, :] if columns and weights[name].ndim == 2
                                         else factors.reshape(-1, *[1] * (weights[name].ndim - 1)))

    def factors_for(name):
        rows = weights[f"{prefix}.{name}.weight"].shape[0]
        return numpy.exp(random.uniform(-SPREAD, SPREAD, rows)).astype(numpy.float32)

    for block in range(blocks):
        prefix = f"model.layers.{block}"
        for before, readers in [
                ("input_layernorm", ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"]),
                ("post_attention_layernorm", ["mlp.gate_proj", "mlp.up_proj"]),
                ("mlp.up_proj", ["mlp.down_proj"]), ("self_attn.v_proj", ["self_attn.o_proj"])]:
            factors = factors_for(before)
            scale(before, factors)
            if before == "self_attn.v_proj":  # several heads read each of v's
                factors = factors.reshape(kv_heads, -1).repeat(heads // kv_heads, axis=0).ravel()
            for reader in readers:
                scale(reader, 1 / factors, columns=True)


def main(folder, out):
    with open(os.path.join(folder, "config.json")) as file:
        config = json.load(file)
    weights = {name: values.astype(numpy.float32)
               for name, values in load_file(os.path.join(folder, "model.safetensors")).items()}
    rescale(weights, config["num_attention_heads"], config["num_key_value_heads"],
            config["num_hidden_layers"], numpy.random.default_rng(SEED))
    os.makedirs(out, exist_ok=True)
    for name in os.listdir(folder):
        if name != "model.safetensors":
            shutil.copy(os.path.join(folder, name), out)
    halves = {name: values.astype(numpy.float16) for name, values in weights.items()}
    save_file(halves, os.path.join(out, "model.safetensors"), metadata={"format": "pt"})


if __name__ == "__main__":
    main(*sys.argv[1:])
