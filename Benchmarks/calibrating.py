"""Tables of what is calibrated: GPTQ beside llm-compressor's, and sensitivity, with its first answer."""
import json
import os
import shutil
import subprocess

import offgrid
from timing import ran, spread

SAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Samples")
CALIBRATION, EVALUATION = (os.path.join(SAMPLES, name) for name in ("calibration.txt", "evaluation.txt"))
WINDOW, WINDOWS = 512, 32
# What `vise sensitivity` is run with, by model.
TOKENS = {"smollm2": 16384, "qwen": 4096}
GPTQ = "vise: 1\nrules:\n  - { layers: \"re:.*_proj\", bits: 4, group: 64, method: gptq, range: %s }\n"


def folder(options, name):
    """The path of a folder that is not there."""
    path = os.path.join(options.work, name)
    shutil.rmtree(path, ignore_errors=True)
    return path


def divergence(options, checkpoint, reference):
    """KLD of a checkpoint on text that calibration never saw."""
    output = subprocess.run([options.binary, "evaluate", checkpoint, "--reference", reference, "--text", EVALUATION, "--windows",
                             "24", "--json"], capture_output=True, text=True, check=True).stdout
    kld = json.loads(output)["kld"]
    return f"{kld['mean']:.5f} ± {kld['mean_error']:.5f}"


def gptq(model, options):
    """Both begin with a checkpoint and end with one; starting Python and reading the text are part of it."""
    yield "| by | ranges | CPU s | llm-compressor / Vise | seconds | KLD |"
    yield "|---|---|---|---|---|---|"
    source = os.path.join(options.work, "smollm2-offgrid")
    offgrid.main(options.smollm2, source)
    plans = {}
    for search in ("minmax", "weighted"):
        plans[search] = os.path.join(options.work, f"gptq-{search}.yaml")
        with open(plans[search], "w", encoding="utf-8") as file:
            file.write(GPTQ % search)

    def vise(search):
        made = folder(options, f"speed-gptq-{search}")
        return ran(options.binary, "export", source, "--plan", plans[search], "--target", "transformers", "--output", made,
                   "--calibration", CALIBRATION, "--calibration-tokens", str(WINDOW * WINDOWS))[:2], made

    def compressor():
        recipe, made = folder(options, "speed-recipe"), folder(options, "speed-compressor")
        subprocess.run([options.binary, "export", source, "--plan", plans["minmax"], "--format", "recipe", "--target",
                        "transformers", "--output", recipe], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return ran(options.compressor, os.path.join(recipe, "run.py"), source, made, "--text", CALIBRATION, "--windows",
                   str(WINDOWS), "--window", str(WINDOW))[:2], made

    def rows():
        found = [(compressor(), vise("minmax"), vise("weighted")) for _ in range(options.rounds)]
        lines = []
        for maker, search, column in [("llm-compressor", "minmax", 0), ("Vise", "minmax", 1), ("Vise", "weighted", 2)]:
            clock, used = zip(*(round[column][0] for round in found))
            ratios = [round[0][0][1] / round[column][0][1] for round in found]
            lines.append(f"| {maker} | {search} | {spread(used)} | **{spread(ratios, 2)}** | {spread(clock)} | "
                         f"{divergence(options, found[-1][column][1], source)} |")
        return "\n".join(lines)

    yield options.kept.row(f"{model.name} GPTQ", rows)


def sensitivity(model, options):
    """The first answer is on disk, and in the workbench, while the whole goes on."""
    yield "| tokens | first answer, seconds | all, seconds | CPU s |"
    yield "|---|---|---|---|"
    tokens = TOKENS[model.name]

    def row():
        clock, used, first = ran(options.binary, "sensitivity", model.f16, "--text", CALIBRATION, "--tokens", str(tokens),
                                 "--output", os.path.join(options.work, "speed.sensitivity"), seen="a first answer")
        return f"| {tokens} | {f'{first:.0f}' if first else 'needs none'} | {clock:.0f} | {used:.0f} |"

    yield options.kept.row(f"{model.name} sensitivity", row)
