"""A model too large for whole texts: the same comparison with llama-quantize on few tokens, and the time it takes.

Every step leaves its file in the work folder, and what it took in `qwen-seconds.json`, so that a run that was ended goes
on where it stopped.
"""
import glob
import json
import os
import re
import resource
import subprocess
import sys

import llama_tools
import offgrid

TITLE = "Qwen2.5-Coder-1.5B-Instruct, off-grid"
TYPES = ["IQ2_M", "IQ3_XXS", "IQ3_M", "IQ4_XS", "Q4_K_M", "Q5_K_M"]
# Rounded to the importance of input channels, as llama-quantize rounds: GPTQ would take the second moments of all pairs
# of 8960 channels in every block.
CANDIDATES = ",".join(f"{kind}/rtn" for kind in ["Q2_K", "Q3_K", "IQ4_NL", "Q4_K", "Q5_K", "Q6_K", "Q8_0"])
WINDOW = 512
# How many windows: both tools calibrate on the same, gradients are of fewer, exports find ranges on fewer.
CALIBRATION, GRADIENTS, RANGES, MEASURED = 8, 4, 2, 4
HEADING = ("| type | MB | llama-quantize + imatrix: KLD | PPL | top-1 % | CPU s | Vise, allocated: MB | KLD | predicted | "
           "PPL | top-1 % | CPU s | KLD lower by |")
INTRODUCTION = (
    "Made by `make bench-quality-large`. One imatrix of llama-imatrix and one `vise sensitivity` ({imatrix:.0f} and "
    "{sensitivity:.0f} s of CPU time) serve all sizes, both on {calibration} tokens; gradients are of {gradients} of "
    "them, and ranges of an export are found on {ranges}. Vise rounds (`/rtn`, not GPTQ) to Q2_K, Q3_K, IQ4_NL, Q4_K, "
    "Q5_K, Q6_K or Q8_0, and writes none of the smaller IQ types. Measured are its GGUF exports, as llama-quantize's "
    "files, by llama-perplexity on {measured} scored tokens{kernels}; errors are over tokens. CPU s is user and system "
    "time for one size: of llama-quantize, and of `vise allocate` and `vise export`.")
ROUNDING = ", whose kernels round what layers read to 8 bits: that is in the figures of both"


