"""Records what an evaluation of a model should find, for InferenceTests.

usage: record_evaluation.py MODEL OUT.json     MODEL: a Hugging Face directory

The model is loaded in single precision on the CPU; the compressed one has all block weights rounded to multiples
of 1/32. Both read five windows of 96 tokens of Fixtures/text.txt, of which the second half is scored. The figures
are those of llama.cpp's llama-perplexity --kl-divergence, in double precision from the logits; standard errors are
those of the mean of one value a window, with the delta method for PPL and RMS, Woodruff's for quantiles, and the
jackknife for the maximum.

Packages: Tests/Oracles/requirements-record.txt.
"""

import json
import math
import os
import sys

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

WINDOWS = 5
WINDOW = 96


@torch.no_grad()
def log_probabilities(model, windows):
    """Windows x scored positions x vocabulary."""
    logits = torch.stack([model(torch.tensor([window])).logits[0] for window in windows])
    scored = logits[:, WINDOW // 2 : WINDOW - 1].double()
    return torch.log_softmax(scored, -1).numpy()


def mean(values):
    """The mean of windows x tokens, and its standard error over windows."""
    windows = values.mean(1)
    return windows.mean(), windows.std(ddof=1) / math.sqrt(len(windows))


def perplexity(losses):
    value, error = mean(losses)
    return math.exp(value), math.exp(value) * error


def quantile(values, share):
    value = np.quantile(values, share)
    error = mean(values <= value)[1]
    low, high = np.quantile(values, [max(share - error, 0), min(share + error, 1)])
    return value, (high - low) / 2


def maximum(values):
    peaks = values.max(1)
    without = np.array([np.delete(peaks, window).max() for window in range(len(peaks))])
    count = len(peaks)
    return peaks.max(), math.sqrt((count - 1) / count * ((without - without.mean()) ** 2).sum())


def rms(changes):
    value, error = mean(changes**2)
    return math.sqrt(value), error / (2 * math.sqrt(value))


def main():
    path, out = sys.argv[1:]
    torch.set_num_threads(1)
    model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(path)
    fixtures = os.path.join(os.path.dirname(__file__), "..", "InferenceTests", "Fixtures")
    with open(os.path.join(fixtures, "text.txt"), encoding="utf-8") as file:
        ids = tokenizer(file.read())["input_ids"][: WINDOWS * WINDOW]
    windows = np.array(ids).reshape(WINDOWS, WINDOW).tolist()
    reference = log_probabilities(model, windows)
    with torch.no_grad():
        for parameter in model.model.layers.parameters():
            if parameter.dim() == 2:
                parameter.copy_(torch.round(parameter * 32) / 32)
    compressed = log_probabilities(model, windows)

    followers = np.array(windows)[:, WINDOW // 2 + 1 :, None]
    before = np.take_along_axis(reference, followers, -1)[..., 0]
    after = np.take_along_axis(compressed, followers, -1)[..., 0]
    divergences = (np.exp(reference) * (reference - compressed)).sum(-1)
    same = reference.argmax(-1) == compressed.argmax(-1)
    figures = {
        "referencePPL": perplexity(-before),
        "compressedPPL": perplexity(-after),
        "mean": mean(divergences),
        "median": quantile(divergences, 0.5),
        "p99": quantile(divergences, 0.99),
        "max": maximum(divergences),
        "rmsProbabilityChange": rms(np.exp(after) - np.exp(before)),
        "top1Agreement": mean(same.astype(float)),
    }
    record = {
        "ids": ids,
        "window": WINDOW,
        "figures": {name: [float(part) for part in pair] for name, pair in figures.items()},
        "windowDivergences": divergences.mean(1).tolist(),
        "windowLosses": (-after).mean(1).tolist(),
    }
    with open(out, "w", encoding="utf-8") as file:
        json.dump(record, file, indent=1)
        file.write("\n")


main()
