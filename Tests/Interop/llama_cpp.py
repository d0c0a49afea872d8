#!/usr/bin/env python3
"""Lets llama.cpp run what Vise exports as GGUF, and compares perplexities.

usage: llama_cpp.py --binary VISE --model MODEL --text TEXT --tools FOLDER [--windows N] [--window N] [--recipes]

Each plan below is exported, and the file read by llama.cpp's llama-perplexity and by Vise itself, which score the same
tokens: perplexities differ by no more than what llama.cpp loses by rounding what layers read to 8 bits. With --recipes,
the plan's tensor types go through llama-quantize, too, whose file llama.cpp must load and whose perplexity must be near.
FOLDER is where llama.cpp's tools are, or are built (some minutes) the first time. Needs requirements.txt.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "Benchmarks"))
import llama_tools  # noqa: E402

PLANS = {
    "kept": "vise: 1\nrules: []\n",
    "one type": """vise: 1
rules:
  - { layers: "*", type: Q4_0, range: mse }
""",
    "mixed": """vise: 1
rules:
  - { layers: "*", type: Q5_1, range: mse }
  - { layers: "*embed_tokens", type: Q8_0 }
  - { layers: "*down_proj", type: Q8_0, sparsity: { ratio: 0.3 } }
  - { layers: "*o_proj", keep: true }
""",
}
# Of perplexity: rounded activations, and llama-quantize's own rounding of weights.
ROUNDING, REQUANTIZED = 0.01, 0.15


def perplexity_of_llama(tool, file, options):
    # The tool logs from a thread of its own, and on a busy machine may end before its last line is out.
    for _ in range(10):
        run = subprocess.run(
            [tool, "-m", str(file), "-f", options.text, "-t", "1", "-c", str(options.window),
             "-b", str(options.window), "--chunks", str(options.windows)],
            check=True, capture_output=True, text=True)
        if found := re.search(r"PPL = ([0-9.]+)", run.stdout + run.stderr):
            return float(found.group(1))
    sys.exit(f"{tool} prints no perplexity of {file}")


def perplexity_of_vise(file, options):
    run = subprocess.run(
        [options.binary, "evaluate", str(file), "--text", options.text, "--json",
         "--window", str(options.window), "--windows", str(options.windows)],
        check=True, capture_output=True, text=True)
    return json.loads(run.stdout)["ppl"]


def export(plan, target, output, options):
    subprocess.run(
        [options.binary, "export", options.model, "--plan", str(plan), "--format", target,
         "--output", str(output)], check=True, stdout=subprocess.DEVNULL)
    return output


def differs(what, found, expected, tolerance):
    off = found / expected - 1
    is_wrong = not abs(off) <= tolerance
    print(f"{'FAILED' if is_wrong else 'ok':6} {what}: {found:.4f}, Vise {expected:.4f} ({off:+.2%})")
    return is_wrong


def quantized_differs(plan_name, types, source, own, options):
    file = types.parent / "quantized.gguf"
    subprocess.run(
        [llama_tools.tool("llama-quantize", options.tools), "--tensor-type-file", str(types),
         str(source), str(file), "Q8_0"], check=True, capture_output=True)
    perplexity = llama_tools.tool("llama-perplexity", options.tools)
    return differs(f"{plan_name}, by llama-quantize",
                   perplexity_of_llama(perplexity, file, options), own, REQUANTIZED)


def main():
    parser = argparse.ArgumentParser()
    for name in ("--binary", "--model", "--text", "--tools"):
        parser.add_argument(name, required=True)
    parser.add_argument("--window", type=int, default=256)
    parser.add_argument("--windows", type=int, default=8)
    parser.add_argument("--recipes", action="store_true")
    options = parser.parse_args()
    perplexity = llama_tools.tool("llama-perplexity", options.tools)
    failures = 0
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        source = None
        for plan_name, text in PLANS.items():
            folder = root / plan_name.replace(" ", "-")
            folder.mkdir()
            plan = folder / "plan.yaml"
            plan.write_text(text, encoding="utf-8")
            file = export(plan, "gguf", folder / "model.gguf", options)
            source = source or file
            own = perplexity_of_vise(file, options)
            failures += differs(
                plan_name, perplexity_of_llama(perplexity, file, options), own, ROUNDING)
            if options.recipes:
                types = export(plan, "recipe", folder / "recipe", options) / "tensor-types.txt"
                failures += quantized_differs(plan_name, types, source, own, options)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