class Large:
    """The off-grid model, and what has been made of it."""

    def __init__(self, options):
        self.options = options
        self.model = self.path("f16.gguf")
        self.seconds = {}
        if os.path.exists(self.path("seconds.json")):
            with open(self.path("seconds.json")) as file:
                self.seconds = json.load(file)
        if not os.path.exists(self.model):
            offgrid.main(options.qwen, self.path("partial.gguf"))
            os.rename(self.path("partial.gguf"), self.model)

    def path(self, name):
        return os.path.join(self.options.work, f"qwen-{name}")

    def make(self, step, name, *command):
        """A file, made by the command with its path in place of None unless it is there; notes the CPU time."""
        made, partial = self.path(name), self.path(f"partial-{name}")
        if not os.path.exists(made):
            self.run(step, *(partial if word is None else word for word in command))
            os.rename(partial, made)
        return made

    def run(self, step, *command):
        """What the command printed."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        process = subprocess.run(command, capture_output=True, text=True, errors="replace")
        if process.returncode:
            sys.exit(f"{' '.join(command)}: {process.stderr.strip()[-2000:]}")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.seconds[step] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        with open(self.path("seconds.json"), "w") as file:
            json.dump(self.seconds, file, indent=1)
        print(f"{self.seconds[step]:7.1f} s of CPU  {step}", file=sys.stderr)
        return process.stdout

    def llama(self, name):
        return llama_tools.tool(name, self.options.tools)

    def computes_in_floats(self):
        """Whether BLAS computes batches, rather than llama.cpp's own kernels."""
        return bool(glob.glob(os.path.join(os.path.dirname(self.llama("llama-perplexity")), "libggml-blas*")))

    def imatrix(self):
        return self.make("imatrix", "imatrix.gguf", self.llama("llama-imatrix"), "-m", self.model, "-f",
                         self.options.calibration, "-o", None, "-c", str(WINDOW), "-b", str(WINDOW),
                         "--chunks", str(CALIBRATION))

    def rival(self, kind):
        return self.make(f"llama-quantize {kind}", f"{kind}.gguf", self.llama("llama-quantize"), "--imatrix",
                         self.imatrix(), self.model, None, kind, "2")

    def sensitivity(self):
        return self.make("sensitivity", "sensitivity.json", self.options.binary, "sensitivity", self.model,
                         "--text", self.options.calibration, "--tokens", str(CALIBRATION * WINDOW),
                         "--gradient-tokens", str(GRADIENTS * WINDOW), "--candidates", CANDIDATES, "--output", None)

    def allocated(self, kind, budget):
        """The export of the best plan in the budget, and what is predicted of it."""
        plan = self.path(f"at-{kind}.yaml")
        found = json.loads(self.run(
            f"allocate {kind}", self.options.binary, "allocate", self.model, "--sensitivity", self.sensitivity(),
            "--budget", budget, "--output", plan, "--json"))
        return self.make(f"export {kind}", f"at-{kind}.gguf", self.options.binary, "export", self.model,
                         "--plan", plan, "--format", "gguf", "--target", "llama.cpp", "--output", None,
                         "--calibration", self.options.calibration,
                         "--calibration-tokens", str(RANGES * WINDOW)), found["kld"]["mean"]

    def size(self, path):
        return json.loads(self.run("inspect", self.options.binary, "inspect", path, "--json"))["bytes"]

    def measure(self, path):
        """KLD, PPL and agreement as llama-perplexity says them, measured once."""
        kept = f"{path}.measured"
        if not os.path.exists(kept):
            base = self.make("base", "base.logits", self.llama("llama-perplexity"), "-m", self.model, "-f",
                             self.options.evaluation, "-c", str(WINDOW), "-b", str(WINDOW), "--chunks", str(MEASURED),
                             "--kl-divergence-base", None)
            printed = self.run("measure", self.llama("llama-perplexity"), "-m", path, "-c", str(WINDOW),
                               "-b", str(WINDOW), "--chunks", str(MEASURED), "--kl-divergence-base", base,
                               "--kl-divergence")
            with open(kept, "w") as file:
                file.write(printed)
        with open(kept) as file:
            return parsed(file.read())


def parsed(printed):
    def found(pattern):
        match = re.search(pattern + r"\s*:\s*([\d.]+) ±\s*([\d.]+)", printed)
        if not match:
            sys.exit(f"llama-perplexity prints no {pattern}")
        return float(match[1]), float(match[2])
    kld, error = found(r"Mean\s+KLD")
    return {"kld": kld, "error": error, "ppl": found(r"Mean PPL\(Q\)")[0], "same": found("Same top p")[0]}


def figures(result):
    return f"{result['kld']:.5f} ± {result['error']:.5f}", f"{result['ppl']:.3f}", f"{result['same']:.2f}"


def table(options, megabytes):
    """The lines of a table, one size after the other.

    `megabytes` words a size as a budget.
    """
    large = Large(options)
    large.imatrix(), large.sensitivity()
    yield INTRODUCTION.format(
        **{step: large.seconds[step] for step in ("imatrix", "sensitivity")}, calibration=CALIBRATION * WINDOW,
        gradients=GRADIENTS * WINDOW, ranges=RANGES * WINDOW, measured=MEASURED * WINDOW // 2,
        kernels="" if large.computes_in_floats() else ROUNDING)
    yield ""
    yield HEADING
    yield "|" + "---|" * HEADING.count(" |")
    for kind in options.large_types.split(","):
        rival = large.rival(kind)
        size = large.size(rival)
        ours, predicted = large.allocated(kind, megabytes(size))
        theirs, found = large.measure(rival), large.measure(ours)
        kld, ppl, same = figures(found)
        yield (f"| {kind} | {size / 1e6:.2f} | " + " | ".join(figures(theirs))
               + f" | {large.seconds[f'llama-quantize {kind}']:.0f} | {large.size(ours) / 1e6:.2f} | {kld} | "
               f"{predicted:.4f} | {ppl} | {same} | "
               f"{large.seconds[f'allocate {kind}'] + large.seconds[f'export {kind}']:.0f} | "
               f"{100 * (1 - found['kld'] / theirs['kld']):.0f} % |")
