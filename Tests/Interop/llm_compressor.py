#!/usr/bin/env python3
"""Lets llm-compressor carry out recipes that Vise exports, and opens what it makes.

usage: llm_compressor.py --binary VISE --model DIRECTORY --text TEXT [--plans NAME,...] [--group 128]

Each plan below is exported as a recipe whose run.py runs unmodified. Vise must find in the result the scheme that the plan
gives each layer, and pruned layers must have their zeros. DIRECTORY is a Llama whose rows are multiples of the group, such
as Samples/scripture, or SmolLM2 with 64. Needs requirements-compressor.txt.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from safetensors.torch import load_file

from interop import Checks, Vise

PLANS = {
    "mixed": """vise: 1
rules:
  - { layers: "re:.*proj", bits: 4, group: GROUP, method: gptq }
  - { layers: "*.self_attn.*", bits: 8, group: channel }
  - { layers: "model.layers.0.*", keep: true }
  - { layers: "model.layers.1.mlp.*", bits: 5, group: 32, symmetric: false }
  - { layers: "model.layers.2.mlp.down_proj", keep: true, sparsity: { pattern: "2:4", method: sparsegpt } }
  - { layers: "model.layers.3.mlp.down_proj", bits: 4, group: 64, method: rtn, sparsity: { ratio: 0.3, method: wanda } }
  - { layers: "model.layers.4.mlp.*", type: FP8, method: rtn }
  - { layers: "model.layers.5.mlp.*", type: NVFP4 }
""",
    "awq": """vise: 1
rules:
  - { layers: "re:.*proj", bits: 4, group: 64, method: awq }
  - { layers: "*.self_attn.*", bits: 6, group: 64, method: rtn }
  - { layers: "model.layers.1.*", bits: 3, group: 32, method: gptq }
""",
}
# Layers of "mixed" that stay in 16 bits with zeros: the least share of zeros.
PRUNED = {"model.layers.2.mlp.down_proj": 0.5}


# AWQ of llm-compressor 0.14 pins memory for an accelerator, which ends it on a machine that has none.
RUN = """import os, runpy, sys, torch
if not torch.accelerator.is_available():
    torch.Tensor.pin_memory = lambda tensor, *_: tensor
sys.argv = sys.argv[1:]
sys.path.insert(0, os.path.dirname(sys.argv[0]))
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def schemes(vise, folder):
    layers = vise.json("inspect", folder)["layers"]
    return {layer["name"]: layer.get("scheme") for layer in layers}


def without_calibration(text):
    """The plan with its methods rounded: the schemes are the same, and no text is needed for them."""
    for method in ("gptq", "awq"):
        text = text.replace(f"method: {method}", "method: rtn")
    return text.replace("method: sparsegpt", "method: magnitude").replace("method: wanda", "method: magnitude")


def check_recipe(checks, vise, options, name, folder):
    text = PLANS[name].replace("GROUP", str(options.group))
    plan, rounded = folder / "plan.yaml", folder / "rounded.yaml"
    plan.write_text(text, encoding="utf-8")
    rounded.write_text(without_calibration(text), encoding="utf-8")
    recipe = vise.export(options.model, plan, "transformers", folder / "recipe", "--format", "recipe")
    made = folder / "made"
    run = subprocess.run(
        [sys.executable, "-c", RUN, str(recipe / "run.py"), options.model, str(made),
         "--text", options.text, "--windows", "8", "--window", "128"],
        check=False, capture_output=True, text=True)
    if not checks(f"llm-compressor, {name}, runs", run.returncode == 0, run.stderr[-2000:] if run.returncode else ""):
        return
    wanted = schemes(vise, vise.export(options.model, rounded, "transformers", folder / "direct"))
    found = schemes(vise, made)
    wrong = [f"{layer} is {found.get(layer)}, not {wanted[layer]}" for layer in wanted if wanted[layer] != found.get(layer)]
    checks(f"llm-compressor, {name}, has the plan's schemes", not wrong,
           "; ".join(wrong[:3]) or f"{len(wanted)} layers")
    if name == "mixed":
        tensors = load_file(made / "model.safetensors")
        for layer, least in PRUNED.items():
            zeros = float((tensors[f"{layer}.weight"] == 0).float().mean())
            checks(f"llm-compressor, {name}, prunes {layer}", zeros >= least, f"{zeros:.3f} zeros")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("--binary", "--model", "--text"):
        parser.add_argument(name, required=True)
    parser.add_argument("--plans", help="names, with commas between them; all without")
    parser.add_argument("--group", type=int, default=128)
    options = parser.parse_args()
    vise, checks = Vise(options.binary), Checks()
    with tempfile.TemporaryDirectory() as root:
        for name in options.plans.split(",") if options.plans else PLANS:
            folder = Path(root) / name
            folder.mkdir()
            check_recipe(checks, vise, options, name, folder)
    checks.end()


if __name__ == "__main__":
    main()
