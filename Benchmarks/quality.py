#!/usr/bin/env python3
"""Quality at equal size: Vise's allocated plans against llama-quantize with an imatrix, and against uniform GPTQ.

    quality.py --binary .build/release/vise --smollm2 .models/smollm2-hf --output Benchmarks/quality.md

For every type, llama-quantize makes a file with an imatrix from the calibration text; Vise gets the bytes of that
file's tensors as its budget, may use the block types that llama.cpp loads, and calibrates on the same text. Both are
measured by Vise in F32 arithmetic on a text that neither has seen, so that no kernel's rounding is in the figures.
Uniform GPTQ plans give the same scheme to every layer; the allocated plan beside each has the same bytes at most
and chooses among the same schemes.
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
# As `--candidates` names them: width, group, and z for zero points; all in GPTQ with ranges by second moments.
UNIFORM = ["3g64z", "3g32", "4g64z", "4g32", "5g64z", "6g64z"]
KINDS = {"gguf": "gguf", "integers": ",".join(["2g64z", *UNIFORM, "8g64z"])}
TOKENS = 16384  # that `vise evaluate` calibrates on


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
                 "--tokens", str(TOKENS), "--imatrix", self.path("imatrix.gguf"))

    def measured_sensitivity(self, kind):
        """What every scheme of a kind costs, measured once."""
        if kind not in self.sensitivity:
            path = self.path(f"{kind}.sensitivity")
            self.run("sensitivity", self.model, "--text", self.options.calibration,
                     "--tokens", str(TOKENS), "--candidates", KINDS[kind], "--output", path)
            self.sensitivity[kind] = path
        return self.sensitivity[kind]

    def allocate(self, kind, budget, name, *options):
        """The plan's file and what is predicted of it."""
        plan = self.path(f"{name}.yaml")
        output = self.run("allocate", self.model, "--sensitivity", self.measured_sensitivity(kind),
                          "--budget", budget, "--output", plan, "--json", *options)
        return plan, json.loads(output)

    def measure(self, *arguments):
        output = self.run("evaluate", *arguments, "--text", self.options.evaluation,
                          "--windows", str(self.windows), "--json")
        return json.loads(output)

    def measure_plan(self, plan):
        return self.measure(self.model, "--plan", plan, "--calibration", self.options.calibration)

    def rival(self, kind):
        """A file of llama-quantize: its tensors' bytes, and what it measures."""
        path = self.path(f"{kind}.gguf")
        subprocess.run([llama_tools.tool("llama-quantize", self.options.tools), "--imatrix",
                        self.path("imatrix.gguf"), self.model, path, kind, "2"],
                       check=True, capture_output=True)
        size = json.loads(self.run("inspect", path, "--json"))["bytes"]
        return size, self.measure(path, "--reference", self.model)


def megabytes(size):
    """A budget; half a byte more than `size`, so that rounding takes none away."""
    return f"{(size + 0.5) / 1e6:.7f}MB"


def figures(result):
    kld = result["kld"]
    return (f"{kld['mean']:.5f} ± {kld['mean_error']:.5f}", f"{result['ppl']:.3f}",
            f"{100 * result['top1_agreement']:.2f}")


def gain(ours, theirs):
    return f"{100 * (1 - ours['kld']['mean'] / theirs['kld']['mean']):.0f} %"


def against_llama(vise):
    lines = ["| type | MB | llama-quantize + imatrix: KLD | PPL | top-1 % | Vise, allocated: MB | KLD | "
             "predicted | PPL | top-1 % | KLD lower by |", "|---|---|---|---|---|---|---|---|---|---|---|"]
    for kind in vise.options.types.split(","):
        size, theirs = vise.rival(kind)
        plan, allocation = vise.allocate("gguf", megabytes(size), f"at-{kind}")
        ours = vise.measure_plan(plan)
        kld, ppl, same = figures(ours)
        lines.append(f"| {kind} | {size / 1e6:.2f} | " + " | ".join(figures(theirs))
                     + f" | {allocation['bytes'] / 1e6:.2f} | {kld} | {allocation['kld']['mean']:.4f} | "
                     f"{ppl} | {same} | {gain(ours, theirs)} |")
    return lines


def against_uniform(vise):
    lines = ["| uniform GPTQ | MB | KLD | PPL | Vise, allocated: MB | KLD | PPL | KLD lower by |",
             "|---|---|---|---|---|---|---|---|"]
    for scheme in UNIFORM:
        # With a single candidate and room for all of it, the allocation is the uniform plan.
        plan, uniform = vise.allocate("integers", "16bpw", f"uniform-{scheme}", "--types", scheme)
        theirs = vise.measure_plan(plan)
        plan, allocation = vise.allocate("integers", megabytes(uniform["bytes"]), f"at-{scheme}")
        ours = vise.measure_plan(plan)
        (kld, ppl, _), (our_kld, our_ppl, _) = figures(theirs), figures(ours)
        lines.append(f"| {scheme} | {uniform['bytes'] / 1e6:.2f} | {kld} | {ppl} | "
                     f"{allocation['bytes'] / 1e6:.2f} | {our_kld} | {our_ppl} | {gain(ours, theirs)} |")
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=".build/release/vise")
    parser.add_argument("--smollm2", default=".models/smollm2-hf")
    parser.add_argument("--calibration", default=os.path.join(SAMPLES, "calibration.txt"))
    parser.add_argument("--evaluation", default=os.path.join(SAMPLES, "evaluation.txt"))
    parser.add_argument("--work", default=".bench", help="folder for files made on the way")
    parser.add_argument("--tools", default=".bench/llama.cpp", help="folder of llama.cpp's tools")
    parser.add_argument("--output", default=os.path.join(HERE, "quality.md"))
    parser.add_argument("--types", default=",".join(TYPES), help="of llama-quantize")
    parser.add_argument("--only", choices=["llama", "uniform"])
    parser.add_argument("--model", choices=["smollm2-offgrid", "scripture"])
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
    text = ["# Quality at equal size", "", "Made by `make bench-quality`. " + " ".join(
        __doc__.split("\n\n")[2].split()), ""]
    text += [f"KLD in nats a token from the F16 original, with its standard error over windows of 512 tokens; "
             f"{TOKENS} tokens of `{os.path.basename(options.calibration)}` to calibrate, "
             f"`{os.path.basename(options.evaluation)}` to measure; MB are 10^6 bytes of "
             "tensors. Uniform schemes: width, g and group, z for zero points.", ""]
    for vise in models:
        if options.model not in (None, vise.name):
            continue
        text += [f"## {vise.title}", ""]
        vise.calibrate()
        for name, table in [("llama", against_llama), ("uniform", against_uniform)]:
            if options.only in (None, name):
                text += table(vise) + [""]
                with open(options.output, "w") as file:
                    file.write("\n".join(text))


if __name__ == "__main__":
    main()
