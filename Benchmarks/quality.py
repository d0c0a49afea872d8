#!/usr/bin/env python3
"""Quality at equal size: Vise's allocated plans against llama-quantize with an imatrix, and against uniform GPTQ.

    quality.py --binary .build/release/vise --smollm2 .models/smollm2-hf --output Benchmarks/quality.md

For every type, llama-quantize makes a file with an imatrix from the calibration text; Vise gets the bytes of that
file's tensors as its budget, may use the block types that llama.cpp loads, and calibrates on the same text. Both are
measured by Vise in F32 arithmetic on a text that neither has seen, so that no kernel's rounding is in the figures.
Uniform GPTQ plans give the same scheme to every layer; the allocated plan beside each has the same bytes at most
and chooses among the same schemes. llm-compressor gets a uniform GPTQ plan as a recipe that Vise exports for it, and the same
calibration windows; its checkpoint and Vise's export of the plan are measured in the same way.

Each table is a section of the output, and replaces only that; --model and --only choose which are made. With --qwen
only the one of that model is.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import time

import hf_to_gguf
import llama_tools
import offgrid
import quality_large
import sections
import vise_runs

HERE = os.path.dirname(os.path.abspath(__file__))
SAMPLES = os.path.join(HERE, "..", "Samples")
TYPES = ["Q2_K", "Q3_K_M", "Q4_0", "Q4_K_M", "Q5_K_M", "Q6_K"]
# As `--candidates` names them: width, group, and z for zero points; all in GPTQ with ranges by second moments.
UNIFORM = ["3g64z", "3g32", "4g64z", "4g32", "5g64z", "6g64z"]
# GPTQ's width, how ranges are found, and by whom; only Vise weighs them by what layers read, which is its default.
RIVALS = [(bits, search, maker) for bits in (4, 3) for search, maker in [
    ("minmax", "llm-compressor"), ("minmax", "Vise"), ("weighted", "Vise")]]
GROUP = 64
KINDS = {"gguf": "gguf", "integers": ",".join(["2g64z", *UNIFORM, "8g64z"])}
TOKENS = 16384  # that `vise evaluate` calibrates on


class Vise(vise_runs.ViseRuns):
    """The binary, one model, and what has been measured of it."""

    def __init__(self, options, name, title, source, windows):
        super().__init__(options, name, title, source)
        self.windows = windows
        self.model = self.path("f16.gguf")
        hf_to_gguf.main(source, self.model)
        self.sensitivity = {}

    def imatrix(self):
        """What llama-quantize gets, made once."""
        path = self.path("imatrix.gguf")
        if not os.path.exists(path):
            self.run("calibrate", self.model, "--text", self.options.calibration,
                     "--tokens", str(TOKENS), "--imatrix", path)
        return path

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
                        self.imatrix(), self.model, path, kind, "2"],
                       check=True, capture_output=True)
        size = json.loads(self.run("inspect", path, "--json"))["bytes"]
        return size, self.measure(path, "--reference", self.model)

    def fresh(self, name):
        """The path of a folder that is not there."""
        path = self.path(name)
        shutil.rmtree(path, ignore_errors=True)
        return path

    def gptq(self, bits, search):
        """A uniform GPTQ plan of the layers in blocks, ranges found by `search`."""
        plan = self.path("gptq.yaml")
        with open(plan, "w") as file:
            file.write("vise: 1\nrules:\n  - { layers: \"re:.*_proj\", bits: %d, group: %d, method: gptq, range: %s }\n"
                       % (bits, GROUP, search))
        return plan

    def compressor(self, bits, search):
        """A checkpoint that llm-compressor makes, once, of a recipe that Vise exports."""
        finished = self.path(f"compressor-{bits}-{search}")
        if os.path.exists(finished):
            return finished
        recipe, made = self.fresh("recipe"), self.fresh("compressor")
        self.run("export", self.source, "--plan", self.gptq(bits, search), "--format", "recipe",
                 "--target", "transformers", "--output", recipe)
        start = time.monotonic()
        subprocess.run([self.options.compressor, os.path.join(recipe, "run.py"), self.source, made,
                        "--text", self.options.calibration, "--windows", str(TOKENS // 512), "--window", "512"],
                       check=True, capture_output=True)
        print(f"{time.monotonic() - start:7.1f} s  llm-compressor, {bits} bit {search}", file=sys.stderr)
        os.rename(made, finished)
        return finished

    def checkpoint(self, bits, search):
        """The same plan's export."""
        made = self.fresh(f"gptq-{bits}-{search}")
        self.run("export", self.source, "--plan", self.gptq(bits, search), "--target", "transformers",
                 "--output", made, "--calibration", self.options.calibration)
        return made


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
    yield ("| type | MB | llama-quantize + imatrix: KLD | PPL | top-1 % | Vise, allocated: MB | KLD | "
           "predicted | PPL | top-1 % | KLD lower by |")
    yield "|---|---|---|---|---|---|---|---|---|---|---|"
    for kind in vise.options.types.split(","):
        size, theirs = vise.rival(kind)
        plan, allocation = vise.allocate("gguf", megabytes(size), f"at-{kind}")
        ours = vise.measure_plan(plan)
        kld, ppl, same = figures(ours)
        yield (f"| {kind} | {size / 1e6:.2f} | " + " | ".join(figures(theirs))
               + f" | {allocation['bytes'] / 1e6:.2f} | {kld} | {allocation['kld']['mean']:.4f} | "
               f"{ppl} | {same} | {gain(ours, theirs)} |")


