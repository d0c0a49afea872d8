#!/usr/bin/env python3
"""Lets llm-compressor carry out recipes that Vise exports, and opens what it makes.

usage: llm_compressor.py --binary VISE --model DIRECTORY --text TEXT

Each plan below is exported as a recipe whose run.py runs unmodified; needs llmcompressor (0.14.0.1) and datasets. Vise must find in the result the scheme that the plan gives each layer, and pruned layers must have their
zeros. DIRECTORY is a Llama whose rows are multiples of 128 long, such as Samples/scripture.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from safetensors.torch import load_file

PLANS = {
    "mixed": """vise: 1
rules:
  - { layers: "re:.*proj", bits: 4, group: 128, method: gptq }
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
RUN = """import runpy, sys, torch
if not torch.accelerator.is_available():
    torch.Tensor.pin_memory = lambda tensor, *_: tensor
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def vise(options, *arguments):
    run = subprocess.run(
        [options.binary, *map(str, arguments)], capture_output=True, text=True, check=False)
    if run.returncode:
        sys.exit(f"vise {' '.join(map(str, arguments))}: {run.stderr}")
    return run.stdout


def expected(options, plan):
    """The scheme of each layer, as an export of the plan by Vise itself has it."""
    folder = plan.parent / "direct"
    vise(options, "export", options.model, "--plan", plan, "--target", "transformers", "--output", folder)
    return schemes(options, folder)


def schemes(options, folder):
    layers = json.loads(vise(options, "inspect", folder, "--json"))["layers"]
    return {layer["name"]: layer.get("scheme") for layer in layers}


def without_calibration(text):
    """The plan with its methods rounded: the schemes are the same, and no text is needed for them."""
    for method in ("gptq", "awq"):
        text = text.replace(f"method: {method}", "method: rtn")
    return text.replace("method: sparsegpt", "method: magnitude").replace("method: wanda", "method: magnitude")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("--binary", "--model", "--text"):
        parser.add_argument(name, required=True)
    options = parser.parse_args()
    failures = 0
    with tempfile.TemporaryDirectory() as name:
        for plan_name, text in PLANS.items():
            folder = Path(name) / plan_name
            folder.mkdir()
            (folder / "plan.yaml").write_text(text, encoding="utf-8")
            (folder / "rounded.yaml").write_text(without_calibration(text), encoding="utf-8")
            vise(options, "export", options.model, "--plan", folder / "plan.yaml", "--format", "recipe",
                 "--target", "transformers", "--output", folder / "recipe")
            made = folder / "made"
            run = subprocess.run(
                [sys.executable, "-c", RUN, str(folder / "recipe" / "run.py"), options.model, str(made),
                 "--text", options.text, "--windows", "8", "--window", "128"],
                check=False, capture_output=True, text=True)
            if run.returncode:
                sys.exit(f"{plan_name}: run.py ended with {run.stderr[-2000:]}")
            wanted, found = expected(options, folder / "rounded.yaml"), schemes(options, made)
            wrong = [layer for layer in wanted if wanted[layer] != found.get(layer)]
            for layer in wrong:
                print(f"FAIL {plan_name}: {layer} is {found.get(layer)}, and the plan says {wanted[layer]}")
            failures += len(wrong)
            tensors = load_file(made / "model.safetensors") if plan_name == "mixed" else {}
            for layer, least in PRUNED.items() if tensors else ():
                zeros = float((tensors[f"{layer}.weight"] == 0).float().mean())
                print(f"{plan_name}: {layer} has {zeros:.3f} zeros")
                failures += zeros < least
            print(f"{plan_name}: {len(wanted) - len(wrong)} of {len(wanted)} layers as the plan says")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
