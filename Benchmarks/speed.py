#!/usr/bin/env python3
"""Speed beside llama.cpp's, as ratios of runs that took turns within the same minutes.

    speed.py --binary .build/release/vise --model .models/smollm2.gguf [--large QWEN.gguf] [--only decode] [--rounds 5] [--ik PATH]

The rival is llama.cpp as its PyPI source builds it for this processor, with repacked weights and without BLAS, on as many
threads as Vise: one for each processor. Each figure is the median of rounds, with the least and the greatest beside it; each
ratio is of two runs of one round. Vise quantizes in memory, by plans of one scheme for all layers; `fast` and `exact` are its
arithmetics. The share of the limit is what a decoder reads a second, its weights once for every token, of what all threads
together read of memory at most. Where it is given, llama-bench of ik_llama.cpp runs as a second rival, with weights repacked
as well.

A run that is interrupted goes on where it was: rows that were measured of the same binary are not measured again.

Each table is a section of the output and replaces only that.
"""
import argparse
import hashlib
import itertools
import json
import os
import platform
import statistics
import subprocess
import sys

import calibrating
import llama_tools
import sections
from timing import ran, spread

HERE = os.path.dirname(os.path.abspath(__file__))
PROMPT = "The sea is a vast body of water that"
THREADS = len(os.sched_getaffinity(0))
# What is decoded: a plan, or the file as it is; an arithmetic; and the rival's type.
DECODERS = [(None, "exact", "F16"), ("uniform-8", "exact", "Q8_0"), ("uniform-4", "exact", "Q4_0"), ("uniform-8", "fast", "Q8_0"),
            ("uniform-4", "fast", "Q4_0"), ("uniform-2", "fast", "Q4_0")]
# Files that both decode as they are; of those, what needs rows of 256.
FILES, WIDE_FILES = ["Q8_0", "Q4_0", "IQ4_NL"], ["Q4_K_M", "Q6_K"]
# Plans that set half of all weights to zero, an arithmetic, and the plan of the same width that does not.
MASKED = [("half-8", "exact", "uniform-8"), ("half-8", "fast", "uniform-8"), ("half-4", "fast", "uniform-4")]
MASKED_TITLES = {"half-8": "50 % masked 8 bit", "half-4": "50 % masked 4 bit"}
PROMPTS = [(None, "exact", "F16"), ("uniform-8", "fast", "Q8_0"), ("uniform-4", "fast", "Q4_0")]
# What both write; llama-quantize takes other types for rows that K types do not fit, and Vise follows its file.
EXPORTS = ["Q8_0", "Q4_0", "Q4_K_M"]
# A file, an arithmetic, and the share of inputs of o_proj and down_proj that is left out.
SPARSE = [("Q8_0", "exact", 0.5), ("Q8_0", "exact", 0.7), ("Q8_0", "fast", 0.7), ("Q4_0", "fast", 0.5), ("Q4_0", "fast", 0.7)]


