"""Records the two-sided Fisher sums of every layer, as PyTorch's autograd gives them, for InferenceTests.

usage: record_fisher.py MODEL OUT.json     MODEL: a Hugging Face directory of a model with a tied embedding

The model is run in double precision on two windows of Fixtures/text.txt. The label after each token is
sampled as Vise does: the largest logit plus Gumbel noise, which is a hash of seed, position and token.
With x a layer's input and g the gradient of the window's sum of -log p(label) at its output, recorded
are the means over tokens of |x|^2 |g|^2 (trace), |g|^2 x_j^2 (inputs) and |x|^2 g_i^2 (outputs), of the
latter two every STRIDE-th. The embedding's sums are those of the head plus those of the lookup.

Recorded is too what each block loses when NEURONS neurons and KV_HEADS key and value heads stay: the
columns of down and o, the latter in groups that share a head, whose zeroing costs least by
sum_ij outputs_i inputs_j W_ij^2.

Packages: Tests/Oracles/requirements-record.txt.
"""

import base64
import json
import os
import sys

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

SEED = 7
WINDOWS = [(0, 40), (40, 136)]
STRIDE = 4
EMBEDDING = "model.embed_tokens"
NEURONS = 608
KV_HEADS = 2


def mix(value):
    """The finaliser of SplitMix64 after its increment."""
    z = value + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def gumbel(position, vocabulary):
    key = mix(mix(np.array([SEED], np.uint64)) ^ np.uint64(position))
    bits = mix(key ^ np.arange(vocabulary, dtype=np.uint64))
    uniform = ((bits >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
    return -np.log(-np.log(uniform))


def labels(logits, start):
    """The sampled labels of a window, and by how much the closest of them won."""
    chosen, margin = [], np.inf
    for row, scores in enumerate(logits.numpy()):
        noisy = scores + gumbel(start + row, len(scores))
        second, first = np.argpartition(noisy, -2)[-2:]
        chosen.append(int(first))
        margin = min(margin, noisy[first] - noisy[second])
    return torch.tensor(chosen), margin


class Sums:
    def __init__(self, rows, columns):
        self.inputs, self.outputs, self.trace = np.zeros(columns), np.zeros(rows), 0.0

    def add(self, x, g):
        x2, g2 = x.double().numpy() ** 2, g.double().numpy() ** 2
        self.inputs += (g2.sum(1, keepdims=True) * x2).sum(0)
        self.outputs += (x2.sum(1, keepdims=True) * g2).sum(0)
        self.trace += float((x2.sum(1) * g2.sum(1)).sum())


def cheapest(layer, weight, size, kept):
    """The groups of `size` columns that go when `kept` stay, and how far the last is from the next."""
    weight = weight.double().numpy()
    costs = (layer.outputs[:, None] * layer.inputs[None] * weight**2).sum(0).reshape(-1, size).sum(1)
    order = np.argsort(costs)
    count = len(costs) - kept
    return sorted(order[:count].tolist()), costs[order[count]] / costs[order[count - 1]] - 1


def main():
    path, out = sys.argv[1:]
    torch.set_num_threads(1)
    model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float64).eval()
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    fixtures = os.path.join(os.path.dirname(__file__), "..", "InferenceTests", "Fixtures")
    with open(os.path.join(fixtures, "text.txt"), encoding="utf-8") as file:
        ids = AutoTokenizer.from_pretrained(path)(file.read())["input_ids"]

    seen = {}
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear):
            module.register_forward_hook(
                lambda _, args, output, name=name: seen.update({name: (args[0], output)}))
    names = [n for n, m in model.named_modules() if isinstance(m, torch.nn.Linear)]
    weights = {n: model.get_submodule(n).weight for n in names}
    sums = {n: Sums(*weights[n].shape) for n in names}

    position = 0
    for begin, end in WINDOWS:
        window = torch.tensor(ids[begin:end])
        embedded = model.model.embed_tokens(window[None]).requires_grad_(True)
        logits = model(inputs_embeds=embedded).logits[0]
        chosen, margin = labels(logits.detach(), position)
        print(f"labels won by {margin:.2e} at least", file=sys.stderr)
        loss = -torch.log_softmax(logits, -1)[range(len(chosen)), chosen].sum()
        outputs = [seen[n][1] for n in names]
        gradients = torch.autograd.grad(loss, outputs + [embedded])
        for name, gradient in zip(names, gradients):
            sums[name].add(seen[name][0].detach()[0], gradient[0])
        # A lookup multiplies the embedding, transposed, with a one at the token's row.
        ones = torch.nn.functional.one_hot(window, model.config.vocab_size)
        lookup = Sums(model.config.hidden_size, model.config.vocab_size)
        lookup.add(ones, gradients[-1][0])
        head = sums["lm_head"]
        head.inputs += lookup.outputs
        head.outputs += lookup.inputs
        head.trace += lookup.trace
        position += len(window)

    shared = model.config.num_attention_heads // model.config.num_key_value_heads
    cuts = []
    for block in range(model.config.num_hidden_layers):
        down, o = (f"model.layers.{block}.{part}" for part in ("mlp.down_proj", "self_attn.o_proj"))
        neurons, margin = cheapest(sums[down], weights[down], 1, NEURONS)
        heads, other = cheapest(sums[o], weights[o], shared * model.config.head_dim, KV_HEADS)
        print(f"block {block}: chosen by {min(margin, other):.2e} at least", file=sys.stderr)
        cuts.append({"neurons": neurons, "keyValueHeads": heads})

    def packed(values):
        array = np.ascontiguousarray(values[::STRIDE] / position, dtype="<f4")
        return base64.b64encode(array.tobytes()).decode()

    record = {
        "seed": SEED,
        "windows": [ids[begin:end] for begin, end in WINDOWS],
        "stride": STRIDE,
        "neurons": NEURONS,
        "keyValueHeads": KV_HEADS,
        "cuts": cuts,
        "layers": {
            (EMBEDDING if name == "lm_head" else name): {
                "trace": layer.trace / position,
                "inputs": packed(layer.inputs),
                "outputs": packed(layer.outputs),
            }
            for name, layer in sums.items()
        },
    }
    with open(out, "w", encoding="utf-8") as file:
        json.dump(record, file)
        file.write("\n")


if __name__ == "__main__":
    main()
