#!/usr/bin/env python3
"""Quality at equal size: Vise's allocated plans against llama-quantize with an imatrix, and against uniform GPTQ.

    quality.py --binary .build/release/vise --smollm2 .models/smollm2-hf --output Benchmarks/quality.md

For every type, llama-quantize makes a file with an imatrix from the calibration text; Vise gets the bytes of that
file's tensors as its budget, may use the block types that llama.cpp loads, and calibrates on the same text. Both are
measured by Vise in F32 arithmetic on a text that neither has seen, so that no kernel's rounding is in the figures.
Uniform GPTQ plans give the same scheme to every layer; the allocated plan beside each has the same bytes at most.
"""
import argparse
import json
import os
import subprocess
import sys
import time

import hf_to_gguf
import llama_tools
import offgrid

HERE = os.path.dirname(os.path.abspath(__file__))
SAMPLES = os.path.join(HERE, "..", "Samples")
TYPES = ["Q2_K", "Q3_K_M", "Q4_0", "Q4_K_M", "Q5_K_M", "Q6_K"]
UNIFORM = [(3, 64, True), (3, 32, False), (4, 64, True), (4, 32, False), (5, 64, True), (6, 64, True)]


class Vise:
    """The binary, one model, and what has been measured of it."""

    def __init__(self, options, name, title, model, windows):
        self.options, self.name, self.title = options, name, title
        self.model, self.windows = model, windows
        self.sensitivity = {}

    def path(self, name):
        return os.path.join(self.options.work, f"{self.name}-{name}")

    def run(self, *arguments):
        start = time.monotonic()
        process = subprocess.run([self.options.binary, *arguments], capture_output=True, text=True)
        if process.returncode:
            sys.exit(f"vise {' '.join(arguments)}: {process.stderr.strip()}")
        print(f"{time.monotonic() - start:7.1f} s  vise {' '.join(arguments)}", file=sys.stderr)
        return process.stdout

    def calibrate(self):
        """The imatrix that llama-quantize gets."""
        self.run("calibrate", self.model, "--text", self.options.calibration,
                 "--tokens", str(self.options.tokens), "--imatrix", self.path("imatrix.gguf"))

    def measured_sensitivity(self, kind):
        """What every scheme of a kind (`gguf` or `integers`) costs, measured once."""
        if kind not in self.sensitivity:
            path = self.path(f"{kind}.sensitivity")
            self.run("sensitivity", self.model, "--text", self.options.calibration,
                     "--tokens", str(self.options.tokens), "--types", kind, "--output", path)
            self.sensitivity[kind] = path
        return self.sensitivity[kind]

    def allocate(self, kind, size, name):
        plan = self.path(f"{name}.yaml")
        output = self.run("allocate", self.model, "--sensitivity", self.measured_sensitivity(kind),
                          "--budget", f"{size / 1e6:.6f}MB", "--output", plan, "--json")
        return plan, json.loads(output)

    def measure(self, *arguments):
        output = self.run("evaluate", *arguments, "--text", self.options.evaluation,
                          "--windows", str(self.windows), "--json")
        return json.loads(output)

    def measure_plan(self, plan):
        return self.measure(self.model, "--plan", plan, "--calibration", self.options.calibration,
                            "--tokens", str(self.options.tokens))

    def rival(self, kind):
        """A file of llama-quantize: its tensors' bytes, and what it measures."""
        path = self.path(f"{kind}.gguf")
        subprocess.run([llama_tools.tool("llama-quantize", self.options.tools), "--imatrix",
                        self.path("imatrix.gguf"), self.model, path, kind, "2"],
                       check=True, capture_output=True)
        size = json.loads(self.run("inspect", path, "--json"))["bytes"]
        return size, self.measure(path, "--reference", self.model)


def uniform_plan(path, bits, group, symmetric):
    with open(path, "w") as file:
        file.write("vise: 1\nrules:\n  - layers: \"*\"\n"
                   f"    bits: {bits}\n    group: {group}\n    symmetric: {str(symmetric).lower()}\n"
                   "    method: gptq\n")


def figures(result):
    kld = result["kld"]
    return (f"{kld['mean']['value']:.5f} ± {kld['mean']['standard_error']:.5f}",
            f"{result['ppl']['value']:.3f}", f"{100 * result['top1_agreement']['value']:.2f}")


