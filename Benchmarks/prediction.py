#!/usr/bin/env python3
"""Predictions that nobody has corrected yet, beside what is measured.

    prediction.py --binary .build/release/vise --models .models --output Benchmarks/prediction.md

For every model, one `vise sensitivity` on calibration text, and one `vise allocate` for every size: what it predicts, and
the band that 19 of 20 measured values should lie in. Then `vise refine --layers 0` measures the plans on two texts that
calibration never saw: predictions that learn from it are not looked at.

Every step leaves its file in the work folder, so that a run that was ended goes on where it stopped; --record keeps what
the tests compare predictions with.
"""
import argparse
import glob
import json
import math
import os
import shutil
import statistics

import offgrid
import vise_runs

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..")
SAMPLES = os.path.join(ROOT, "Samples")
SIZES = ["2.5", "3", "3.5", "4", "4.5", "5", "5.5", "6", "7", "8"]  # bits a weight
WIDTHS = ["2g64z", "3g64z", "4g64z", "5g64z", "6g64z", "8g64z"]
TOKENS = 4096  # that larger models are calibrated on
# Of 512 tokens, that each plan is measured on: the first of a text that everybody knows are not like the rest of it.
WINDOWS = 24
# The evaluation text begins with Acts and ends with a novel, which this begins.
NOVEL = "No one who had ever seen Catherine Morland"
# Enough text for any model's TOKENS: only what is calibrated on is cut, and not by much.
CALIBRATION = 19000


class Model(vise_runs.ViseRuns):
    """What is predicted and measured of one model."""

    def __init__(self, options, name, title, source, method, other):
        super().__init__(options, name, title, source)
        self.method = method
        self.texts = {"evaluation": options.evaluation, other: text(options, other)}

    def made(self, name, make):
        """A file's path; `make` writes it, or returns what to write, unless it is there."""
        path, partial = self.path(name), self.path(f"partial-{name}")
        if not os.path.exists(path):
            written = make(partial)
            if written is not None:
                with open(partial, "w") as file:
                    file.write(written)
            os.rename(partial, path)
        return path

    def calibration(self):
        """GPTQ on the small sample reads what it likes; others read a part of the text."""
        return self.options.calibration if self.method == "gptq" else text(self.options, "calibration")

    def sensitivity(self):
        def make(path):
            tokens = [] if self.method == "gptq" else ["--tokens", str(TOKENS)]
            self.run("sensitivity", self.source, "--text", self.calibration(), *tokens, "--candidates",
                     ",".join(f"{width}/{self.method}" for width in WIDTHS), "--output", path)
        return self.made("sensitivity", make)

    def plans(self):
        """For every size its plan's file, and what was predicted of it before anything was measured."""
        for size in SIZES:
            plan = self.path(f"{size}.yaml")
            predicted = self.made(f"{size}.json", lambda _: self.run(
                "allocate", self.source, "--sensitivity", self.sensitivity(), "--budget", f"{size}bpw",
                "--output", plan, "--json"))
            with open(predicted) as file:
                yield size, plan, json.load(file)

    def measured(self, name):
        """The KLD of every plan on a text, by its file."""
        def make(path):
            scratch = path + ".sensitivity"
            shutil.copyfile(self.sensitivity(), scratch)
            plans = [word for _, plan, _ in self.plans() for word in ("--plan", plan)]
            found = self.run("refine", self.source, "--sensitivity", scratch, "--calibration", self.calibration(),
                             "--text", self.texts[name], "--layers", "0", "--windows", str(WINDOWS), "--json",
                             *plans)
            os.remove(scratch)
            return found
        with open(self.made(f"measured-{name}.json", make)) as file:
            return {os.path.basename(plan["plan"]): plan for plan in json.load(file)["measured"]}

    def rows(self):
        for name in self.texts:
            found = self.measured(name)
            for size, plan, predicted in self.plans():
                yield Row(self, name, size, predicted["kld"], found[os.path.basename(plan)])


class Row:
    """One plan on one text."""

    def __init__(self, model, text, size, predicted, measured):
        self.model, self.text, self.size = model, text, size
        self.predicted, self.low, self.high = (predicted[key] for key in ("mean", "low", "high"))
        self.measured, self.error = measured["kld"], measured["kld_error"]

    @property
    def is_inside(self):
        return self.low <= self.measured <= self.high

    @property
    def ratio(self):
        return self.predicted / self.measured

    @property
    def line(self):
        return (f"| {self.text} | {self.size} | {self.predicted:.3g} | {self.low:.3g} to {self.high:.3g} | "
                f"{self.measured:.3g} ± {self.error:.1g} | {self.ratio:.2f} | {'yes' if self.is_inside else 'no'} |")