class Model:
    """A model in F16 and what llama-quantize makes of it, each made once."""

    def __init__(self, options, name, source, files):
        self.options, self.name, self.files = options, name, files
        self.f16 = os.path.join(options.work, f"{name}-speed-f16.gguf")
        self.made(self.f16, source, "F16", "--allow-requantize")

    def made(self, path, source, kind, *flags):
        if not os.path.exists(path):
            quantize = [self.options.tool("llama-quantize"), *flags, source, path + ".new", kind, str(THREADS)]
            subprocess.run(quantize, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            os.rename(path + ".new", path)
        return path

    def file(self, kind):
        if kind == "F16":
            return self.f16
        return self.made(self.f16.replace("f16", kind), self.f16, kind, "--pure" if kind != "Q4_K_M" else "--leave-output-tensor")

    def rival(self, kind, *work):
        """Tokens a second of llama-bench."""
        return self.benched(self.options.tool("llama-bench"), kind, *work)

    def second_rival(self, kind, *work):
        """The same of ik_llama.cpp's; None unless it is there."""
        return self.benched(self.options.ik, kind, "-rtr", "1", *work) if self.options.ik else None

    def benched(self, program, kind, *work):
        output = subprocess.run([program, "-m", self.file(kind), "-t", str(THREADS), "-r", "1", "-o", "json", *work], check=True,
                                capture_output=True, text=True).stdout
        return json.loads(output[output.index("["):output.rindex("]") + 1])[0]["avg_ts"]

    def answer(self, path, plan, arithmetic, prompt, tokens, sparsity=None):
        """One side of what the binary says of an answer."""
        command = [self.options.binary, "generate", path, "--raw", "--prompt", prompt, "--tokens", str(tokens), "--json",
                   "--arithmetic", arithmetic]
        if plan:
            command += ["--plan", os.path.join(HERE, f"{plan}.yaml")]
        if sparsity:
            command += ["--input-sparsity", str(sparsity)]
        result = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        return result.get("compressed") or result["reference"]

    def bytes(self, plan):
        """Bytes of the weights under a plan."""
        if not plan:
            return os.path.getsize(self.f16)
        output = subprocess.run([self.options.binary, "export", self.f16, "--plan", os.path.join(HERE, f"{plan}.yaml"), "--format",
                                 "compressed-tensors", "--output", os.path.join(self.options.work, "none"), "--dry-run", "--json"],
                                capture_output=True, text=True, check=True).stdout
        return json.loads(output)["bytes"]


def rounds(options, ours, *theirs):
    """Figures of all, who take turns: ours, and of each of the others theirs and the ratios."""
    found = [(ours(), *(other() for other in theirs)) for _ in range(options.rounds)]
    columns = list(zip(*found))
    others = [other for column in columns[1:] for other in (column, [a / b if b else None for a, b in zip(columns[0], column)])]
    return columns[0], *others


class Kept:
    """Rows of tables as they were measured of one binary."""

    def __init__(self, options):
        self.path = os.path.join(options.work, "speed-rows.json")
        with open(options.binary, "rb") as file:
            binary = hashlib.sha256(file.read()).hexdigest()
        # What else a figure hangs on.
        self.version = f"{binary} {options.rounds} {options.tokens} {options.files} {options.ik}"
        self.rows = {}
        if os.path.exists(self.path):
            with open(self.path, encoding="utf-8") as file:
                known = json.load(file)
            self.rows = known["rows"] if known["version"] == self.version else {}

    def row(self, name, measure):
        """The row of that name; measures it unless it is known."""
        if name not in self.rows:
            self.rows[name] = measure()
            with open(self.path + ".new", "w", encoding="utf-8") as file:
                json.dump({"version": self.version, "rows": self.rows}, file)
            os.rename(self.path + ".new", self.path)
        return self.rows[name]


def beside(options, rival, ratios):
    """The columns of the second rival, if there is one."""
    return f" {spread(rival)} | **{spread(ratios, 2)}** |" if options.ik else ""


def heading(options, *columns):
    columns = list(columns) + (["ik_llama.cpp", "Vise / ik_llama.cpp"] if options.ik else [])
    yield "| " + " | ".join(columns) + " |"
    yield "|" + "---|" * len(columns)


def title_of(plan, arithmetic):
    return f"{plan.replace('uniform-', '') + ' bit, groups of 64' if plan else 'F16'}, {arithmetic}"


def decoding(model, options):
    yield from heading(options, "Vise", "llama.cpp", "Vise, tokens a second", "of the limit", "llama.cpp", "of the limit", "Vise / llama.cpp")

    def row(path, plan, arithmetic, kind, title, size):
        work = "-p", "0", "-n", str(options.tokens)
        ours, theirs, ratios, second, second_ratios = rounds(
            options, lambda: model.answer(path, plan, arithmetic, PROMPT, options.tokens)["tokens_per_second"],
            lambda: model.rival(kind, *work), lambda: model.second_rival(kind, *work))
        shares = [100 * statistics.median(speeds) * size / 1e9 / options.limit
                  for speeds, size in [(ours, size), (theirs, os.path.getsize(model.file(kind)))]]
        return (f"| {title} | {kind} | {spread(ours)} | {shares[0]:.0f} % | {spread(theirs)} | {shares[1]:.0f} % | "
                f"**{spread(ratios, 2)}** |" + beside(options, second, second_ratios))

    for plan, arithmetic, kind in DECODERS:
        title = title_of(plan, arithmetic)
        yield options.kept.row(f"{model.name} decode {title}",
                               lambda: row(model.f16, plan, arithmetic, kind, title, model.bytes(plan)))
    for kind in model.files:
        path = model.file(kind)
        yield options.kept.row(f"{model.name} decode {kind}", lambda: row(
            path, None, options.files, kind, f"the file as it is, {options.files}", os.path.getsize(path)))


def masked(model, options):
    yield "| half zero | of the same width | masked, tokens a second | dense | masked / dense |"
    yield "|---|---|---|---|---|"

    def row(plan, arithmetic, dense):
        ours, others, ratios = rounds(
            options, lambda: model.answer(model.f16, plan, arithmetic, PROMPT, options.tokens)["tokens_per_second"],
            lambda: model.answer(model.f16, dense, arithmetic, PROMPT, options.tokens)["tokens_per_second"])
        return (f"| {MASKED_TITLES[plan]}, {arithmetic} | {title_of(dense, arithmetic)} | {spread(ours)} | {spread(others)} | "
                f"**{spread(ratios, 2)}** |")

    for plan, arithmetic, dense in MASKED:
        yield options.kept.row(f"{model.name} masked {plan} {arithmetic}", lambda: row(plan, arithmetic, dense))


def sparse(model, options):
    yield "| smallest inputs of o_proj and down_proj left out | reached | KLD from all inputs | tokens a second | with all | sparse / all |"
    yield "|---|---|---|---|---|---|"
    text = os.path.join(HERE, "..", "Samples", "evaluation.txt")

    def row(kind, arithmetic, share):
        path = model.file(kind)
        found = json.loads(subprocess.run(
            [options.binary, "evaluate", path, "--text", text, "--windows", "2", "--input-sparsity", str(share), "--json"],
            capture_output=True, text=True, check=True).stdout)
        ours, others, ratios = rounds(
            options, lambda: model.answer(path, None, arithmetic, PROMPT, options.tokens, share)["tokens_per_second"],
            lambda: model.answer(path, None, arithmetic, PROMPT, options.tokens)["tokens_per_second"])
        return (f"| {kind}, {arithmetic}: {100 * share:.0f} % | {100 * found['input_sparsity']:.0f} % | {found['kld']['mean']:.4f} | "
                f"{spread(ours)} | {spread(others)} | **{spread(ratios, 2)}** |")

    for kind, arithmetic, share in SPARSE:
        yield options.kept.row(f"{model.name} sparse {kind} {arithmetic} {share}", lambda: row(kind, arithmetic, share))


def prompts(model, options):
    yield from heading(options, "Vise", "llama.cpp", "Vise, tokens a second", "llama.cpp", "Vise / llama.cpp")
    with open(os.path.join(HERE, "..", "Samples", "evaluation.txt"), encoding="utf-8") as file:
        prompt = file.read()[:2000]

    def row(plan, arithmetic, kind):
        def ours_of():
            answer = model.answer(model.f16, plan, arithmetic, prompt, 1)
            return answer["prompt_tokens"] / answer["prompt_seconds"]

        length = model.answer(model.f16, None, "exact", prompt, 1)["prompt_tokens"]
        work = "-p", str(length), "-n", "0"
        ours, theirs, ratios, second, second_ratios = rounds(
            options, ours_of, lambda: model.rival(kind, *work), lambda: model.second_rival(kind, *work))
        return (f"| {title_of(plan, arithmetic)}, {length} tokens | {kind} | {spread(ours)} | {spread(theirs)} | "
                f"**{spread(ratios, 2)}** |" + beside(options, second, second_ratios))

    for plan, arithmetic, kind in PROMPTS:
        yield options.kept.row(f"{model.name} prompt {title_of(plan, arithmetic)}", lambda: row(plan, arithmetic, kind))


def evaluating(model, options):
    yield "| | Vise, tokens a second | llama-perplexity | Vise / llama.cpp |"
    yield "|---|---|---|---|"
    text, windows = os.path.join(HERE, "..", "Samples", "evaluation.txt"), 6 if model.name == "smollm2" else 2

    def seconds(*command):
        return ran(*command)[0]

    def row():
        ours, theirs, ratios = rounds(
            options, lambda: 512 * windows / seconds(options.binary, "evaluate", model.f16, "--text", text, "--windows", str(windows)),
            lambda: 512 * windows / seconds(options.tool("llama-perplexity"), "-m", model.f16, "-f", text, "-c", "512", "--chunks",
                                            str(windows), "-t", str(THREADS)))
        return (f"| F16, {windows} windows of 512, start of the program included | {spread(ours)} | {spread(theirs)} | "
                f"**{spread(ratios, 2)}** |")

    yield options.kept.row(f"{model.name} evaluate", row)


def exporting(model, options):
    yield "| from F16, without calibration | Vise, seconds | llama-quantize | llama-quantize / Vise | CPU s: Vise | llama-quantize |"
    yield "|---|---|---|---|---|---|"
    output = os.path.join(options.work, "export-speed.gguf")

    def run(*command):
        """Seconds by the clock and of the processors."""
        if os.path.exists(output):
            os.remove(output)
        os.sync()
        return ran(*command)[:2]

    def plan(kind):
        """Gives every layer the type that it has in the rival's file, with ranges found as quickly."""
        layers = json.loads(subprocess.run([options.binary, "inspect", model.file(kind), "--json"], capture_output=True, text=True,
                                           check=True).stdout)["layers"]
        path = os.path.join(options.work, f"export-{kind}.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write("vise: 1\nrules:\n")
            for layer in layers:
                if layer["dtype"] not in ("F16", "F32"):
                    file.write(f"  - {{ layers: \"{layer['name']}\", type: {layer['dtype']}, range: minmax }}\n")
        return path

    def row(kind):
        flags = ["--leave-output-tensor"] if kind == "Q4_K_M" else ["--pure"]
        ours, theirs = zip(*[
            (run(options.binary, "export", model.f16, "--plan", plan(kind), "--format", "gguf", "--output", output),
             run(options.tool("llama-quantize"), *flags, model.f16, output, kind, str(THREADS)))
            for _ in range(options.rounds)])
        ratios = [b[0] / a[0] for a, b in zip(ours, theirs)]
        return (f"| {kind} | {spread([a[0] for a in ours], 2)} | {spread([b[0] for b in theirs], 2)} | **{spread(ratios, 2)}** | "
                f"{statistics.median(a[1] for a in ours):.2f} | {statistics.median(b[1] for b in theirs):.2f} |")

    for kind in EXPORTS:
        yield options.kept.row(f"{model.name} export {kind}", lambda: row(kind))
    if os.path.exists(output):
        os.remove(output)


SECTIONS = {"decode": ("decoding", decoding), "masked": ("decoding with half of all weights zero", masked),
            "sparse": ("decoding with small inputs left out", sparse), "prompt": ("prompts", prompts),
            "evaluate": ("evaluating", evaluating), "export": ("exporting", exporting),
            "gptq": ("GPTQ, 4 bits in groups of 64, 32 windows of 512 tokens", calibrating.gptq),
            "sensitivity": ("sensitivity", calibrating.sensitivity)}


def limit(options):
    """GB/s that all threads together read."""
    program = os.path.join(options.work, "limits")
    subprocess.run(["cc", "-O3", "-march=native", "-pthread", "-o", program, os.path.join(HERE, "limits.c")], check=True)
    output = subprocess.run([program, str(THREADS)], check=True, capture_output=True, text=True).stdout
    return float(output)


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        return next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), platform.machine())