def against_llama(vise):
    lines = ["| type | MB | llama-quantize + imatrix: KLD | PPL | top-1 % | Vise, allocated: MB | KLD | "
             "predicted | PPL | top-1 % | KLD lower by |", "|---|---|---|---|---|---|---|---|---|---|---|"]
    for kind in TYPES:
        size, theirs = vise.rival(kind)
        plan, allocation = vise.allocate("gguf", size, f"at-{kind}")
        ours = vise.measure_plan(plan)
        less = 1 - ours["kld"]["mean"]["value"] / theirs["kld"]["mean"]["value"]
        kld, ppl, same = figures(ours)
        lines.append(f"| {kind} | {size / 1e6:.2f} | " + " | ".join(figures(theirs))
                     + f" | {allocation['bytes'] / 1e6:.2f} | {kld} | {allocation['kld']['mean']:.4f} | "
                     f"{ppl} | {same} | {100 * less:.0f} % |")
    return lines


def against_uniform(vise):
    lines = ["| uniform GPTQ | MB | KLD | PPL | Vise, allocated: MB | KLD | PPL | KLD lower by |",
             "|---|---|---|---|---|---|---|---|"]
    for bits, group, symmetric in UNIFORM:
        plan = vise.path(f"uniform-{bits}-{group}.yaml")
        uniform_plan(plan, bits, group, symmetric)
        theirs = vise.measure_plan(plan)
        size = json.loads(vise.run("inspect", vise.model, "--plan", plan, "--json"))["compressed_bytes"]
        allocated, allocation = vise.allocate("integers", size, f"uniform-size-{bits}-{group}")
        ours = vise.measure_plan(allocated)
        less = 1 - ours["kld"]["mean"]["value"] / theirs["kld"]["mean"]["value"]
        (kld, ppl, _), (our_kld, our_ppl, _) = figures(theirs), figures(ours)
        lines.append(f"| {bits} bit g{group} {'sym' if symmetric else 'asym'} | {size / 1e6:.2f} | {kld} | "
                     f"{ppl} | {allocation['bytes'] / 1e6:.2f} | {our_kld} | {our_ppl} | {100 * less:.0f} % |")
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=".build/release/vise")
    parser.add_argument("--smollm2", default=".models/smollm2-hf")
    parser.add_argument("--calibration", default=os.path.join(SAMPLES, "calibration.txt"))
    parser.add_argument("--evaluation", default=os.path.join(SAMPLES, "evaluation.txt"))
    parser.add_argument("--tokens", type=int, default=16384)
    parser.add_argument("--work", default=".bench", help="folder for files made on the way")
    parser.add_argument("--tools", default=".bench/llama.cpp", help="folder of llama.cpp's tools")
    parser.add_argument("--output", default=os.path.join(HERE, "quality.md"))
    parser.add_argument("--only", choices=["llama", "uniform"])
    options = parser.parse_args()
    os.makedirs(options.work, exist_ok=True)

    folder = os.path.join(options.work, "smollm2-offgrid")
    offgrid.main(options.smollm2, folder)
    models = []
    for name, title, source, windows in [
            ("smollm2-offgrid", "SmolLM2-135M-Instruct, off-grid", folder, 24),
            ("scripture", "The sample", os.path.join(SAMPLES, "scripture"), 48)]:
        path = os.path.join(options.work, f"{name}-f16.gguf")
        hf_to_gguf.main(source, path)
        models.append(Vise(options, name, title, path, windows))
    text = ["# Quality at equal size", "", "Made by `make bench-quality`; " + " ".join(
        __doc__.split("\n\n")[2].split()), ""]
    text += [f"KLD in nats a token from the F16 original, with its standard error over windows of 512 tokens; "
             f"{options.tokens} tokens of `{os.path.basename(options.calibration)}` to calibrate, "
             f"`{os.path.basename(options.evaluation)}` to measure; MB are 10^6 bytes of tensors.", ""]
    for vise in models:
        text += [f"## {vise.title}", ""]
        vise.calibrate()
        if options.only != "uniform":
            text += against_llama(vise) + [""]
        if options.only != "llama":
            text += against_uniform(vise) + [""]
        with open(options.output, "w") as file:
            file.write("\n".join(text))


if __name__ == "__main__":
    main()