def against_uniform(vise):
    yield "| uniform GPTQ | MB | KLD | PPL | Vise, allocated: MB | KLD | PPL | KLD lower by |"
    yield "|---|---|---|---|---|---|---|---|"
    for scheme in UNIFORM:
        # With a single candidate and room for all of it, the allocation is the uniform plan.
        plan, uniform = vise.allocate("integers", "16bpw", f"uniform-{scheme}", "--types", scheme)
        theirs = vise.measure_plan(plan)
        plan, allocation = vise.allocate("integers", megabytes(uniform["bytes"]), f"at-{scheme}")
        ours = vise.measure_plan(plan)
        (kld, ppl, _), (our_kld, our_ppl, _) = figures(theirs), figures(ours)
        yield (f"| {scheme} | {uniform['bytes'] / 1e6:.2f} | {kld} | {ppl} | "
               f"{allocation['bytes'] / 1e6:.2f} | {our_kld} | {our_ppl} | {gain(ours, theirs)} |")


def against_compressor(vise):
    yield "| GPTQ, groups of 64, symmetric | by | MB | KLD | PPL | top-1 % |"
    yield "|---|---|---|---|---|---|"
    for bits, search, maker in RIVALS:
        folder = vise.compressor(bits, search) if maker == "llm-compressor" else vise.checkpoint(bits, search)
        size = json.loads(vise.run("inspect", folder, "--json"))["bytes"]
        found = figures(vise.measure(folder, "--reference", vise.source))
        yield f"| {bits} bit, {search} | {maker} | {size / 1e6:.2f} | " + " | ".join(found) + " |"


SECTIONS = {
    "llama": ("against llama-quantize", against_llama),
    "uniform": ("against uniform GPTQ", against_uniform),
    "compressor": ("against llm-compressor", against_compressor),
}


def write_introduction(options):
    """Begins the output anew where there is none, or replaces what stands before its first section."""
    text = ["# Quality at equal size", "", "Made by `make bench-quality`. " + " ".join(
        __doc__.split("\n\n")[2].split()), "",
        f"KLD in nats a token from the original in 16 bits, with its standard error over windows of 512 tokens; "
        f"{TOKENS} tokens of `{os.path.basename(options.calibration)}` to calibrate, "
        f"`{os.path.basename(options.evaluation)}` to measure; MB are 10^6 bytes of "
        "tensors. Uniform schemes: width, g and group, z for zero points.", ""]
    sections.rewrite(options.output, lambda found: {**found, "": text})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=".build/release/vise")
    parser.add_argument("--smollm2", default=".models/smollm2-hf")
    parser.add_argument("--calibration", default=os.path.join(SAMPLES, "calibration.txt"))
    parser.add_argument("--evaluation", default=os.path.join(SAMPLES, "evaluation.txt"))
    parser.add_argument("--work", default=".bench", help="folder for files made on the way; rivals' stay for the next run")
    parser.add_argument("--tools", default=".bench/llama.cpp", help="folder of llama.cpp's tools")
    parser.add_argument("--compressor", default=".venv-interop/bin/python", help="a Python with llm-compressor")
    parser.add_argument("--output", default=os.path.join(HERE, "quality.md"))
    parser.add_argument("--types", default=",".join(TYPES), help="of llama-quantize")
    parser.add_argument("--only", choices=list(SECTIONS))
    parser.add_argument("--model", choices=["smollm2-offgrid", "scripture"])
    parser.add_argument("--qwen", help="Qwen2.5-Coder 1.5B in GGUF: only the table of it, which takes an hour or more")
    parser.add_argument("--large-types", default=",".join(quality_large.TYPES), help="of llama-quantize, with --qwen")
    options = parser.parse_args()
    os.makedirs(options.work, exist_ok=True)
    write_introduction(options)
    if options.qwen:
        title = f"{quality_large.TITLE}: against llama-quantize"
        sections.write(options.output, title, quality_large.table(options, megabytes))
        return
    offgrid_folder = os.path.join(options.work, "smollm2-offgrid")
    for name, title, source, windows in [
            ("scripture", "The sample", os.path.join(SAMPLES, "scripture"), 48),
            ("smollm2-offgrid", "SmolLM2-135M-Instruct, off-grid", offgrid_folder, 24)]:
        if options.model not in (None, name):
            continue
        if source == offgrid_folder:
            offgrid.main(options.smollm2, offgrid_folder)
        vise = Vise(options, name, title, source, windows)
        for section, (heading, table) in SECTIONS.items():
            if options.only in (None, section):
                sections.write(options.output, f"{title}: {heading}", table(vise))


if __name__ == "__main__":
    main()