def text(options, name):
    """A text that is cut out of another one, or the README with the pages that it leads to."""
    path = os.path.join(options.work, f"{name}.txt")
    if name == "README":
        pages = [os.path.join(ROOT, "README.md")] + sorted(glob.glob(os.path.join(ROOT, "docs", "*.md")))
        with open(path, "w") as file:
            file.writelines(open(page).read() for page in pages)
        return path
    source = options.calibration if name == "calibration" else options.evaluation
    with open(source) as file:
        whole = file.read()
    with open(path, "w") as file:
        file.write(whole[:CALIBRATION] if name == "calibration" else whole[whole.index(NOVEL):])
    return path


def summary(rows):
    inside = sum(row.is_inside for row in rows)
    spread = statistics.stdev(math.log(row.ratio) for row in rows)
    return (f"{inside} of {len(rows)} measured values lie in the band; the median of predicted over measured is "
            f"{statistics.median(row.ratio for row in rows):.2f}, the standard deviation of its logarithm {spread:.2f}.")


def recorded(model):
    """What the tests predict from: for every plan the sums that its layers' trials make, and what was measured."""
    trials = raw_trials(model.sensitivity())
    for name in model.texts:
        found = model.measured(name)
        for size, plan, predicted in model.plans():
            layers = [trials[layer["name"]][int(layer["scheme"].split()[0])] for layer in predicted["layers"]]
            divergence = sum(layer["divergence"] for layer in layers)
            yield {"model": model.name, "text": name, "bitsPerWeight": float(size), "method": model.method,
                   "divergence": divergence,
                   "relativeError": sum(layer["divergence"] * min(layer["error"], 1) for layer in layers) / divergence,
                   "standardError": math.sqrt(sum(layer["standardError"] ** 2 for layer in layers)),
                   "measured": found[os.path.basename(plan)]["kld"]}


def raw_trials(path):
    """A sensitivity file's trials as they were tried, by layer and width, with the relative error of each."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    contents = json.loads(header["__metadata__"]["contents"])
    trials = {}
    for layer in contents["layers"]:
        counts = [header[f"{layer['name']}.{side}"]["shape"][0] for side in ("inputs", "outputs")]
        whole = layer["trace"] * layer["energy"] / (2 * math.prod(counts))
        trials[layer["name"]] = {
            contents["schemes"][trial["scheme"]]["quantization"]["bits"]: {
                "divergence": trial["divergence"], "standardError": trial["standardError"],
                "error": trial["divergence"] / whole if whole else 0}
            for trial in layer["trials"]}
    return trials


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=".build/release/vise")
    parser.add_argument("--models", default=".models", help="folder of smollm2-hf and gemma3.gguf; absent ones are left out")
    parser.add_argument("--calibration", default=os.path.join(SAMPLES, "calibration.txt"))
    parser.add_argument("--evaluation", default=os.path.join(SAMPLES, "evaluation.txt"))
    parser.add_argument("--work", default=".bench/prediction", help="folder for files made on the way")
    parser.add_argument("--output", default=os.path.join(HERE, "prediction.md"))
    parser.add_argument("--record", help="a file for the tests' recorded figures")
    options = parser.parse_args()
    os.makedirs(options.work, exist_ok=True)
    models = [Model(options, "scripture", "The sample, GPTQ", os.path.join(SAMPLES, "scripture"), "gptq", "novel")]
    smollm2, gemma = (os.path.join(options.models, name) for name in ("smollm2-hf", "gemma3.gguf"))
    if os.path.exists(smollm2):
        folder = os.path.join(options.work, "smollm2-offgrid")
        if not os.path.exists(folder):
            offgrid.main(smollm2, folder)
        models.append(Model(options, "smollm2", "SmolLM2-135M-Instruct, off-grid, rounded", folder, "rtn", "README"))
    if os.path.exists(gemma):
        models.append(Model(options, "gemma3", "Gemma 3 270M, rounded", gemma, "rtn", "README"))
    sections, everything = [], []
    for model in models:
        rows = list(model.rows())
        everything += rows
        sections += ["", f"## {model.title}", "", summary(rows), "",
                     "| text | bits a weight | predicted | band | measured | predicted / measured | inside |",
                     "|---|---|---|---|---|---|---|", *(row.line for row in rows)]
    text_of = " ".join(__doc__.split("\n\n")[2].split())
    introduction = [
        "# Predictions beside measurements", "", f"Made by `make bench-prediction`. {text_of}", "",
        f"KLD in nats a token, with the standard error over {WINDOWS} windows of 512 tokens at most; integers of 2 to 8 bits in "
        f"groups of 64. Calibrated on `{os.path.basename(options.calibration)}`, "
        "which begins with 1 Samuel; `evaluation` begins with Acts, `novel` is its end, Northanger Abbey, and `README` this "
        "project's README.md.", "", f"**All: {summary(everything)}**"]
    with open(options.output, "w") as file:
        file.write("\n".join(introduction + sections) + "\n")
    if options.record:
        with open(options.record, "w") as file:
            rows = [json.dumps(row) for model in models for row in recorded(model)]
            file.write("[\n" + ",\n".join(rows) + "\n]\n")
    print(summary(everything))


if __name__ == "__main__":
    main()
