#!/usr/bin/env python3
"""Lets transformers load what Vise exports, and compares perplexities of the same tokens.

usage: transformers_perplexity.py --binary VISE --model DIRECTORY --text TEXT [--window 128] [--windows 8]

Each plan below is exported for the target transformers, loaded there with compressed-tensors, and read by Vise itself.
Both compute in 32-bit floats, so that the logarithms of their perplexities differ by 1e-4 at most. DIRECTORY is a Llama
whose rows and columns are multiples of 128, such as Samples/scripture. Needs transformers 5.17 and compressed-tensors 0.19.
"""

import argparse
import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

RULES = {
    "kept": "keep: true",
    **{f"{bits} bit": f"bits: {bits}, group: 64" for bits in range(2, 9)},
    **{f"{bits} bit with zero points": f"bits: {bits}, group: 32, symmetric: false" for bits in range(2, 9)},
    "4 bit a channel": "bits: 4, group: channel",
    "8 bit a channel with zero points": "bits: 8, group: channel, symmetric: false",
    **{name: f"type: {name}" for name in ("FP8", "FP8_BLOCK", "NVFP4", "MXFP4")},
}
MIXED = """vise: 1
rules:
  - { layers: "re:.*proj", bits: 4, group: 64 }
  - { layers: "*.self_attn.*", bits: 8, group: channel, symmetric: false }
  - { layers: "*.v_proj", type: FP8 }
  - { layers: "*.down_proj", bits: 3, group: 32, range: mse }
  - { layers: "model.layers.1.*", keep: true }
"""
TOLERANCE = 1e-4


def vise(options, *arguments):
    run = subprocess.run(
        [options.binary, *map(str, arguments)], capture_output=True, text=True, check=False)
    if run.returncode:
        sys.exit(f"vise {' '.join(map(str, arguments))}: {run.stderr}")
    return run.stdout


def loss_of_vise(folder, options):
    found = json.loads(vise(options, "evaluate", folder, "--text", options.text, "--window", options.window,
                            "--windows", options.windows, "--json"))
    return math.log(found["ppl"])


def widen(module):
    """Makes a module's 16-bit weights 32-bit ones."""
    for parameter in module.parameters():
        if parameter.dtype in (torch.bfloat16, torch.float16):
            parameter.data = parameter.data.float()


def loss_of_transformers(folder, options):
    """The mean loss of the second half of each window, the windows read afresh."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    # Codes are decoded to the type of their scales, some of them when a layer is first used.
    for module in model.modules():
        if isinstance(module, torch.nn.Linear):
            module.register_forward_pre_hook(lambda layer, _: widen(layer))
    widen(model)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokens = tokenizer(Path(options.text).read_text(encoding="utf-8"), return_tensors="pt")["input_ids"][0]
    length, losses = options.window, []
    for start in range(0, length * options.windows, length):
        window = tokens[start : start + length]
        with torch.no_grad():
            logits = model(window[None]).logits[0].double()
        half = slice(length // 2, length - 1)
        losses.append(torch.nn.functional.cross_entropy(logits[half], window[length // 2 + 1 :]))
    return float(torch.stack(losses).mean())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("--binary", "--model", "--text"):
        parser.add_argument(name, required=True)
    parser.add_argument("--window", type=int, default=128)
    parser.add_argument("--windows", type=int, default=8)
    options = parser.parse_args()
    torch.set_num_threads(2)
    plans = {
        name: 'vise: 1\nrules:\n  - { layers: "re:.*proj", %s }\n' % rule for name, rule in RULES.items()
    } | {"mixed": MIXED}
    failures = 0
    with tempfile.TemporaryDirectory() as root:
        for name, text in plans.items():
            plan = Path(root) / "plan.yaml"
            plan.write_text(text, encoding="utf-8")
            folder = Path(root) / name.replace(" ", "-")
            vise(options, "export", options.model, "--plan", plan, "--target", "transformers", "--output", folder)
            ours, theirs = loss_of_vise(folder, options), loss_of_transformers(folder, options)
            verdict = "ok" if abs(ours - theirs) <= TOLERANCE else "FAIL"
            failures += verdict == "FAIL"
            print(f"{verdict} {name}: Vise {ours:.6f}, transformers {theirs:.6f}", flush=True)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
