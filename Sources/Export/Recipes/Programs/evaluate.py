#!/usr/bin/env python3
"""Measures a model that was made beside its original: PPL, KLD and top-1 agreement of what both expect.

usage: evaluate.py ORIGINAL MODEL --windows WINDOWS.json --work DIRECTORY --output RESULT.json

Each window is read afresh, and the tokens of its second half are scored, as Vise and llama.cpp's perplexity tool do. What the
original expects is kept in DIRECTORY window by window, so that one model is in memory at a time, the original is read once
for all models that are measured there, and a run that was interrupted goes on with the next window.
"""

import argparse
import hashlib
import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from windows import read_windows, tell, write_whole


def load(name):
    place = {"device_map": "auto"} if torch.cuda.is_available() else {}
    return AutoModelForCausalLM.from_pretrained(name, dtype="auto", **place).eval()


def scored(length):
    """Positions after which tokens are scored: those of the second half that have a follower."""
    return range(length // 2, length - 1)


def expectations(model, window):
    """Log probabilities after each scored position: positions x vocabulary, F32."""
    device = next(model.parameters()).device
    places = scored(len(window))
    with torch.inference_mode():
        # The last token of a window predicts nothing that is scored.
        logits = model(torch.tensor([window[:-1]], device=device)).logits[0, places.start :]
        return logits.float().log_softmax(-1).cpu()


def name_of(window):
    return hashlib.sha256(json.dumps(window).encode()).hexdigest()[:16]


def scores(reference, found, followers):
    """Sums over a window's scored tokens, and the KLD of each."""
    rows = torch.arange(len(followers))
    expected, got = reference[rows, followers].double(), found[rows, followers].double()
    divergences = (reference.double().exp() * (reference.double() - found.double())).sum(-1)
    return {
        "count": len(followers),
        "reference_loss": float(-expected.sum()),
        "loss": float(-got.sum()),
        "squared_changes": float(((got.exp() - expected.exp()) ** 2).sum()),
        "agreements": int((reference.argmax(-1) == found.argmax(-1)).sum()),
        # Rounding can leave a negative one of 1e-9 where both agree.
        "divergences": [max(float(value), 0.0) for value in divergences],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("original")
    parser.add_argument("model")
    for name in ("--windows", "--work", "--output"):
        parser.add_argument(name, required=True)
    options = parser.parse_args()
    windows = read_windows(options.windows)
    kept = Path(options.work)
    kept.mkdir(parents=True, exist_ok=True)
    places = [kept / f"expected-{name_of(window)}.safetensors" for window in windows]
    model = None
    for number, (window, place) in enumerate(zip(windows, places), 1):
        if not place.exists():
            model = model or load(options.original)
            partial = place.with_suffix(".partial")
            save_file({"expected": expectations(model, window)}, partial)
            partial.replace(place)
        tell("original", number, len(windows), "windows")
    model = None
    partial = Path(f"{options.output}.windows")
    done = [json.loads(line) for line in partial.read_text().splitlines()] if partial.exists() else []
    with partial.open("a", encoding="utf-8") as file:
        for number, (window, place) in enumerate(zip(windows, places), 1):
            if number > len(done):
                model = model or load(options.model)
                followers = torch.tensor([window[place + 1] for place in scored(len(window))])
                done.append(scores(load_file(place)["expected"], expectations(model, window), followers))
                file.write(json.dumps(done[-1]) + "\n")
                file.flush()
            tell("evaluate", number, len(windows), "windows")
    packed = json.loads(Path(options.windows).read_text(encoding="utf-8"))
    result = {"format": "vise-evaluation", "version": 1, "text": packed.get("text", ""), "windows": done}
    write_whole(options.output, json.dumps(result) + "\n")
    partial.unlink()


if __name__ == "__main__":
    main()
