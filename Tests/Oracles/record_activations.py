"""Records what the layers of a model read, for InferenceTests.

usage: record_activations.py MODEL OUT.json     MODEL: a Hugging Face directory

The model is loaded in single precision on the CPU; forward hooks see what each layer reads in three windows
of 80 tokens of Fixtures/text.txt, each a sequence of its own. Recorded are, in single precision and for the
first and the last block and the head: the means, the second moments, and the second moments of all pairs of
some channels; and the second moments once more of even windows (the first and the third) only. "changed" is
the same for a block in the middle, after the weights of all layers of the blocks before it were rounded to
multiples of 1/32.

Packages: Tests/Oracles/requirements-record.txt.
"""

import base64
import json
import os
import sys

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

WINDOWS = 3
WINDOW = 80
PAIRED_CHANNELS = 12
LAYERS = {
    "attention": "self_attn.q_proj",
    "attentionOutput": "self_attn.o_proj",
    "mlp": "mlp.up_proj",
    "mlpOutput": "mlp.down_proj",
}


def packed(array):
    return base64.b64encode(np.ascontiguousarray(array, dtype="<f4").tobytes()).decode()


@torch.no_grad()
def inputs(model, windows, layers):
    """For each layer, windows x tokens x channels of what it reads, in double precision."""
    seen = {name: [] for name in layers}
    hooks = [
        model.get_submodule(name).register_forward_pre_hook(
            lambda _, args, name=name: seen[name].append(args[0][0].double().numpy()))
        for name in layers
    ]
    for window in windows:
        model(torch.tensor([window]))
    for hook in hooks:
        hook.remove()
    return {name: np.stack(parts) for name, parts in seen.items()}


def statistics(site, block, windows):
    vectors = windows.reshape(-1, windows.shape[-1])
    even = windows[::2].reshape(-1, windows.shape[-1])
    channels = np.linspace(0, vectors.shape[1] - 1, PAIRED_CHANNELS).astype(int)
    pairs = vectors[:, channels].T @ vectors[:, channels] / len(vectors)
    return {
        "site": site,
        "block": block,
        "means": packed(vectors.mean(0)),
        "secondMoments": packed((vectors**2).mean(0)),
        "evenSecondMoments": packed((even**2).mean(0)),
        "channels": channels.tolist(),
        "pairs": packed(pairs),
    }


def record(model, windows, blocks, with_head):
    names = {(site, block): f"model.layers.{block}.{layer}"
             for block in blocks for site, layer in LAYERS.items()}
    if with_head:
        names[("head", None)] = "lm_head"
    seen = inputs(model, windows, names.values())
    return [statistics(site, block, seen[name]) for (site, block), name in names.items()]


def main():
    path, out = sys.argv[1:]
    torch.set_num_threads(1)
    model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(path)
    fixtures = os.path.join(os.path.dirname(__file__), "..", "InferenceTests", "Fixtures")
    with open(os.path.join(fixtures, "text.txt"), encoding="utf-8") as file:
        ids = tokenizer(file.read())["input_ids"][: WINDOWS * WINDOW]
    windows = [ids[start : start + WINDOW] for start in range(0, len(ids), WINDOW)]
    count = model.config.num_hidden_layers
    plain = record(model, windows, [0, count - 1], True)
    middle = count // 2
    with torch.no_grad():
        for block in model.model.layers[:middle]:
            for parameter in block.parameters():
                if parameter.dim() == 2:
                    parameter.copy_(torch.round(parameter * 32) / 32)
    changed = record(model, windows, [middle], False)
    with open(out, "w", encoding="utf-8") as file:
        json.dump({"ids": ids, "window": WINDOW, "plain": plain, "changed": changed}, file)
        file.write("\n")


main()
