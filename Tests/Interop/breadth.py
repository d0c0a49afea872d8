#!/usr/bin/env python3
"""Tries Vise on many checkpoints, and writes what came of it into a table.

usage: breadth.py --binary VISE --output FILE FOLDER|MODEL...

A FOLDER of models stands for all in it: directories with safetensors, and GGUF files but for the later parts of split ones. Every
model is inspected, previewed under 4 bits, and exported without writing, to its own format and to the other one; one that runs
answers a prompt. A row is as it should be where each of these either works or is refused in one sentence; which of them have to
work is decided by the abilities that `vise inspect` names: its own format always, an answer where the model runs. Ends with
status 1 if a row is not. Needs nothing but Python.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

HEAD = """# Models

What Vise opens of many architectures, as `make breadth` found it: tiny checkpoints of random weights, as transformers saves
them and as llama.cpp's converter makes GGUF of them, and checkpoints that other programs quantized.

Every checkpoint can be inspected, planned, compressed by what needs no calibration, and exported to its own format
(*weights*). One that *runs* also answers, is evaluated and calibrated; one that *differentiates* has gradients for
sensitivity and structured pruning. *Layers* counts a block's experts as one. *Own format* is an export of quantized layers, as
far as the target has a form for them. *Other format* is compressed-tensors for GGUF, and GGUF for all others, with all layers
kept: it needs an architecture that runs, since its settings are told in other words there.

| checkpoint | architecture | layers | abilities | inspect | preview | own format | other format | answer |
|---|---|--:|---|---|---|---|---|---|
"""
TAIL = """
## Whom a GGUF follows

A GGUF file is read as llama.cpp reads it, since that is what it is made for; a Hugging Face directory as transformers does.
Where the two compute otherwise, an export to GGUF says so. They part in these families:

- `gpt_oss`: llama.cpp begins and ends YaRN's ramp at whole pairs, at 32 turns and 1, whatever `truncate`, `beta_fast` and
  `beta_slow` say; and it has alpha 1.702 and the limit 7 of the gates in its code, as Vise has. Its files hold gates and ups
  apart, and MXFP4 in blocks of its own with the same codes and scales: a kept layer is the same in both. compressed-tensors has
  no form for experts that are one tensor, so that an export to a directory keeps them, and MXFP4 with all else.
- `deepseek_v2`: llama.cpp compares groups of experts by their two best ones, transformers by the best.
- `deepseek_v3`: llama.cpp's converter writes that experts are weighed by sigmoids only where config.json says so
  (`scoring_func`), which published models do and those that transformers saves do not: it then weighs by softmax.
- `lfm2_moe`: llama.cpp divides the weights of the chosen experts by their sum in any case, and multiplies them by nothing; Vise
  runs no model whose config.json wants another factor.
- `granitemoehybrid`: llama.cpp's converter lets positions turn nothing in any model that has a Mamba-2, which is true of the
  published ones; Vise writes what config.json says (`position_embedding_type`), which llama.cpp honours. Gate and up of the shared
  expert are one matrix in a directory and two in GGUF.
  The converter looks for blocks with attention under the word `attention` only, so that what it makes of directories in which
  transformers 5 wrote `full_attention` does not load: Vise's files do.
- Latent attention: llama.cpp holds keys and values of latent rows as two tensors, that of keys by head and turned round. Such
  a layer is kept in 16 or 32 bits where a directory becomes GGUF. Vise keeps keys and values of all heads in its cache;
  servers keep the latent row, and are reckoned with that.
