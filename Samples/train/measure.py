#!/usr/bin/env python3
"""Measures a checkpoint and its round-to-nearest versions, and prints the model card's tables.

    measure.py MODEL TEXT

Perplexity: the text is tokenized without special tokens and cut into windows of 512 tokens that do
not overlap; the first half of each window is context, the second half is scored. The weights are
the checkpoint's, the arithmetic is F32. "RTN" rounds every linear layer and the (tied) embedding to
asymmetric codes, groups of 64 consecutive weights of a row, ranges from minimum to maximum and zero
always inside them, scales rounded to BF16. Then it prints what each version says to two prompts.
"""

import math
import sys

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer

CONTEXT = 512
GROUP = 64
WIDTHS = (8, 4, 3, 2)
PROMPTS = ("And it came to pass in those days, that the king", "Elizabeth was surprised to find")


def main() -> None:
    folder, text = sys.argv[1:]
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ids = tokenizer(open(text, encoding="utf-8").read(), add_special_tokens=False).input_ids
    windows = torch.tensor(ids[: len(ids) // CONTEXT * CONTEXT]).view(-1, CONTEXT)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    weights = {name: p.detach().clone() for name, p in model.named_parameters() if p.ndim == 2}

    scored = windows.numel() // 2
    print(f"{len(windows)} windows of {CONTEXT} tokens, {scored} tokens scored\n")
    print("| weights | PPL | SQNR, dB |\n|---|---|---|")
    print(f"| BF16 | {perplexity(model, windows):.2f} | |", flush=True)
    answers = [("BF16", greedy(model, tokenizer))]
    for bits in WIDTHS:
        ratio = apply(model, weights, bits)
        print(f"| RTN {bits} bits | {perplexity(model, windows):.2f} | {ratio:.1f} |", flush=True)
        answers.append((f"{bits} bits", greedy(model, tokenizer)))
    for width, texts in answers:
        print(f"\n{width}:")
        for text in texts:
            print(f"> {text}")


@torch.no_grad()
def perplexity(model: AutoModelForCausalLM, windows: Tensor) -> float:
    total, half = 0.0, CONTEXT // 2
    for window in windows:
        logits = model(window[None, :-1]).logits[0, half - 1 :]
        total += F.cross_entropy(logits, window[half:], reduction="sum").item()
    return math.exp(total / (len(windows) * half))


@torch.no_grad()
def apply(model: AutoModelForCausalLM, weights: dict[str, Tensor], bits: int) -> float:
    """Puts the rounded weights in place; returns signal to noise over all of them, in dB."""
    signal = noise = 0.0
    parameters = dict(model.named_parameters())
    for name, weight in weights.items():
        rounded = round_to_nearest(weight, bits)
        signal += weight.square().sum().item()
        noise += (weight - rounded).square().sum().item()
        parameters[name].copy_(rounded)
    return 10 * math.log10(signal / noise)


def round_to_nearest(weight: Tensor, bits: int) -> Tensor:
    groups = weight.view(-1, GROUP)
    low = groups.amin(dim=1, keepdim=True).clamp(max=0)
    high = groups.amax(dim=1, keepdim=True).clamp(min=0)
    top = 2**bits - 1
    scale = ((high - low) / top).bfloat16().float().clamp(min=1e-30)
    zero = (-low / scale).round().clamp(0, top)
    codes = (groups / scale + zero).round().clamp(0, top)
    return ((codes - zero) * scale).view_as(weight)


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
