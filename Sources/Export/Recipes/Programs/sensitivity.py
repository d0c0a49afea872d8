#!/usr/bin/env python3
"""Measures how much each layer matters and what schemes of it cost, into the file that Vise opens.

usage: sensitivity.py MODEL --windows WINDOWS.json --layers LAYERS.json --work DIRECTORY --output FILE [--workers 2] [--gpus 0]

With x a layer's input and g the gradient of -log p(label) at its output, labels sampled from what the model expects, the sums
over tokens of |g|^2 x_j^2, |x|^2 g_i^2 and |x|^2 |g|^2 say what an error D of the weights costs:
KLD = sum_ij outputs_i inputs_j D_ij^2 / (2 trace). Each group of windows is one task of Ray, whose sums stay in DIRECTORY; then
each group of layers is one, in which schemes are tried on sampled rows.
"""

import argparse
import json
import os
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from windows import read_windows, tell

SEED = 1
# Draws of rows that estimate what a scheme costs to within some 5 to 10 %.
DRAWS = 48
# The search for a range tries these hundredths of it, from the widest on, until so many in a row were no better: as Vise does.
WIDEST, NARROWEST, PATIENCE = 105, 20, 12
GROUP_OF_WINDOWS = 2
GROUP_OF_LAYERS = 32


# --- Labels, the same as Vise samples for a seed and a position


