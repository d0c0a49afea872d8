"""Records what transformers computes with a model, for InferenceTests.

usage: record_transformers.py MODEL OUT.json     MODEL: a Hugging Face directory or a GGUF file

The model is loaded in single precision on the CPU. Recorded are: the ids and the greedy continuations of
48 tokens of ten prompts, with the smallest distance between the best two logits along the way; the
logits at 64 fixed vocabulary ids and the log-sum-exp at the first 256 positions of Fixtures/text.txt;
and the PPL of that text in windows of 128 tokens of which the second half is scored.

Packages: Tests/Oracles/requirements-record.txt.
"""

import base64
import json
import math
import os
import sys

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

TOKENS = 48
POSITIONS = 256
SAMPLED_IDS = 64
WINDOW = 128

CHATS = [
    "Tell me about the sea.",
    "Write a Python function that adds two numbers.",
    "What is 17 + 25?",
    "Give me three tips for sleeping better.",
    "¿Cuál es la capital de Francia?",
]
RAW = [
    "In the spring of 1912, a young engineer arrived in the town of",
    "def fibonacci(n):\n    if n < 2:\n        return n\n",
    "1, 2, 3, 4, 5, 6, 7, 8,",
    "The capital of Japan is Tokyo, and the capital of",
    "Once upon a time there was a little girl who",
]


def load(path):
    directory, file = (path, None) if os.path.isdir(path) else os.path.split(path)
    model = AutoModelForCausalLM.from_pretrained(directory, gguf_file=file, dtype=torch.float32)
    return model.eval(), AutoTokenizer.from_pretrained(directory, gguf_file=file)


def packed(array):
    return base64.b64encode(np.ascontiguousarray(array, dtype="<f4").tobytes()).decode()


@torch.no_grad()
def continuation(model, ids):
    tokens, margin, past, unread = [], math.inf, None, ids
    for _ in range(TOKENS):
        out = model(torch.tensor([unread]), past_key_values=past, use_cache=True)
        past = out.past_key_values
        best = torch.topk(out.logits[0, -1], 2)
        margin = min(margin, float(best.values[0] - best.values[1]))
        unread = [int(best.indices[0])]
        tokens += unread
    return tokens, margin


def prompts(model, tokenizer):
    texts = [(text, False) for text in RAW]
    if tokenizer.chat_template:
        texts = [(text, True) for text in CHATS] + texts
    for text, is_chat in texts:
        if is_chat:
            message = [{"role": "user", "content": text}]
            ids = tokenizer.apply_chat_template(
                message, add_generation_prompt=True, tokenize=True, return_dict=True)["input_ids"]
        else:
            ids = tokenizer(text)["input_ids"]
        tokens, margin = continuation(model, ids)
        print(repr(tokenizer.decode(tokens)), f"margin {margin:.4f}", file=sys.stderr)
        yield {"text": text, "isChat": is_chat, "ids": ids, "tokens": tokens, "margin": margin}


@torch.no_grad()
def logits(model, ids, vocabulary):
    sampled = sorted(int(i) for i in np.random.default_rng(1).choice(vocabulary, SAMPLED_IDS, False))
    out = model(torch.tensor([ids[:POSITIONS]])).logits[0]
    return {
        "ids": ids[:POSITIONS],
        "vocabularyIDs": sampled,
        "values": packed(out[:, sampled].numpy()),
        "logSumExp": packed(torch.logsumexp(out.double(), -1).numpy()),
        "best": [int(i) for i in out.argmax(-1)],
    }


@torch.no_grad()
def perplexity(model, ids):
    losses = []
    for start in range(0, len(ids) - WINDOW + 1, WINDOW):
        window = torch.tensor(ids[start : start + WINDOW])
        scores = torch.log_softmax(model(window[None]).logits[0].double(), -1)
        for place in range(WINDOW // 2, WINDOW - 1):
            losses.append(-float(scores[place, window[place + 1]]))
    mean = sum(losses) / len(losses)
    return {"ids": ids, "window": WINDOW, "scored": len(losses), "ppl": math.exp(mean)}


def main():
    path, out = sys.argv[1:]
    torch.manual_seed(0)
    model, tokenizer = load(path)
    fixtures = os.path.join(os.path.dirname(__file__), "..", "InferenceTests", "Fixtures")
    with open(os.path.join(fixtures, "text.txt"), encoding="utf-8") as file:
        ids = tokenizer(file.read())["input_ids"]
    record = {
        "prompts": list(prompts(model, tokenizer)),
        "logits": logits(model, ids, model.config.vocab_size),
        "perplexity": perplexity(model, ids),
    }
    print("PPL", record["perplexity"]["ppl"], "of", len(ids), "tokens", file=sys.stderr)
    with open(out, "w", encoding="utf-8") as file:
        json.dump(record, file, ensure_ascii=False)
        file.write("\n")


main()
