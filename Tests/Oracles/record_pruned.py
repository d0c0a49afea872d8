"""Records what transformers computes with the sample model after structured pruning, for InferenceTests.

usage: record_pruned.py MODEL OUT.json     MODEL: a Hugging Face directory

One block is left out, and of each other block random neurons and one half of the key and value heads,
with the query heads that share them. A new model of the smaller shape gets the sliced weights, in
double precision. Recorded are the structure as a plan, and the logits at 64 vocabulary ids and the
log-sum-exp at the first 32 positions of Fixtures/text.txt.

Packages: Tests/Oracles/requirements-record.txt.
"""

import base64
import json
import os
import sys

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

REMOVED_BLOCK = 2
NEURONS = 512
KV_HEADS = 2
POSITIONS = 32
SAMPLED_IDS = 64


def text(indices):
    return " ".join(str(i) for i in indices)


def main():
    path, out = sys.argv[1:]
    torch.set_num_threads(1)
    whole = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float64).eval()
    config = whole.config
    rng = np.random.default_rng(3)
    shared = config.num_attention_heads // config.num_key_value_heads
    size = config.head_dim

    lines = ["vise: 1", "structure:", f"  blocks: [{REMOVED_BLOCK}]", f"  neurons: {NEURONS}"]
    lines += [f"  kv_heads: {KV_HEADS}", "  removed:"]
    source = whole.state_dict()
    weights = {n: w for n, w in source.items() if "layers" not in n}
    blocks = [b for b in range(config.num_hidden_layers) if b != REMOVED_BLOCK]
    for place, block in enumerate(blocks):
        count = config.intermediate_size
        neurons = np.sort(rng.choice(count, NEURONS, False))
        heads = np.sort(rng.choice(config.num_key_value_heads, KV_HEADS, False))
        queries = np.concatenate([np.arange(h * shared * size, (h + 1) * shared * size) for h in heads])
        keys = np.concatenate([np.arange(h * size, (h + 1) * size) for h in heads])
        gone = [np.setdiff1d(np.arange(n), k) for n, k in ((count, neurons), (config.num_key_value_heads, heads))]
        lines.append(f'    - {{ block: {block}, neurons: "{text(gone[0])}", kv_heads: "{text(gone[1])}" }}')
        rows = {"q_proj": queries, "k_proj": keys, "v_proj": keys, "gate_proj": neurons, "up_proj": neurons}
        columns = {"o_proj": queries, "down_proj": neurons}
        prefix = f"model.layers.{block}."
        for name, weight in source.items():
            if not name.startswith(prefix):
                continue
            role = name.split(".")[-2]
            if role in rows:
                weight = weight[rows[role]]
            if role in columns:
                weight = weight[:, columns[role]]
            weights[f"model.layers.{place}." + name[len(prefix):]] = weight

    smaller = LlamaConfig(**{
        **config.to_dict(), "num_hidden_layers": len(blocks), "intermediate_size": NEURONS,
        "num_key_value_heads": KV_HEADS, "num_attention_heads": KV_HEADS * shared})
    model = LlamaForCausalLM(smaller).double().eval()
    model.load_state_dict(weights)

    fixtures = os.path.join(os.path.dirname(__file__), "..", "InferenceTests", "Fixtures")
    with open(os.path.join(fixtures, "text.txt"), encoding="utf-8") as file:
        ids = AutoTokenizer.from_pretrained(path)(file.read())["input_ids"][:POSITIONS]
    sampled = np.sort(rng.choice(config.vocab_size, SAMPLED_IDS, False))
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0]

    def packed(values):
        return base64.b64encode(np.ascontiguousarray(values, dtype="<f4").tobytes()).decode()

    record = {
        "plan": "\n".join(lines) + "\n",
        "parameters": sum(p.numel() for p in model.parameters()),
        "ids": ids,
        "vocabularyIDs": [int(i) for i in sampled],
        "values": packed(logits[:, sampled].numpy()),
        "logSumExp": packed(torch.logsumexp(logits, -1).numpy()),
    }
    with open(out, "w", encoding="utf-8") as file:
        json.dump(record, file)
        file.write("\n")


if __name__ == "__main__":
    main()
