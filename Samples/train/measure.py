#!/usr/bin/env python3
"""Measures a checkpoint and its round-to-nearest versions, and prints the model card's tables.

    measure.py MODEL TEXT

Perplexity: the text is tokenized without special tokens and cut into windows of 512 tokens that do
not overlap; the first half of each window is context, and so is the second half's first token, what
follows it is scored (as `vise evaluate` and llama.cpp's perplexity tool do). The weights are the
checkpoint's, the arithmetic is F32. RTN rounds every linear layer and the (tied) embedding in
groups of 64 consecutive weights of a row, scales rounded to BF16: asymmetric codes span the group's
minimum and maximum (and zero), symmetric ones the largest absolute value on either side of zero.
Then it prints what each version says to two prompts.
"""

import math
import sys
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer

CONTEXT = 512
SCORED = CONTEXT // 2 - 1  # tokens at a window's end
GROUP = 64
WIDTHS = (8, 4, 3, 2)
Rounding = Callable[[Tensor, int], Tensor]
PROMPTS = (
    "And it came to pass in those days, that the king",
    '"My dear Emma," said Mr. Knightley,',
)


def main() -> None:
    folder, text = sys.argv[1:]
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ids = tokenizer(open(text, encoding="utf-8").read(), add_special_tokens=False).input_ids
    windows = torch.tensor(ids[: len(ids) // CONTEXT * CONTEXT]).view(-1, CONTEXT)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    weights = {name: p.detach().clone() for name, p in model.named_parameters() if p.ndim == 2}

    scored = len(windows) * SCORED
    print(f"{len(windows)} windows of {CONTEXT} tokens, {scored} tokens scored\n")
    print("| weights | PPL, asymmetric | PPL, symmetric |\n|---|---|---|")
    print(f"| BF16 | {perplexity(model, windows):.2f} | |", flush=True)
    answers = [("BF16", greedy(model, tokenizer))]
    for bits in WIDTHS:
        row = f"| RTN, {bits} bits |"
        for rounding in (asymmetric, symmetric):
            apply(model, weights, bits, rounding)
            row += f" {perplexity(model, windows):.2f} |"
        print(row, flush=True)
        answers.append((f"{bits} bits, symmetric", greedy(model, tokenizer)))
    for width, texts in answers:
        print(f"\n{width}:")
        for text in texts:
            print(f"> {text}")


@torch.no_grad()
def perplexity(model: AutoModelForCausalLM, windows: Tensor) -> float:
    total = 0.0
    for window in windows:
        logits = model(window[None, :-1]).logits[0, -SCORED:]
        total += F.cross_entropy(logits, window[-SCORED:], reduction="sum").item()
    return math.exp(total / (len(windows) * SCORED))


@torch.no_grad()
def apply(
    model: AutoModelForCausalLM, weights: dict[str, Tensor], bits: int, rounding: Rounding
) -> None:
    """Puts the rounded weights in the originals' place."""
    parameters = dict(model.named_parameters())
    for name, weight in weights.items():
        parameters[name].copy_(rounding(weight.view(-1, GROUP), bits).view_as(weight))


def asymmetric(groups: Tensor, bits: int) -> Tensor:
    low = groups.amin(dim=1, keepdim=True).clamp(max=0)
    high = groups.amax(dim=1, keepdim=True).clamp(min=0)
    top = 2**bits - 1
    scale = stored((high - low) / top)
    zero = (-low / scale).round().clamp(0, top)
    codes = (groups / scale + zero).round().clamp(0, top)
    return (codes - zero) * scale


def symmetric(groups: Tensor, bits: int) -> Tensor:
    half = 2 ** (bits - 1)
    scale = stored(groups.abs().amax(dim=1, keepdim=True) / (half - 0.5))
    return (groups / scale).round().clamp(-half, half - 1) * scale


def stored(scale: Tensor) -> Tensor:
    """As BF16 holds it; never zero, so that a group of zeros stays one."""
    return scale.bfloat16().float().clamp(min=1e-30)


@torch.no_grad()
def greedy(model: AutoModelForCausalLM, tokenizer: AutoTokenizer) -> list[str]:
    texts = []
    for prompt in PROMPTS:
        ids = tokenizer(prompt, return_tensors="pt").input_ids
        mask = torch.ones_like(ids)
        out = model.generate(ids, attention_mask=mask, max_new_tokens=48, do_sample=False)
        texts.append(tokenizer.decode(out[0]).replace("\n", " "))
    return texts


if __name__ == "__main__":
    main()
