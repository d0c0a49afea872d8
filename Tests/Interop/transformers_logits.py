#!/usr/bin/env python3
"""Lets transformers load what Vise exports, and compares all logits with those of Vise's own compressed model.

usage: transformers_logits.py --binary VISE --model DIRECTORY --text TEXT [--tokens 384]

Each plan is exported for the target transformers and loaded there with compressed-tensors; `vise logits` computes the same
plan's logits without the export. Vise multiplies codes with inputs of 16 bits: no logit of any token differs by more than
1e-4 of the largest. That the comparison can fail is shown by a copy with one scale of one layer changed. DIRECTORY is a Llama
whose rows and columns are multiples of 128, such as Samples/scripture. Needs requirements.txt.
"""

import argparse
import contextlib
import io
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from interop import Checks, Vise, layer_plans

TOLERANCE = 1e-4  # of the largest logit
DAMAGED = "model.layers.2.mlp.down_proj.weight_scale"


def widen(module):
    """Makes a module's 16-bit weights 32-bit ones."""
    for parameter in module.parameters():
        if parameter.dtype in (torch.bfloat16, torch.float16):
            parameter.data = parameter.data.float()


def logits_of_transformers(folder, tokens):
    # compressed-tensors draws progress bars that no option turns off.
    with contextlib.redirect_stderr(io.StringIO()), torch.no_grad():
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        # Codes are decoded to the type of their scales, some of them when a layer is first used.
        for module in model.modules():
            if isinstance(module, torch.nn.Linear):
                module.register_forward_pre_hook(lambda layer, _: widen(layer))
        widen(model)
        return model(tokens[None]).logits[0].float()


def damage(folder):
    """Makes the first scale of a layer a quarter larger."""
    path = folder / "model.safetensors"
    tensors = load_file(path)
    tensors[DAMAGED].view(-1)[0] *= 1.25
    save_file(tensors, path, metadata={"format": "pt"})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("--binary", "--model", "--text"):
        parser.add_argument(name, required=True)
    parser.add_argument("--tokens", type=int, default=384)
    options = parser.parse_args()
    torch.set_num_threads(2)
    vise, checks = Vise(options.binary), Checks()
    with tempfile.TemporaryDirectory() as root:
        plan, own = Path(root) / "plan.yaml", Path(root) / "own.safetensors"
        for name, text in layer_plans().items():
            plan.write_text(text, encoding="utf-8")
            folder = vise.export(options.model, plan, "transformers", Path(root) / name.replace(" ", "-"))
            vise("logits", options.model, "--plan", plan, "--text", options.text, "--tokens", options.tokens,
                 "--output", own, "--replace")
            expected = load_file(own)
            found = logits_of_transformers(folder, expected["token_ids"])
            furthest = float((found - expected["logits"]).abs().max())
            positions = len(expected["token_ids"])
            largest = float(expected["logits"].abs().max())
            checks(f"transformers, {name}", furthest <= TOLERANCE * largest and positions == options.tokens,
                   f"{positions} positions, furthest logit {furthest:.1e} of {float(found.abs().max()):.0f}")
            if name == "4 bit":
                damage(folder)
                off = float((logits_of_transformers(folder, expected["token_ids"]) - expected["logits"]).abs().max())
                checks("transformers, 4 bit with one wrong scale, is noticed", off > TOLERANCE * largest, f"{off:.1e}")
    checks.end()


if __name__ == "__main__":
    main()