def mix(value):
    """The finaliser of SplitMix64 (Steele, Lea and Flood, 2014), after its increment."""
    z = value + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def gumbel(position, vocabulary):
    key = mix(mix(np.array([SEED], np.uint64)) ^ np.uint64(position))
    bits = mix(key ^ np.arange(vocabulary, dtype=np.uint64))
    return -np.log(-np.log(((bits >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53))


def sampled_labels(logits, start):
    """The token after each position, by the largest logit plus Gumbel noise."""
    chosen = [
        int(np.argmax(row.astype(np.float64) + gumbel(start + place, len(row))))
        for place, row in enumerate(logits.detach().float().cpu().numpy())
    ]
    return torch.tensor(chosen, device=logits.device)


# --- Sums of a group of windows


class Sums:
    """The sums of each layer, by its name; each is a few vectors, F64."""

    def __init__(self):
        self.parts = {}

    def _add(self, name, **parts):
        held = self.parts.setdefault(name, {})
        for part, value in parts.items():
            value = torch.as_tensor(value, dtype=torch.float64).reshape(-1).cpu()
            held[part] = held[part] + value if part in held else value

    def add(self, name, x, g):
        """Tokens that a layer multiplied: its inputs and the gradients at its outputs, a token a row."""
        x2, g2 = x.reshape(-1, x.shape[-1]).double() ** 2, g.reshape(-1, g.shape[-1]).double() ** 2
        xs, gs = x2.sum(1), g2.sum(1)
        self._add(name, inputs=gs @ x2, outputs=xs @ g2, trace=(xs * gs).sum(), moments=x2.sum(0))

    def add_lookups(self, name, tokens, g, rows):
        """Tokens whose rows were looked up: the input of each is a one at its row."""
        g2 = g.reshape(-1, g.shape[-1]).double() ** 2
        energies = g2.sum(1)
        outputs = torch.zeros(rows, dtype=torch.float64, device=g.device).index_add_(0, tokens, energies)
        self._add(name, inputs=g2.sum(0), outputs=outputs, trace=energies.sum(), lookups=energies.sum())


def weight_names(model):
    """The name that a layer's weights have in the checkpoint, by its module: tied ones share the embedding's."""
    embedding = model.get_input_embeddings()
    head = model.get_output_embeddings()
    tied = head is not None and head.weight is embedding.weight
    names = {}
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear):
            names[module] = next(n for n, m in model.named_modules() if m is embedding) if tied and module is head else name
        elif module is embedding:
            names[module] = name
    return names


def load(name, gpus):
    place = {"device_map": "auto"} if gpus else {}
    kind = "auto" if gpus else torch.float32
    model = AutoModelForCausalLM.from_pretrained(name, dtype=kind, **place).eval()
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    return model


def watch(model, sums, lookups):
    """Hooks that add what each layer reads and the gradients at what it makes; their handles."""
    names, embedding = weight_names(model), model.get_input_embeddings()

    def linear(module, inputs, output):
        if output.requires_grad:
            x = inputs[0].detach()
            output.register_hook(lambda g: sums.add(names[module], x, g))

    def lookup(module, inputs, output):
        output = output.detach().requires_grad_(True)
        scale = float(getattr(module, "embed_scale", 1.0))
        tokens = inputs[0].reshape(-1)
        output.register_hook(lambda g: lookups(names[module], tokens, g * scale, module.num_embeddings))
        return output

    return [module.register_forward_hook(lookup if module is embedding else linear) for module in names]


def windows_sums(name, windows, first_position, gpus):
    """The sums over some windows, as tensors of a file."""
    model, sums = load(name, gpus), Sums()
    watch(model, sums, sums.add_lookups)
    device = model.get_input_embeddings().weight.device
    start = first_position
    for window in windows:
        logits = model(torch.tensor([window], device=device), use_cache=False).logits[0]
        labels = sampled_labels(logits, start)
        loss = -logits.float().log_softmax(-1)[torch.arange(len(labels), device=logits.device), labels].sum()
        loss.backward()
        start += len(window)
    return {f"{layer}.{part}": value for layer, parts in sums.parts.items() for part, value in parts.items()}


# --- Trials of schemes on sampled rows


def stored_scale(scale, kind):
    """A scale as it is stored; one that rounds to nothing becomes the type's epsilon."""
    rounded = scale.to(kind)
    rounded = torch.where(rounded == 0, torch.tensor(torch.finfo(kind).eps, dtype=kind), rounded)
    return rounded.clamp(max=torch.finfo(kind).max).float()


def rounded_groups(groups, low, high, scheme, kind):
    """Groups of weights, rounded to integers whose codes span [low, high]."""
    steps, bottom = 2.0 ** scheme["bits"] - 1, -(2.0 ** (scheme["bits"] - 1))
    if scheme["symmetric"]:
        scale, zero = stored_scale(torch.maximum(high, -low) / (0.5 * steps), kind), torch.zeros_like(low)
    else:
        scale = stored_scale((0.5 * high - 0.5 * low) / (0.5 * steps), kind)
        zero = (bottom - low / scale).clamp(bottom, bottom + steps).round()
    codes = (groups / scale[..., None] + zero[..., None]).clamp(bottom, bottom + steps).round()
    return (codes - zero[..., None]) * scale[..., None]


def rounded_rows(rows, scheme, moments, kind):
    """Rows as a scheme stores them: integers in groups, each rounded to nearest."""
    width = scheme["group"] or rows.shape[1]
    groups = rows.reshape(rows.shape[0], -1, width)
    low, high = groups.amin(-1).clamp(max=0), groups.amax(-1).clamp(min=0)
    if scheme["range"] == "minmax":
        return rounded_groups(groups, low, high, scheme, kind).reshape(rows.shape)
    weights = moments.float().reshape(-1, width) if scheme["range"] == "weighted" and moments is not None else 1.0
    best, least = groups, torch.full_like(low, torch.inf)
    waited = torch.zeros_like(low)
    for percent in range(WIDEST, NARROWEST - 1, -1):
        found = rounded_groups(groups, low * (percent / 100), high * (percent / 100), scheme, kind)
        error = (weights * (found - groups) ** 2).sum(-1)
        better = (error < least) & (waited < PATIENCE)
        best, least = torch.where(better[..., None], found, best), torch.where(better, error, least)
        waited = torch.where(better, 0, waited + 1)
        if bool((waited >= PATIENCE).all()):
            break
    return best.reshape(rows.shape)


def trials(weight, fisher, layer, schemes):
    """What each scheme costs a layer, estimated from rows drawn by what losing them would cost (Hansen and Hurwitz 1943)."""
    inputs, outputs, trace = fisher["inputs"], fisher["outputs"], float(fisher["trace"])
    kind = weight.dtype if weight.dtype in (torch.float16, torch.bfloat16) else torch.bfloat16
    costs, energy = [], 0.0
    for part in weight.split(1024):
        squares = part.double() ** 2
        costs.append(squares @ inputs)
        energy += float(squares.sum())
    costs = torch.cat(costs) * outputs
    found = []
    share = costs / costs.sum() if costs.sum() > 0 else torch.full_like(costs, 1 / len(costs))
    draws = np.random.default_rng(SEED).choice(len(share), DRAWS, p=(share / share.sum()).numpy())
    rows, counts = np.unique(draws, return_counts=True)
    sampled, counts = weight[torch.from_numpy(rows)].float(), torch.from_numpy(counts).double()
    for number, bytes_ in enumerate(layer["bytes"]):
        if bytes_ is None:
            continue
        after = rounded_rows(sampled, schemes[number], fisher.get("moments"), kind)
        parts = outputs[rows] * ((after - sampled).double() ** 2 @ inputs) / (2 * trace) if trace > 0 else torch.zeros(len(rows))
        estimates = parts / share[rows]
        mean = float((counts * estimates).sum() / DRAWS)
        spread = float((counts * (estimates - mean) ** 2).sum())
        found.append({"scheme": number, "bytes": bytes_, "divergence": mean,
                      "standardError": (spread / (DRAWS * (DRAWS - 1))) ** 0.5})
    return {"energy": energy, "trials": found}


def weight_files(folder):
    """The file of each tensor of a checkpoint."""
    index = folder / "model.safetensors.index.json"
    if index.exists():
        return json.loads(index.read_text(encoding="utf-8"))["weight_map"]
    with safe_open(folder / "model.safetensors", "pt") as file:
        return dict.fromkeys(file.keys(), "model.safetensors")


def layer_trials(folder, layers, schemes, fishers):
    """The trials of some layers; weights are read from the checkpoint, one layer at a time."""
    folder = Path(folder)
    files, found = weight_files(folder), []
    for layer, fisher in zip(layers, fishers):
        name = f"{layer['name']}.weight"
        with safe_open(folder / files[name], "pt") as file:
            found.append(trials(file.get_tensor(name), fisher, layer, schemes))
    return found


# --- All of it


def cluster(workers, gpus):
    """Runs a function on each of some arguments: as tasks of Ray in one of its jobs, else here."""
    if "RAY_ADDRESS" not in os.environ:
        return lambda function, calls, done: [done(n, function(*call)) for n, call in enumerate(calls)]
    import ray

    ray.init(logging_level="error")

    def run(function, calls, done):
        remote = ray.remote(num_cpus=1, num_gpus=gpus, max_retries=3)(function)
        waiting, running, results = list(enumerate(calls)), {}, {}
        while waiting or running:
            while waiting and len(running) < workers:
                number, call = waiting.pop(0)
                running[remote.remote(*call)] = number
            for finished in ray.wait(list(running), num_returns=1)[0]:
                number = running.pop(finished)
                results[number] = done(number, ray.get(finished))
        return [results[number] for number in range(len(calls))]

    return run


def folder_of(model):
    """The checkpoint's folder, which the hub's client brings here if it is a name."""
    if Path(model).is_dir():
        return Path(model)
    from huggingface_hub import snapshot_download

    return Path(snapshot_download(model, allow_patterns=["*.safetensors", "*.json"]))


def measure(options, run, windows, work):
    """The sums over all windows; those of groups that an earlier run has finished are taken from its files."""
    groups = [(start, windows[start : start + GROUP_OF_WINDOWS]) for start in range(0, len(windows), GROUP_OF_WINDOWS)]
    places = [work / f"windows-{start}.safetensors" for start, _ in groups]
    missing = [n for n, place in enumerate(places) if not place.exists()]
    finished = [len(groups) - len(missing)]
    tell("gradients", finished[0], len(groups), "groups of windows")

    def keep(number, tensors):
        place = places[missing[number]]
        partial = place.with_suffix(".partial")
        save_file(tensors, partial)
        partial.replace(place)
        finished[0] += 1
        tell("gradients", finished[0], len(groups), "groups of windows")

    length = len(windows[0])
    calls = [(options.model, groups[n][1], groups[n][0] * length, options.gpus) for n in missing]
    run(windows_sums, calls, keep)
    total = {}
    for place in places:
        for name, value in load_file(place).items():
            total[name] = total[name] + value if name in total else value
    tokens = length * len(windows)
    return {name: value / tokens for name, value in total.items()}, tokens


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    for name in ("--windows", "--layers", "--work", "--output"):
        parser.add_argument(name, required=True)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--gpus", type=float, default=0)
    options = parser.parse_args()
    windows = read_windows(options.windows)
    described = json.loads(Path(options.layers).read_text(encoding="utf-8"))
    work = Path(options.work)
    work.mkdir(parents=True, exist_ok=True)
    run = cluster(options.workers, options.gpus)
    means, tokens = measure(options, run, windows, work)

    def fisher(name):
        parts = ("inputs", "outputs", "trace", "lookups", "moments")
        return {part: means[f"{name}.{part}"] for part in parts if f"{name}.{part}" in means}

    layers = [layer for layer in described["layers"] if fisher(layer["name"])]
    left = len(described["layers"]) - len(layers)
    if left:
        print(f"{left} layers are no linear modules in PyTorch, and are not measured", flush=True)
    folder = folder_of(options.model)
    groups = [layers[start : start + GROUP_OF_LAYERS] for start in range(0, len(layers), GROUP_OF_LAYERS)]
    finished = [0]

    def count(_, result):
        finished[0] += 1
        tell("trials", finished[0], len(groups), "groups of layers")
        return result

    calls = [(str(folder), group, described["candidates"], [fisher(layer["name"]) for layer in group]) for group in groups]
    tried = [one for group in run(layer_trials, calls, count) for one in group]
    write(options.output, described, layers, tried, fisher, tokens)


def write(path, described, layers, tried, fisher, tokens):
    """The file: two vectors of F32 a layer, and all else as JSON in the header's metadata."""
    tensors, entries = {}, []
    for layer, found in zip(layers, tried):
        parts = fisher(layer["name"])
        trace, lookups = float(parts["trace"]), float(parts.get("lookups", 0.0))
        tensors[f"{layer['name']}.inputs"] = parts["inputs"].float()
        tensors[f"{layer['name']}.outputs"] = parts["outputs"].float()
        entries.append({
            "name": layer["name"], "role": layer["role"], "originalBytes": layer["originalBytes"],
            "energy": found["energy"], "tokens": tokens, "trace": trace,
            "lookupShare": lookups / trace if trace > 0 else 0.0, "trials": found["trials"],
        })
    origin = described["origin"] | {"gradientTokens": tokens, "trialTokens": tokens}
    contents = {"origin": origin, "schemes": described["schemes"], "layers": entries, "measurements": []}
    partial = Path(f"{path}.partial")
    metadata = {"format": "vise-sensitivity", "version": str(described["version"]), "contents": json.dumps(contents)}
    save_file(tensors, partial, metadata=metadata)
    partial.replace(path)


if __name__ == "__main__":
    # Tasks import what they run by this name; what is of the main program would be sent to them by value.
    import sensitivity

    sensitivity.main()