def introduction():
    return ["# Speed", "", "Made by `make bench`. " + " ".join(__doc__.split("\n\n")[2].split()), ""]


def circumstances(options):
    """What a table's figures were measured on."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    yield (f"{processor()}, {THREADS} threads, {options.limit:.0f} GB/s read at most; commit {commit}; medians of "
           f"{options.rounds} rounds.")
    yield ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=".build/release/vise")
    parser.add_argument("--model", default=".models/smollm2.gguf", help="SmolLM2-135M in GGUF, of any type")
    parser.add_argument("--large", help="Qwen2.5-Coder 1.5B in GGUF; tables of it, too")
    parser.add_argument("--work", default=".bench", help="folder for files made on the way; models stay for the next run")
    parser.add_argument("--tools", default=".bench/llama.cpp", help="folder that llama.cpp's tools are built in")
    parser.add_argument("--llama", help="folder of tools that are built already")
    parser.add_argument("--smollm2", default=".models/smollm2-hf", help="SmolLM2-135M as a folder, for GPTQ")
    parser.add_argument("--compressor", default=".venv-interop/bin/python", help="a Python with llm-compressor")
    parser.add_argument("--ik", default="", help="llama-bench of ik_llama.cpp, a second rival")
    parser.add_argument("--output", default=os.path.join(HERE, "results.md"))
    parser.add_argument("--only", choices=list(SECTIONS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=64, help="that are decoded")
    parser.add_argument("--files", default="exact", choices=["exact", "fast"], help="arithmetic for files as they are")
    options = parser.parse_args()
    os.makedirs(options.work, exist_ok=True)
    options.tool = (lambda name: os.path.join(options.llama, name)) if options.llama else (
        lambda name: llama_tools.tool(name, options.tools, llama_tools.FAST))
    options.limit, options.kept = limit(options), Kept(options)
    sections.rewrite(options.output, lambda found: {**found, "": introduction()})
    models = [("smollm2", "SmolLM2-135M", options.model, FILES)]
    if options.large:
        models.append(("qwen", "Qwen2.5-Coder 1.5B", options.large, FILES + WIDE_FILES))
    for name, title, source, files in models:
        model = Model(options, name, source, files)
        for key, (heading, table) in SECTIONS.items():
            if options.only in (None, key) and not (key == "gptq" and name != "smollm2"):
                print(f"{title}: {heading}", file=sys.stderr)
                lines = itertools.chain(circumstances(options), table(model, options))
                sections.write(options.output, f"{title}: {heading}", lines)


if __name__ == "__main__":
    main()