"""
PROMPT = "In the beginning"
# What llama.cpp's converter writes without what its reader asks for: neither merges nor scores of tokens.
UNREADABLE = {"llama-unigram.gguf"}
SECONDS = 900


def is_model(path):
    if path.is_dir():
        return any(path.glob("*.safetensors"))
    later = "-of-" in path.name and "-00001-of-" not in path.name
    return path.suffix == ".gguf" and not later and "imatrix" not in path.name and not path.name.startswith("mmproj")


def models(paths):
    """The models that the paths name or hold, each once, in the order of their names."""
    found = {}
    for path in map(Path, paths):
        if not path.exists():
            sys.exit(f"{path} is not there")
        inner = [path] if is_model(path) else sorted(filter(is_model, path.iterdir()))
        if not inner:
            sys.exit(f"{path} holds no model")
        for model in inner:
            found.setdefault(model.resolve(), model)
    return list(found.values())


class Row:
    """What came of one model."""

    def __init__(self, binary, model, folder):
        self.binary, self.model, self.folder = binary, model, folder
        self.failures, self.notes = [], {}
        self.facts = self.json("inspect") or {}
        self.runs = "runs" in self.facts.get("abilities", [])
        is_gguf = self.facts.get("format") == "gguf"
        own, other = ("gguf", "compressed-tensors") if is_gguf else ("compressed-tensors", "gguf")
        quantized = "type: Q8_0" if is_gguf else "bits: 4, group: 32"
        if self.facts:
            self.json("preview", "--bits", "4", "--group", "channel")
            self.export("own", own, self.plan(quantized))
            self.export("other", other, None)
            self.answer()

    def run(self, command, *options):
        """Output and the sentence of a failure; a crash or several sentences are a failure of the row."""
        arguments = [self.binary, command, self.model, *options]
        try:
            run = subprocess.run(arguments, capture_output=True, text=True, errors="replace", timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired:
            self.failures.append(f"{command} took longer than {SECONDS} s")
            return None, "took too long"
        if run.returncode == 0:
            return run.stdout, None
        lines = run.stderr.strip().splitlines()
        if run.returncode < 0 or len(lines) != 1 or not lines[0].startswith("vise: error: "):
            self.failures.append(f"{command} {' '.join(map(str, options))}: {(lines or ['no word'])[0]}")
            return None, "crashed"
        sentence = lines[0].removeprefix("vise: error: ")
        for known in (f"{self.model}/", f"{self.model}: ", f"{self.model} "):
            sentence = sentence.replace(known, "")
        return None, sentence

    def json(self, command, *options):
        output, refusal = self.run(command, *options, "--json")
        self.notes[command] = refusal
        if refusal:
            self.failures.append(f"{command}: {refusal}")
            return None
        return json.loads(output)

    def plan(self, rule):
        """A plan for the layers that its own format can hold under the rule, as a dry run says."""
        path = self.folder / "plan.yaml"
        fields = {layer["name"]: rule for layer in self.facts["layers"] if layer["shape"][1] % 32 == 0}

        def write():
            rules = [f'  - {{ layers: "{name}", {rule} }}' for name, rule in fields.items()]
            path.write_text("vise: 1\nrules:" + ("\n" + "\n".join(rules) if rules else " []") + "\n", encoding="utf-8")

        write()
        form = "gguf" if "type" in rule else "compressed-tensors"
        run = subprocess.run(self.dry_run(form, path), capture_output=True, text=True, check=False, timeout=SECONDS)
        if run.returncode == 65 and run.stdout:
            for refusal in json.loads(run.stdout)["refusals"]:
                fields.pop(refusal["layer"], None)
            write()
        return path

    def dry_run(self, form, plan):
        target = "llama.cpp" if form == "gguf" else "transformers"
        options = ["--plan", plan] if plan else []
        return [self.binary, "export", self.model, "--format", form, "--target", target, "--dry-run", "--json",
                "--output", self.folder / "export", *options]

    def export(self, name, form, plan):
        _, refusal = self.run("export", *self.dry_run(form, plan)[3:])
        self.notes[name] = refusal
        if refusal and name == "own":
            self.failures.append(f"export to {form}: {refusal}")

    def answer(self):
        output, refusal = self.run("generate", "--prompt", PROMPT, "--tokens", "4", "--json")
        self.notes["answer"] = refusal
        has_tokenizer = not self.model.is_dir() or (self.model / "tokenizer.json").exists()
        if refusal and self.runs and has_tokenizer and self.model.name not in UNREADABLE:
            self.failures.append(f"generate: {refusal}")
        if output is not None and not self.runs:
            self.failures.append("generate answered with a model that does not run")
        if output is not None and not json.loads(output)["reference"]["token_ids"]:
            self.failures.append("generate gave no token")

    @property
    def abilities(self):
        names = ", ".join(self.facts.get("abilities", ["none"]))
        obstacles = self.facts.get("obstacles", {})
        reason = obstacles.get("runs") or obstacles.get("differentiates")
        return f"{names}: {reason.split('; ')[0]}" if reason else names

    def cell(self, name):
        refusal = self.notes.get(name, "not tried")
        if name == "answer" and not self.runs and refusal:
            return "–"
        if name == "other" and not self.runs and refusal:
            return "no: needs the architecture"
        return "yes" if refusal is None else f"no: {refusal.split('; ')[0]}"

    @property
    def text(self):
        cells = [self.model.name, self.facts.get("architecture", ""), str(len(self.facts.get("layers", []))), self.abilities]
        cells += [self.cell(name) for name in ("inspect", "preview", "own", "other", "answer")]
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", required=True)
    parser.add_argument("--output", required=True)
    parser.add_argument("models", nargs="+")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for model in models(options.models):
            row = Row(options.binary, model, Path(folder))
            rows.append(row)
            print(f"{'FAIL' if row.failures else 'ok  '} {model.name}", *row.failures, sep="\n     " if row.failures else " ", flush=True)
    output = Path(options.output)
    output.parent.mkdir(parents=True, exist_ok=True)
    running = sum(row.runs for row in rows)
    count = f"\n{len(rows)} checkpoints; {running} run, the others have the ability weights.\n"
    output.write_text(HEAD + "".join(row.text for row in rows) + count + TAIL, encoding="utf-8")
    failed = sum(bool(row.failures) for row in rows)
    print(f"{len(rows) - failed} passed, {failed} failed; {output} says what came of each", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
